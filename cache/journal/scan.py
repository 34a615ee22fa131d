"""Scanning one file: its entries, its torn tail, and where its middle is damaged. Sans-IO."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from cache.journal.frame import (
    FRAME_HEAD_BYTES,
    HEADER_BYTES,
    Frame,
    Header,
    follows,
    frame_at,
    unpack_header,
)

MAX_FILE_BYTES = 64 << 20
"""Longest file that is read; the writer begins a new one long before."""
MAX_FILE_ENTRIES = MAX_FILE_BYTES // (FRAME_HEAD_BYTES + 1)
_LOW_BITS = 16  # bits of the sequence that the search leaves open: two bytes, of any value


class DamageKind(StrEnum):
    """What is wrong at one place of a file."""

    HEADER = "header"
    """The file's header is not intact; its entries are still judged one by one."""
    UNREADABLE = "unreadable"
    """Bytes between intact entries that are no entry."""
    MISSING = "missing"
    """Two intact entries touch, but sequences between them are not there."""
    OUT_OF_ORDER = "out_of_order"
    """An intact entry whose sequence has already been there. It does not count as an entry."""
    CHAIN = "chain"
    """An intact entry that does not follow from the one before it: altered or exchanged."""


class Damage(msgspec.Struct, frozen=True):
    """One damaged place: `length` bytes at `offset`, which cost `lost` entries.

    The lost sequences are `sequence` to `sequence + lost - 1`; where `lost` is 0, `sequence` is the
    entry at that place.
    """

    kind: DamageKind
    offset: int
    length: int
    sequence: int
    lost: int = 0


class PrunedRun(msgspec.Struct, frozen=True):
    """Entries `first` to `last` were removed here on purpose; `chain_hash` is that of the last."""

    offset: int
    first: int
    last: int
    chain_hash: bytes


class Tail(msgspec.Struct, frozen=True):
    """Bytes after the last intact entry: a write that power or the medium cut short.

    Zeros up to the file's end are none: that is space set aside which nothing was written to.
    """

    offset: int
    length: int


Finding = Header | Frame | PrunedRun | Damage | Tail


def scan(data: bytes, first_sequence: int, *, chained: bool = True) -> Iterator[Finding]:
    """Yield what a file's bytes hold, in their order.

    First the `Header` (or a `Damage` in its place), then every intact `Frame` and `PrunedRun`, each
    preceded by the `Damage` that lies before or in it, at last a `Tail` if written bytes remain.
    Sequences ascend strictly. An intact file yields one header, frames and runs, nothing else.

    :param first_sequence: the sequence that the file's name promises for its first entry; sequences
        further from it than one file can hold entries are not believed.
    :param chained: whether the chain is checked, too: where entries are only read, it need not be.
    """
    header = unpack_header(data)
    previous: bytes | None = None
    if header is None or header.first_sequence != first_sequence:
        yield Damage(DamageKind.HEADER, 0, min(HEADER_BYTES, len(data)), first_sequence)
    else:
        yield header
        previous = header.chain_before if chained else None
    offset, expected, last = HEADER_BYTES, first_sequence, first_sequence + MAX_FILE_ENTRIES
    written = len(data.rstrip(b"\0"))  # an entry may end in zeros, but none begins among them
    while offset < written:
        frame = frame_at(data, offset)
        if frame is not None and first_sequence <= frame.sequence < expected:
            yield Damage(DamageKind.OUT_OF_ORDER, offset, frame.end - offset, frame.sequence)
            offset = frame.end
            continue
        if frame is None or not expected <= frame.sequence <= last:
            frame = _next_intact(data, offset + 1, expected, last)
        if frame is None:
            yield Tail(offset, written - offset)
            return
        if chained or frame.offset != offset or frame.sequence != expected:
            yield from _damage_before(frame, offset, expected, previous)
        if frame.packed:
            yield frame
        else:
            yield PrunedRun(frame.offset, expected, frame.sequence, frame.chain_hash)
        offset, expected = frame.end, frame.sequence + 1
        previous = frame.chain_hash if chained else None


def _damage_before(
    frame: Frame, offset: int, expected: int, previous: bytes | None
) -> Iterator[Damage]:
    # A run says of all that is missing before it that it was removed; it has no bytes to check.
    lost = frame.sequence - expected if frame.packed else 0
    if frame.offset > offset:
        yield Damage(DamageKind.UNREADABLE, offset, frame.offset - offset, expected, lost)
    elif lost:
        yield Damage(DamageKind.MISSING, offset, 0, expected, lost)
    # Across a loss the chain cannot be checked: the hash before went with the lost entry.
    if frame.packed and not lost and previous is not None and not follows(previous, frame):
        yield Damage(DamageKind.CHAIN, frame.offset, frame.end - frame.offset, frame.sequence)


def _next_intact(data: bytes, offset: int, expected: int, last: int) -> Frame | None:
    """Return the first intact frame from `offset` on whose sequence is `expected` to `last`.

    A frame's head is searched for as a pattern: short length, two free bytes, and one of the few
    high parts that such sequences have. Zeros, of which there may be millions, are no head.
    """
    highs = range(expected >> _LOW_BITS, (last >> _LOW_BITS) + 1)
    known = b"|".join(re.escape(high.to_bytes(6, "little")) for high in highs)
    head = re.compile(rb"(?s)(?=(?!\x00{12})..\x00\x00..(?:" + known + rb"))")
    for match in head.finditer(data, offset):
        frame = frame_at(data, match.start())
        if frame is not None and expected <= frame.sequence <= last:
            return frame
    return None
