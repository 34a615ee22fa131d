"""Entries behind the store port: what happened at the gates, by journal, by day, by person.

Entries lie in *days*, and a day is dropped as a whole. An engine with partitions (PostgreSQL) takes
a day as a partition by range; there the day belongs to the unique key, so the engine alone cannot
tell that an entry is held in another day already. *Spans* tell it: which sequences of a journal lie
in which day. Each method says what it becomes there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from admission.passage import CHAIN_HASH_BYTES
from hub.store.marks import MarkKind

MAX_INTEGER = (1 << 63) - 1
"""Largest number that every engine's 64-bit column holds."""
MAX_JOURNALS_OF_A_DEVICE = 1_000
"""A gate begins another one when its medium is replaced or damaged. Each is remembered for good,
listed every day and examined, so nobody may begin them without end."""
NO_CHAIN_HASH = bytes(CHAIN_HASH_BYTES)
"""Stands for the chain hash of what is not there."""


def _no_flags(_: Added) -> Iterable[Flag]:
    return ()


class JournalKey(msgspec.Struct, frozen=True):
    """One journal of one device: within it, entries are numbered from 1 without gaps."""

    device: str
    journal: bytes


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """The columns of an entry that the hub searches by."""

    site: str
    wall_ns: int
    person: int | None
    """Unsigned 64-bit `PersonKey`."""
    outcome: str
    marks: tuple[MarkKind, ...] = ()
    """What a person at the hub should see it as."""


class EntryRecord(msgspec.Struct, frozen=True, gc=False):
    """One entry to be kept.

    :ivar decoded: None for bytes that no column is read out of: they are kept raw.
    :ivar day: where it lies if it is not held yet (`hub.days`).
    :ivar session: whether its bytes are the session that opens the seals from here on.
    """

    sequence: int
    chain_hash: bytes
    packed: bytes
    decoded: Decoded | None
    received_ns: int
    day: int = 0
    session: bool = False


class Offer(msgspec.Struct, frozen=True):
    """Entries of one journal to be kept: at least one, ascending by sequence without gaps.

    :ivar clock_off_ns: by how much the gate's clock is ahead of the hub's, None if not known.
    :ivar remarks: says which flags what became of the offer gives rise to, raised in the same
        transaction: once entries are acknowledged, nothing sends them again. Pure; called on
        whatever thread writes.
    """

    key: JournalKey
    records: Sequence[EntryRecord]
    clock_off_ns: int | None = None
    remarks: Callable[[Added], Iterable[Flag]] = _no_flags


class Held(msgspec.Struct, frozen=True):
    """What the store holds under one sequence."""

    chain_hash: bytes
    packed: bytes


class Watermark(msgspec.Struct, frozen=True):
    """Every entry from 1 up to and including `through` is held durably, or was until its day went.

    `chain_hash` is that entry's; 0 and zeros for a journal of which not even the first is held.
    """

    through: int = 0
    chain_hash: bytes = NO_CHAIN_HASH


class Added(msgspec.Struct, frozen=True):
    """What became of one offer."""

    fresh: int
    """Entries that the store did not hold before."""
    differing: Mapping[int, Held]
    """By sequence: what stays held where other bytes were offered, which are kept as conflicts."""
    watermark: Watermark
    around: Mapping[int, Held]
    """What is held just before the first and just after the last of the offer, as far as it is."""
    refused: bool = False
    """Whether nothing of it was kept: its device has begun `MAX_JOURNALS_OF_A_DEVICE` others."""


class FlagKind(StrEnum):
    """What a person should look at. Values are in the store and in metrics."""

    CONFLICT = "conflict"
    """Other bytes were offered under a key that was already held."""
    CHAIN_BROKEN = "chain_broken"
    """The chain hash does not follow from the held entry before."""
    UNDECODABLE = "undecodable"
    """The bytes are no entry of a version that the hub knows: set aside, kept raw."""
    SEAL_UNOPENED = "seal_unopened"
    """No key of the hub opens what is sealed: whom the entry is of stays unknown for now."""
    MISSING = "missing"
    """The gate could not read the entry any more: the first of a run of such places."""
    SUSPECT_CLOCK = "suspect_clock"
    """The gate's date cannot be right, or nobody vouched for it."""
    DUPLICATE_PASSAGE = "duplicate_passage"
    """Admitted here a moment after another gate had admitted the same person."""
    REVOKED_MEANWHILE = "revoked_meanwhile"
    """Admitted by a gate that did not know yet what the hub knew by then."""
    UNSECURED = "unsecured"
    """By the site's policy the gate moved before its entry was durable."""
    TAILGATED = "tailgated"
    """Somebody else went through behind whoever was admitted."""
    REVIVED = "revived"
    """The journal went on after another one of the same device had begun: a copy is in use."""


class Flag(msgspec.Struct, frozen=True, order=True):
    """One remark on one entry. Raising it again changes nothing."""

    sequence: int
    kind: FlagKind
    detail: str = ""


class EntryCount(msgspec.Struct, frozen=True):
    """How much of one device is held, over all its journals."""

    entries: int
    distinct: int
    """Different entry bytes: fewer than `entries` if something was doubled under another key."""
    conflicts: int
    flags: int


class Day(msgspec.Struct, frozen=True):
    """One day of entries. `day` counts from 1970-01-01 (UTC); `bytes` on the medium are about."""

    day: int
    entries: int
    bytes: int


class EntryStore(Protocol):
    """What happened at the gates."""

    async def add_entries(self, offers: Sequence[Offer]) -> Sequence[Added]:
        """Keep entries and raise flags, one offer after the other, all of it in one transaction.

        Safe to repeat. A sequence that is not held is kept, in its record's day. One that is held
        with the same chain hash and bytes is ignored, whatever day it lies in; so is one through
        which the watermark has gone and whose day was dropped: it does not come back. One that is
        held with others keeps what it has, and what was offered is kept beside it as a conflict,
        once. An offer of one journal too many of its device is refused, and holds up no other.

        PostgreSQL: lock the rows of the journals, in order of their ids; what is held by the spans;
        `INSERT … SELECT FROM unnest(…) ON CONFLICT DO NOTHING` into the partitioned table.

        :returns: what became of each offer, in their order.
        :raises StoreError: if the store failed; then none of the offers was acknowledged.
        """
        ...

    async def watermark(self, key: JournalKey) -> Watermark:
        """Return how far a journal is held, which need not exist.

        PostgreSQL: a row of `journal`, by its unique key.
        """
        ...

    async def session_before(self, key: JournalKey, sequence: int) -> tuple[int, bytes] | None:
        """Return sequence and bytes of the last held session record before a sequence.

        Sessions stay when their day is dropped: entries of later days may still be sealed by them.

        PostgreSQL: a table of its own, not partitioned: `ORDER BY sequence DESC LIMIT 1`.
        """
        ...

    async def held(self, key: JournalKey, sequences: Collection[int]) -> Mapping[int, Held]:
        """Return what is held under those of a few sequences that are held at all.

        PostgreSQL: joined with the spans, so that one partition is read for each.
        """
        ...

    async def raise_flags(self, key: JournalKey, flags: Iterable[Flag], raised_ns: int) -> None:
        """Keep flags; one of the same sequence and kind stays as it is.

        PostgreSQL: `ON CONFLICT DO NOTHING` into a table that is not partitioned.
        """
        ...

    async def flags(self, key: JournalKey) -> Sequence[Flag]:
        """Return the flags of one journal by sequence and kind."""
        ...

    async def count(self, device: str) -> EntryCount:
        """Return how much of one device is held. Reads all of it: for tests and for support.

        PostgreSQL: `count(DISTINCT packed)` over the partitions.
        """
        ...

    async def days(self) -> Sequence[Day]:
        """Return the days that hold entries, ascending.

        PostgreSQL: the partitions, with what the catalogue says of rows and sizes.
        """
        ...

    async def drop_days(self, before: int) -> Sequence[Day]:
        """Drop every day before this one whole; return those that went.

        Their entries go with their marks, flags and conflicts. Journals stay, and so do their
        watermarks: what was dropped is not taken again. Sessions stay, too.

        PostgreSQL: `DROP TABLE` of the partitions, and by the spans of the days what is beside.
        """
        ...
