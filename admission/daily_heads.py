"""Daily heads: the list in which the hub says, once a day, how far it holds whose journal.

A signed message (`admission.signed`) that the hub publishes and never changes. Whoever has kept one
(a mirror, an auditor, another office) can show later that a journal of that day was cut, altered or
exchanged since, by the hub or by the gate: each chain hash stands for all entries before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from admission.errors import WireError
from admission.passage import CHAIN_HASH_BYTES, JOURNAL_ID_BYTES, MAX_SEQUENCE
from admission.signed import parts, require_signature, sign, typed
from admission.upload import MAX_DEVICE_LENGTH

DAILY_HEADS_VERSION = 1
DAILY_HEADS_PATH = "journals"
"""Folder of the lists beneath what an upstream serves as `replica/`."""
MAX_DAILY_HEADS_BYTES = 32 << 20
MAX_JOURNALS = 200_000
DAY = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]", re.ASCII)
"""What the name of a list looks like."""
_DOMAIN = b"chot daily heads 1\x00"
_pack = msgspec.msgpack.Encoder().encode


class JournalHead(
    msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, order=True
):
    """How far one journal is held: every entry through this one, whose chain hash is told."""

    device: str
    journal: bytes
    through: int
    chain_hash: bytes


class DailyHeads(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The list of one day.

    :ivar day: the UTC day that was over, `YYYY-MM-DD`.
    :ivar made_ns: the hub's clock when it made the list: later than the day's end where a hub that
        was off has made up for it, and then it tells of that moment.
    :ivar journals: ascending; each (device, journal) once.
    """

    version: int
    day: str
    made_ns: int
    journals: tuple[JournalHead, ...]


class Comparison(StrEnum):
    """What a list says of a journal that one has."""

    SAME = "same"
    """The journal's entry at the listed place is the one that was listed, and all before it are."""
    NOT_LISTED = "not_listed"
    """The list does not name the journal."""
    NOT_HERE = "not_here"
    """The journal goes further, but its entry at that place is not here: nothing is proven."""
    CUT_OFF = "cut_off"
    """The journal ends before the listed place: its end was removed."""
    ALTERED = "altered"
    """Another entry stands at the listed place: the journal is not the one that was listed."""


def pack_daily_heads(
    day: str, made_ns: int, journals: Iterable[JournalHead], key: Ed25519PrivateKey
) -> bytes:
    """Return the signed list. `key` is the hub's head key.

    :raises WireError: if these are more journals than one list may name.
    """
    listed = tuple(sorted(journals))
    if len(listed) > MAX_JOURNALS:
        msg = f"{len(listed)} journals are more than the {MAX_JOURNALS} of a list"
        raise WireError(msg)
    return sign(_pack(DailyHeads(DAILY_HEADS_VERSION, day, made_ns, listed)), _DOMAIN, key)


def open_daily_heads(data: bytes, keys: Iterable[Ed25519PublicKey]) -> DailyHeads:
    """Return the list that one of these keys signed.

    :raises WireError: if the bytes are no such list, or none of the keys signed it.
    """
    body, signature = parts(data, MAX_DAILY_HEADS_BYTES)
    heads = typed(body, DailyHeads, MAX_DAILY_HEADS_BYTES)
    if heads.version != DAILY_HEADS_VERSION:
        msg = f"a list of version {heads.version} is not {DAILY_HEADS_VERSION}"
        raise WireError(msg, hint="update the older side")
    if not DAY.fullmatch(heads.day) or not all(_well_formed(one) for one in heads.journals):
        raise WireError("the list names no day, or journals that are none")
    require_signature("list", keys, signature, _DOMAIN + body)
    return heads


def check(
    heads: DailyHeads,
    device: str | None,
    journal: bytes,
    last: int,
    hash_at: Callable[[int], bytes | None],
) -> tuple[Comparison, JournalHead | None]:
    """Return what a list says of a journal, and the line of the list that says it.

    The chain of the journal itself is the caller's to verify: then one hash stands for all before.

    :param device: None for a journal whose device is not known: its id tells it from others.
    :param last: the last sequence that the journal has; 0 for none.
    :param hash_at: the chain hash of the journal's entry with a sequence; None if it is not there.
    """
    lines = [
        one
        for one in heads.journals
        if one.journal == journal and (device is None or one.device == device)
    ]
    if not lines:
        return Comparison.NOT_LISTED, None
    line = max(lines, key=lambda one: one.through)
    if last < line.through:
        return Comparison.CUT_OFF, line
    if line.through == 0:
        return Comparison.SAME, line
    found = hash_at(line.through)
    if found is None:
        return Comparison.NOT_HERE, line
    return Comparison.SAME if found == line.chain_hash else Comparison.ALTERED, line


def _well_formed(one: JournalHead) -> bool:
    return (
        0 < len(one.device) <= MAX_DEVICE_LENGTH
        and len(one.journal) == JOURNAL_ID_BYTES
        and len(one.chain_hash) == CHAIN_HASH_BYTES
        and 0 <= one.through <= MAX_SEQUENCE
    )
