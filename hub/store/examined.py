"""What the examiner and an investigator ask of the store: journals, entries in order, flags."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from hub.store.entries import Decoded, Flag, FlagKind, JournalKey


class JournalStanding(msgspec.Struct, frozen=True):
    """How far one journal is held, and when its device was last heard of it.

    :ivar through: every entry from 1 up to and including this one is held, or was until its day's
        retention was over; `chain_hash` is that entry's, zeros for 0.
    :ivar received_ns: the last contact, by the hub's clock.
    :ivar clock_off_ns: by how much the gate's clock was ahead of the hub's then; None if unknown.
    """

    key: JournalKey
    through: int
    chain_hash: bytes
    first_received_ns: int
    received_ns: int
    clock_off_ns: int | None


class HeldEntry(msgspec.Struct, frozen=True):
    """One entry as it is held. `decoded` is None where its bytes could not be read."""

    sequence: int
    chain_hash: bytes
    packed: bytes
    received_ns: int
    decoded: Decoded | None


class PlacedEntry(msgspec.Struct, frozen=True):
    """One passage of a person, and where it is held."""

    key: JournalKey
    sequence: int
    packed: bytes
    wall_ns: int
    person: int


class RaisedFlag(msgspec.Struct, frozen=True):
    """One flag, where it is, and when it was raised by the hub's clock."""

    key: JournalKey
    flag: Flag
    raised_ns: int


class Conflict(msgspec.Struct, frozen=True):
    """Other bytes that were offered under a key that was held."""

    sequence: int
    chain_hash: bytes
    packed: bytes
    received_ns: int


class HeldSpan(msgspec.Struct, frozen=True):
    """Sequences of a journal that the store notes as held, both ends included, all of one day."""

    first: int
    last: int
    day: int


class ExaminedStore(Protocol):
    """The part of the store that is read after the fact. Every call is of a bounded size."""

    async def journals(self, *, since_ns: int = 0) -> Sequence[JournalStanding]:
        """Return journals by device and journal: those whose last contact was not before this."""
        ...

    async def entries(self, key: JournalKey, after: int, *, limit: int) -> Sequence[HeldEntry]:
        """Return a journal's next held entries after a sequence, ascending, whatever their day.

        PostgreSQL: joined with the spans, a range of each partition after the other.
        """
        ...

    async def spans(self, key: JournalKey, after: int, *, limit: int) -> Sequence[HeldSpan]:
        """Return a journal's spans that end after a sequence, ascending.

        They are kept apart from the entries: a row that is gone from its day is missed by them.
        """
        ...

    async def lying(self, day: int) -> Mapping[JournalKey, int]:
        """Return how many entries of whom lie in a day, noted in spans or not. Reads all of it."""
        ...

    async def passages_of(
        self, people: Collection[int], from_ns: int, until_ns: int, *, limit: int
    ) -> Sequence[PlacedEntry]:
        """Return entries of these people with a wall time in [from, until), at most `limit`.

        PostgreSQL: by the index on the person in the partitions of these days and those beside.
        """
        ...

    async def conflicts(self, key: JournalKey, after: int, *, limit: int) -> Sequence[Conflict]:
        """Return what was offered beside held entries after a sequence, ascending."""
        ...

    async def lower_flags(self, key: JournalKey, flags: Collection[tuple[int, FlagKind]]) -> None:
        """Take back flags, as far as they are raised."""
        ...

    async def flags_at(self, key: JournalKey, sequences: Collection[int]) -> Sequence[Flag]:
        """Return the flags of a few entries."""
        ...

    async def all_flags(
        self,
        *,
        kind: FlagKind | None = None,
        device: str | None = None,
        since_ns: int = 0,
        limit: int,
    ) -> Sequence[RaisedFlag]:
        """Return flags of all journals, the last raised first."""
        ...

    async def flag_counts(self) -> Mapping[FlagKind, int]:
        """Return how many flags are raised, by kind."""
        ...

    async def redecode(self, key: JournalKey, decoded: Sequence[tuple[int, Decoded]]) -> None:
        """Fill the columns and marks of held entries that were read again."""
        ...


class FlaggingStore(ExaminedStore, Protocol):
    """What the examiner asks besides: `EntryStore.raise_flags`."""

    async def raise_flags(self, key: JournalKey, flags: Iterable[Flag], raised_ns: int) -> None:
        """Keep flags; one of the same sequence and kind stays as it is."""
        ...
