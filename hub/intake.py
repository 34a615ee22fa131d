"""What the hub makes of a batch: keep, compare, remark, acknowledge.

What happened is always stored. The hub flags what a person should look at; it never rejects, and
one bad entry never blocks the ones behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from admission.errors import WireError
from admission.instant import Instant
from admission.passage import Event, Passage, chained, genesis
from admission.wire import BATCH_VERSION, Acknowledgement, Batch, Entry, unpack_passage
from hub.store.marks import MarkKind
from hub.store.port import (
    MAX_INTEGER,
    Decoded,
    EntryRecord,
    EntryStore,
    Flag,
    FlagKind,
    Held,
    JournalKey,
)

MAX_DETAIL_LENGTH = 200
"""Characters of a flag's detail: it may quote hostile bytes."""


_ACTS = {Event.OVERRIDE: MarkKind.OVERRIDE, Event.CORRECTION: MarkKind.CORRECTION}


class Receipt(msgspec.Struct, frozen=True):
    """What became of one batch. The counts of entries add up to the batch's length."""

    acknowledgement: Acknowledgement
    fresh: int
    repeated: int
    conflicting: int
    flags: tuple[Flag, ...]
    """Every remark that this batch gave rise to, also those that were raised before."""


async def receive(store: EntryStore, batch: Batch, now: Instant) -> Receipt:
    """Store a batch and return its receipt once everything that it acknowledges is durable.

    The same entries give the same stored set, however they are cut into batches, repeated and
    ordered; only which of two conflicting entries counts as held depends on which came first.

    :param batch: its shape already checked by `admission.wire.unpack_batch`.
    :raises StoreError: if the store failed; the gate sends the batch again.
    """
    key = JournalKey(batch.device, batch.journal)
    judged = [_judge(entry, now) for entry in batch.entries]
    added = await store.add_entries(key, [record for record, _ in judged])
    first, last = batch.entries[0].sequence, batch.entries[-1].sequence
    beside = [sequence for sequence in (first - 1, last + 1) if sequence <= MAX_INTEGER]
    around = await store.held(key, beside)
    held = {entry.sequence: Held(entry.chain_hash, entry.packed) for entry in batch.entries}
    flags = (
        *(flag for _, flag in judged if flag and flag.sequence not in added.differing),
        *(Flag(sequence, FlagKind.CONFLICT) for sequence in added.differing),
        *broken_links(batch.journal, held | dict(added.differing) | dict(around)),
    )
    # Only now, and before the acknowledgement: a crash in between makes the gate send again, and
    # everything above gives the same result a second time.
    if flags:
        await store.raise_flags(key, flags)
    return Receipt(
        acknowledgement=Acknowledgement(BATCH_VERSION, batch.journal, added.through),
        fresh=added.fresh,
        repeated=len(batch.entries) - added.fresh - len(added.differing),
        conflicting=len(added.differing),
        flags=flags,
    )


def broken_links(journal: bytes, held: Mapping[int, Held]) -> Iterable[Flag]:
    """Yield a flag for each held entry whose chain hash does not follow from the one before.

    A link is judged when both of its ends are held, so whoever arrives second brings it to light.
    """
    for sequence, entry in held.items():
        if sequence == 1:
            previous = genesis(journal)
        elif (before := held.get(sequence - 1)) is not None:
            previous = before.chain_hash
        else:
            continue
        if chained(previous, sequence, entry.packed) != entry.chain_hash:
            yield Flag(sequence, FlagKind.CHAIN_BROKEN)


def _judge(entry: Entry, now: Instant) -> tuple[EntryRecord, Flag | None]:
    decoded: Decoded | None = None
    flag: Flag | None = None
    try:
        decoded = _columns(entry.packed)
    except WireError as error:
        detail = str(error)[:MAX_DETAIL_LENGTH].replace("\x00", "�")
        flag = Flag(entry.sequence, FlagKind.UNDECODABLE, detail)
    record = EntryRecord(entry.sequence, entry.chain_hash, entry.packed, decoded, now.wall_ns)
    return record, flag


def _columns(packed: bytes) -> Decoded:
    """Return the searchable columns, refusing values that no engine's columns hold."""
    entry = unpack_passage(packed)
    if "\x00" in entry.site:
        raise WireError("a site's name holds a NUL character")
    if not -MAX_INTEGER <= entry.wall_ns <= MAX_INTEGER:
        raise WireError("the wall time is out of range")
    if entry.person is not None and not 0 <= entry.person < 1 << 64:
        raise WireError("the person's key is out of range")
    return Decoded(
        entry.site, entry.wall_ns, entry.person, entry.outcome.value, tuple(_marks(entry))
    )


def _marks(entry: Passage) -> Iterable[MarkKind]:
    """Yield what a person at the hub should see the entry as."""
    if entry.alerts:
        yield MarkKind.ALERT
    if entry.event in _ACTS:
        yield _ACTS[entry.event]
