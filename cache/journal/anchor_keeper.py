"""Keeping the anchor: written beside the loop and beside the journal's writer, never in the way."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.errors import WireError
from cache.journal.anchor import (
    ANCHOR_NAME,
    Anchor,
    Pruned,
    make_anchor,
    read_anchor,
    write_anchor,
)
from cache.journal.catalogue import DAMAGED_SUFFIX
from cache.journal.errors import AnchorError, JournalUnavailable
from cache.journal.found import found
from cache.journal.medium import Medium, PosixMedium
from cache.journal.recovery import Position
from cache.journal.segment_file import unavailable
from cache.journal.witness import stated_mark

INTERVAL_S = 10.0
_log = logging.getLogger(__name__)


class AnchorStatus(msgspec.Struct, frozen=True):
    """How the anchor is kept. `head` is what the file on the medium says, None before the first.

    `found_through`: entries through this one were taken as they stood, because there was no anchor
    that could be believed. `last_error` is empty once the file was written again.
    """

    head: int | None = None
    found_through: int = 0
    writes: int = 0
    failures: int = 0
    last_error: str = ""


class AnchorKeeper:
    """Replaces the anchor when something changed: every `interval_s`, and when pruning asks.

    What the medium refuses is told by `status`, and tried again: no lane waits for an anchor.

    Make it as soon as the journal is open, and `write` once before the first entry: an anchor that
    is missing beside entries is then always a fault.

    :param head: where the journal stands: id, last durable sequence, its chain hash. Called from
        other threads.
    :param key: the device's.
    :param mark: the hub's last signed mark that was checked, empty if there is none.
    :param sleep: waits for so many seconds.
    """

    def __init__(
        self,
        directory: Path,
        head: Callable[[], Position],
        key: Ed25519PrivateKey,
        *,
        mark: Callable[[], bytes] = lambda: b"",
        medium: Medium | None = None,
        interval_s: float = INTERVAL_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._medium = medium or PosixMedium()
        self._directory = directory
        self._head, self._mark, self._key = head, mark, key
        self._interval_s, self._sleep = interval_s, sleep
        self._turn = threading.Lock()
        self._written: Anchor | None = None
        self._former: Pruned | None = None
        self._found_through = head().last_sequence
        self._status = AnchorStatus()

    @property
    def status(self) -> AnchorStatus:
        """How the anchor is kept."""
        return self._status

    async def run(self) -> None:
        """Keep the anchor until cancelled."""
        while True:
            await asyncio.to_thread(self._try)
            await self._sleep(self._interval_s)

    async def close(self) -> None:
        """Write the anchor a last time. The journal may still be open, or closed already."""
        await asyncio.to_thread(self._try)

    def write(self) -> None:
        """Write the anchor if anything changed since. Blocking.

        :raises JournalUnavailable: if the medium refuses.
        """
        with self._turn:
            self._write(self._last_pruned())

    def pruned(self) -> Pruned:
        """Return how far the journal was pruned. Blocking.

        :raises JournalUnavailable: if the medium refuses.
        """
        with self._turn:
            return self._last_pruned()

    def announce(self, pruned: Pruned) -> None:
        """Say what is about to be pruned; once this returns, that is durable. Blocking.

        :raises JournalUnavailable: if the medium refuses: then nothing may be removed.
        """
        with self._turn:
            self._last_pruned()
            self._write(pruned)

    def _try(self) -> None:
        try:
            self.write()
        except JournalUnavailable as error:
            if not self._status.last_error:
                _log.warning("the journal's anchor cannot be kept: %s", error)
            self._status = msgspec.structs.replace(
                self._status, failures=self._status.failures + 1, last_error=str(error)
            )

    def _write(self, pruned: Pruned) -> None:
        mark = self._mark()  # before the head: what the hub holds, the head has reached
        head = self._head()
        if not _is_of(mark, head.journal):
            mark = b""
        anchor = make_anchor(
            self._key,
            head.journal,
            (head.last_sequence, head.chain_hash),
            pruned,
            found_through=self._found_through,
            mark=mark,
        )
        if anchor == self._written:
            return
        try:
            write_anchor(self._medium, self._directory, anchor, self._key)
        except OSError as error:
            raise unavailable(error) from error
        self._written, self._former = anchor, pruned
        self._status = msgspec.structs.replace(
            self._status,
            head=anchor.head,
            found_through=anchor.found_through,
            writes=self._status.writes + 1,
            last_error="",
        )

    def _last_pruned(self) -> Pruned:
        """Return what the next anchor goes on from."""
        if self._former is None:
            try:
                self._former = self._of_last_run()
            except OSError as error:
                raise unavailable(error) from error
        return self._former

    def _of_last_run(self) -> Pruned:
        """Return what the last run's anchor says; one that cannot be believed is set aside."""
        journal = self._head().journal
        try:
            anchor = read_anchor(self._medium, self._directory)
        except AnchorError as error:
            self._set_aside(str(error))
            return found(self._medium, self._directory, journal)
        # What recovery could not follow on it has moved away: another journal's is an empty one's.
        if anchor is None or anchor.journal != journal:
            return found(self._medium, self._directory, journal)
        if anchor.device != self._key.public_key().public_bytes_raw():
            self._set_aside("the journal's anchor is signed by another device")
            return found(self._medium, self._directory, journal)
        self._found_through = anchor.found_through
        return anchor.pruned

    def _set_aside(self, why: str) -> None:
        _log.warning("%s: it is set aside, and a new one begun", why)
        path = self._directory / ANCHOR_NAME
        self._medium.rename(path, path.with_name(path.name + DAMAGED_SUFFIX))


def _is_of(mark: bytes, journal: bytes) -> bool:
    """Return whether a mark is of this journal: one that ended proves nothing of the next."""
    try:
        return stated_mark(mark).journal == journal
    except WireError:
        return False
