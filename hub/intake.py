"""What the hub makes of a batch: keep, compare, remark, acknowledge.

What happened is always stored. The hub flags what a person should look at; it never rejects, and
one bad entry never blocks the ones behind it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

import msgspec

from admission.errors import WireError
from admission.instant import Instant
from admission.passage import chained, genesis
from admission.upload import SignedBatch, entries_of
from admission.wire import Entry
from hub.columns import Columns, columns_of
from hub.days import day_of, filled, own_day
from hub.errors import TooManyJournalsError
from hub.group_commit import GroupCommit
from hub.seal_sessions import NoSealKeys, SealKeys, SealSessions
from hub.store.entries import (
    MAX_INTEGER,
    Added,
    EntryRecord,
    EntryStore,
    Flag,
    FlagKind,
    Held,
    JournalKey,
    Offer,
    Watermark,
)

MAX_DETAIL_LENGTH = 200
"""Characters of a flag's detail: it may quote hostile bytes."""

_NOTHING = Columns()


class Receipt(msgspec.Struct, frozen=True):
    """What became of one batch. The counts of entries add up to the batch's length."""

    watermark: Watermark
    fresh: int = 0
    repeated: int = 0
    conflicting: int = 0
    flags: tuple[Flag, ...] = ()
    """Every remark that this batch gave rise to, also those that were raised before."""


class Arrival(msgspec.Struct, frozen=True):
    """Entries of one journal that came in together: ascending by sequence without gaps.

    :ivar stated: whose chain hash was given, not computed from the entry before.
    :ivar sent_ns: the gate's clock when it sent them, None if it did not say.
    """

    key: JournalKey
    entries: Sequence[Entry]
    stated: Collection[int]
    sent_ns: int | None = None


class Intake:
    """Takes in what gates send. One for a store; for one event loop.

    :param seal_keys: what opens the seals on persons; without, entries are kept with the person
        unknown, and flagged.
    """

    def __init__(self, store: EntryStore, seal_keys: SealKeys | None = None) -> None:
        self._store = store
        self._commits = GroupCommit(store)
        self._sessions = SealSessions(seal_keys or NoSealKeys())

    async def receive(self, arrival: Arrival, now: Instant) -> Receipt:
        """Store what arrived and return its receipt once everything it acknowledges is durable.

        The same entries give the same stored set, however they are cut into batches, repeated and
        ordered; only which of two conflicting entries counts as held, and the day of an entry that
        knows no time of its own, depends on what came first.

        :raises StoreError: if the store failed; the gate sends the batch again.
        :raises TooManyJournalsError: if the device has begun too many journals.
        """
        key, entries = arrival.key, arrival.entries
        if not entries:
            return Receipt(await self._store.watermark(key))
        records, remarks = await self._judged(key, entries, now)
        remarked = partial(_flags, arrival, remarks)
        added = await self._commits.add(Offer(key, records, _ahead(arrival, now), remarked))
        if added.refused:
            raise TooManyJournalsError("this device has begun more journals than any gate does")
        return Receipt(
            added.watermark,
            fresh=added.fresh,
            repeated=len(entries) - added.fresh - len(added.differing),
            conflicting=len(added.differing),
            flags=remarked(added),
        )

    async def _judged(
        self, key: JournalKey, entries: Sequence[Entry], now: Instant
    ) -> tuple[list[EntryRecord], list[Flag]]:
        opened = await self._sessions.before(self._store, key, entries[0].sequence)
        read, flags = list[Columns](), list[Flag]()
        days = list[int | None]()
        for entry in entries:
            columns = _NOTHING
            try:
                if entry.packed:  # nothing is said of a place that the gate cannot read any more
                    columns = columns_of(entry.packed, opened)
            except WireError as error:
                flags.append(_flag(entry, FlagKind.UNDECODABLE, str(error)))
            if columns.session is not None:
                opened = self._sessions.begin(key, columns.session)
            elif columns.unopened:
                flags.append(_flag(entry, FlagKind.SEAL_UNOPENED, columns.unopened))
            read.append(columns)
            days.append(_own_day(columns, now))
        self._sessions.remember(key, entries[-1].sequence, opened)
        placed = filled(days, day_of(now.wall_ns))
        records = [
            EntryRecord(
                entry.sequence,
                entry.chain_hash,
                entry.packed,
                columns.decoded,
                now.wall_ns,
                day,
                columns.session is not None,
            )
            for entry, columns, day in zip(entries, read, placed, strict=True)
        ]
        return records, flags


def arrival_of(batch: SignedBatch) -> Arrival:
    """Return what a signed batch brings.

    :raises WireError: if a chain hash neither follows nor is stated.
    """
    stated = {sequence for sequence, _ in batch.stated}
    return Arrival(
        JournalKey(batch.device, batch.journal), entries_of(batch), stated, batch.sent_ns
    )


def _flags(arrival: Arrival, remarks: Sequence[Flag], added: Added) -> tuple[Flag, ...]:
    """Return what there is to remark on a batch, given what became of it."""
    return (
        *(flag for flag in remarks if flag.sequence not in added.differing),
        *(Flag(sequence, FlagKind.CONFLICT) for sequence in added.differing),
        *_broken(arrival, added),
    )


def _broken(arrival: Arrival, added: Added) -> Iterable[Flag]:
    """Yield a flag for each held entry whose chain hash does not follow from the one before.

    A link is judged when both of its ends are held, so whoever arrives second brings it to light.
    Chain hashes that were computed when the batch was read follow.
    """
    first, last = arrival.entries[0].sequence, arrival.entries[-1].sequence
    held: Mapping[int, Held] = added.around
    places = sorted({first, last + 1, *arrival.stated, *_behind(added.differing)})
    wanted = {sequence + step for sequence in places for step in (-1, 0)}
    here = {
        entry.sequence: Held(entry.chain_hash, entry.packed)
        for entry in arrival.entries
        if entry.sequence in wanted
    }
    return broken_links(arrival.key.journal, here | dict(added.differing) | dict(held), places)


def broken_links(journal: bytes, held: Mapping[int, Held], places: Iterable[int]) -> Iterable[Flag]:
    """Yield a flag for each of these places that is held and does not follow from the one before.

    Nothing is said of a place that could not be read, nor of what follows on one.
    """
    for sequence in places:
        entry, before = held.get(sequence), held.get(sequence - 1)
        if entry is None or not entry.packed:
            continue
        if sequence == 1:
            previous = genesis(journal)
        elif before is not None and before.packed:
            previous = before.chain_hash
        else:
            continue
        if chained(previous, sequence, entry.packed) != entry.chain_hash:
            yield Flag(sequence, FlagKind.CHAIN_BROKEN)


def _behind(sequences: Iterable[int]) -> Iterable[int]:
    """Yield places that a differing entry touches: its own, and the one that hangs on it."""
    for sequence in sequences:
        yield sequence
        yield sequence + 1


def _ahead(arrival: Arrival, now: Instant) -> int | None:
    """Return by how much the gate's clock is ahead, as far as a column holds it."""
    if arrival.sent_ns is None:
        return None
    return max(-MAX_INTEGER, min(arrival.sent_ns - now.wall_ns, MAX_INTEGER))


def _own_day(columns: Columns, now: Instant) -> int | None:
    if columns.decoded is None:
        return None
    return own_day(columns.decoded.wall_ns, columns.trust, now.wall_ns)


def _flag(entry: Entry, kind: FlagKind, detail: str) -> Flag:
    return Flag(entry.sequence, kind, detail[:MAX_DETAIL_LENGTH].replace("\x00", "�"))
