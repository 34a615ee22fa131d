"""A journal's entries as rows for tables and scripts; people are in them for who has the key."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from admission.errors import SealError
from admission.journal_record import Followup, PassageRecord, opened
from admission.sealing import OpenedSession, Opener, SealSession
from appliance.errors import ConfigError
from appliance.journal_entry import plain, record_of
from cache.journal.frame import Frame
from cache.replica.keys import read_secret

COLUMNS = (
    "sequence",
    "time",
    "clock_trust",
    "site",
    "lane",
    "source",
    "kind",
    "outcome",
    "card",
    "reasons",
    "directive",
    "rulebook",
    "release",
    "direction",
    "event",
    "about",
    "note",
    "alerts",
    "doubts",
    "worker",
    "followup",
    "after_ms",
    "undecodable",
)
PERSONAL_COLUMNS = ("person", "code_digest", "officer", "sealed")


class Span(msgspec.Struct, frozen=True):
    """From when (inclusive) until when (exclusive), ns since the epoch; None = no bound."""

    since_ns: int | None = None
    until_ns: int | None = None

    def holds(self, wall_ns: int) -> bool:
        """Return whether a moment lies within."""
        after = self.since_ns is None or wall_ns >= self.since_ns
        return after and (self.until_ns is None or wall_ns < self.until_ns)


class Rows:
    """Makes rows of entries, ascending. `unopened` counts seals that the key does not open.

    :param journal: the journal's id, which seals are bound to.
    :param opener: opens seals; None leaves everything personal out.
    """

    def __init__(self, journal: bytes, span: Span, opener: Opener | None) -> None:
        self.unopened = 0
        self._journal = journal
        self._span = span
        self._opener = opener
        self._session: OpenedSession | None = None
        self._taken: set[int] = set()

    def of(self, frames: Iterable[Frame]) -> Iterator[dict[str, Any]]:
        """Yield the rows of the entries in the span, with what followed on those; no sessions."""
        for frame in frames:
            record = record_of(frame)
            match record:
                case SealSession():
                    self._begin(record)
                case PassageRecord() if self._span.holds(record.passage.wall_ns):
                    self._taken.add(frame.sequence)
                    yield self._row(frame.sequence, record)
                case Followup() if record.about in self._taken:
                    yield plain(frame.sequence, record)
                case PassageRecord() | Followup():
                    continue
                case _ if self._span == Span():
                    yield plain(frame.sequence, record)

    def _begin(self, session: SealSession) -> None:
        self._session = None
        if self._opener is not None and session.recipient == self._opener.key_id:
            with contextlib.suppress(SealError):  # altered on the medium: its seals stay shut
                self._session = self._opener.begin(session, self._journal)

    def _row(self, sequence: int, record: PassageRecord) -> dict[str, Any]:
        row = plain(sequence, record)
        row.pop("officer", None)
        return row if self._opener is None else row | self._personal(record)

    def _personal(self, record: PassageRecord) -> dict[str, Any]:
        try:
            entry = opened(record, self._session)
        except SealError:
            self.unopened += 1
            return {"sealed": True}
        return {
            "person": None if entry.person is None else f"{entry.person:016x}",
            "code_digest": entry.code_digest.hex(),
            "officer": entry.officer,
        }


def load_opener(path: Path) -> Opener:
    """Return what opens seals: the hub's private key (X25519, PEM).

    :raises ConfigError: if the file holds no such key.
    :raises KeyFileError: if it is missing, or readable by others.
    """
    data = read_secret(path, form=lambda data: b"PRIVATE KEY-----" in data)
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _no_seal_key(path) from error
    if not isinstance(key, X25519PrivateKey):
        raise _no_seal_key(path)
    return Opener(key)


def _no_seal_key(path: Path) -> ConfigError:
    return ConfigError(
        f"{path} holds no X25519 private key",
        hint="name the hub's keys/seal.key, or a former one: seal-<id>.key",
    )
