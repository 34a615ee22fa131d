"""Comparing what the hub holds of a journal with a folder from the gate: which of them is altered.

Both have the chain. Where they differ, the side whose chain breaks there was altered; where both
hold, one of them was written anew as a whole, and what the hub signed and published in time says
which.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence

import msgspec

from admission.passage import chained, genesis
from hub.journals.finding import Finding, FindingKind, Findings
from hub.journals.folder import FolderJournal, Gap, Place
from hub.journals.held import MAX_CONFLICTS
from hub.journals.lists import Listed
from hub.store.examined import ExaminedStore, HeldEntry, HeldSpan, JournalStanding

CHUNK = 1_000


class Comparison(msgspec.Struct):
    """What was found of one journal.

    :ivar same: entries that are the same on both sides.
    :ivar pruned: entries that the hub has and the gate pruned; `unreadable` that it cannot read.
    :ivar unsent: entries of the folder beyond the hub's high-water mark.
    :ivar dropped: entries of the folder whose days the hub has dropped.
    """

    standing: JournalStanding
    folder: FolderJournal
    same: int = 0
    pruned: int = 0
    unreadable: int = 0
    unsent: int = 0
    dropped: int = 0
    findings: Sequence[Finding] = ()
    untold: int = 0


class _Chain:
    """Follows one side's chain: whether each entry follows from the one before it there."""

    def __init__(self, journal: bytes) -> None:
        self._at = 0
        self._chain_hash: bytes | None = genesis(journal)

    def follows(self, sequence: int, chain_hash: bytes, packed: bytes) -> bool | None:
        """Return whether this entry follows; None if the one before is not there."""
        before = self._chain_hash if sequence == self._at + 1 else None
        self._at, self._chain_hash = sequence, chain_hash if packed else None
        if before is None or not packed:
            return None
        return chained(before, sequence, packed) == chain_hash


async def compare(
    store: ExaminedStore,
    standing: JournalStanding,
    folder: FolderJournal,
    listed: Mapping[int, Collection[Listed]],
    *,
    device_key: bytes = b"",
    progress: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Return how a folder's journal and what the hub holds of it differ.

    :param listed: what published lists say, by sequence.
    :param device_key: the raw key that the gate's device is registered with: what it signed in the
        folder is believed.
    :raises StoreError: if the store cannot be read.
    :raises DataFolderError: if the folder cannot.
    """
    anchor = folder.anchor if folder.anchor and folder.anchor.device == device_key else None
    signed = {sequence: list(some) for sequence, some in listed.items()}
    if anchor is not None:
        signed.setdefault(anchor.head, []).append(Listed("the gate's anchor", anchor.head_hash))
    conflicts = await store.conflicts(standing.key, 0, limit=MAX_CONFLICTS)
    offered = {(one.sequence, one.chain_hash, one.packed) for one in conflicts}
    told = _Comparing(standing, folder, signed, offered, anchor.pruned.through if anchor else 0)
    places = _Ahead(folder.places())
    noted = _Noted(store, standing)
    async for held in _held(store, standing):
        while (place := places.before(held.sequence)) is not None:
            await told.only_there(place, noted)
        there = places.at(held.sequence)
        if isinstance(there, Place):
            told.both(held, there)
        else:
            told.only_here(held, there)
        if held.sequence % CHUNK == 0:
            progress(held.sequence)
    while (place := places.rest()) is not None:
        await told.only_there(place, noted)
    told.result.findings, told.result.untold = told.findings.runs, told.findings.untold
    return told.result


class _Comparing:
    def __init__(
        self,
        standing: JournalStanding,
        folder: FolderJournal,
        listed: Mapping[int, Collection[Listed]],
        offered: Collection[tuple[int, bytes, bytes]],
        pruned_through: int,
    ) -> None:
        self.result = Comparison(standing, folder)
        self.findings = Findings()
        self._here = _Chain(standing.key.journal)
        self._there = _Chain(standing.key.journal)
        self._listed = listed
        self._offered = offered
        self._pruned_through = pruned_through
        self._said = ""

    def both(self, held: HeldEntry, there: Place) -> None:
        here_follows = self._here.follows(held.sequence, held.chain_hash, held.packed)
        there_follows = self._there.follows(there.sequence, there.chain_hash, there.packed)
        if (held.chain_hash, held.packed) == (there.chain_hash, there.packed):
            self.result.same += 1
            self._said = ""
            return
        if not held.packed:
            said = "the gate could not read it when it was sent"
        elif here_follows is False and there_follows is not False:
            said = "the hub's chain breaks here: the hub's copy was altered"
        elif there_follows is False and here_follows is not False:
            said = "the folder's chain breaks here: the folder was altered"
        elif here_follows is False:
            said = "both chains break here"
        else:
            # The first that differs begins it; what hangs on it differs, too.
            said = self._said or "both chains hold: one was written anew from here on"
        for one in self._listed.get(held.sequence, ()):
            if one.chain_hash == held.chain_hash:
                said = f"{one.by} has the hub's: the folder was written anew"
            elif one.chain_hash == there.chain_hash:
                said = f"{one.by} has the folder's: the hub's copy was written anew"
        self._said = said if "written anew" in said else ""
        if (there.sequence, there.chain_hash, there.packed) in self._offered:
            said += "; the hub was offered the folder's later, and kept it as a conflict"
        self.findings.add(FindingKind.DIFFERENT, held.sequence, detail=said)

    def only_here(self, held: HeldEntry, gap: Gap | None) -> None:
        self._here.follows(held.sequence, held.chain_hash, held.packed)
        if not held.packed:
            return
        if gap is None and held.sequence <= self._pruned_through:
            self.result.pruned += 1
        elif gap is None:
            before = held.sequence < self.result.folder.first
            said = "before the folder's first file" if before else ""
            self.findings.add(FindingKind.NOT_IN_FOLDER, held.sequence, detail=said)
        elif gap.pruned:
            self.result.pruned += 1
        else:
            self.result.unreadable += 1
            said = "not to be read there: damaged, or altered"
            self.findings.add(FindingKind.NOT_IN_FOLDER, held.sequence, detail=said)

    async def only_there(self, place: Place | Gap, noted: _Noted) -> None:
        if isinstance(place, Gap):
            return
        if place.misplaced:
            self.findings.add(FindingKind.INSERTED_IN_FOLDER, place.sequence)
            return
        self._there.follows(place.sequence, place.chain_hash, place.packed)
        if place.sequence > self.result.standing.through:
            self.result.unsent += 1
        elif await noted.holds(place.sequence):
            self.findings.add(FindingKind.NOT_AT_HUB, place.sequence)
        else:
            self.result.dropped += 1


class _Ahead:
    """The folder's places with one that was read ahead."""

    def __init__(self, places: Iterator[Place | Gap]) -> None:
        self._places = places
        self._next = next(places, None)

    def before(self, sequence: int) -> Place | Gap | None:
        """Return the next place that ends before a sequence, and go on; None if there is none."""
        one = self._next
        misplaced = isinstance(one, Place) and one.misplaced
        if one is None or (_last(one) >= sequence and not misplaced):
            return None
        self._next = next(self._places, None)
        return one

    def at(self, sequence: int) -> Place | Gap | None:
        """Return the place that holds a sequence, and go on behind an entry."""
        one = self._next
        if isinstance(one, Gap):
            return one if one.first <= sequence <= one.last else None
        if one is None or one.sequence != sequence:
            return None
        self._next = next(self._places, None)
        return one

    def rest(self) -> Place | Gap | None:
        """Return the next place, whichever it is."""
        one, self._next = self._next, next(self._places, None)
        return one


class _Noted:
    """Whether the hub notes a sequence as held; asked in ascending order."""

    def __init__(self, store: ExaminedStore, standing: JournalStanding) -> None:
        self._store = store
        self._key = standing.key
        self._spans: Sequence[HeldSpan] = ()
        self._through = -1

    async def holds(self, sequence: int) -> bool:
        """Return whether a span covers it."""
        if sequence > self._through:
            self._spans = await self._store.spans(self._key, sequence - 1, limit=CHUNK)
            more = len(self._spans) == CHUNK
            self._through = self._spans[-1].last if more else (1 << 63)
        return any(span.first <= sequence <= span.last for span in self._spans)


async def _held(store: ExaminedStore, standing: JournalStanding) -> AsyncIterator[HeldEntry]:
    after = 0
    while True:
        held = await store.entries(standing.key, after, limit=CHUNK)
        for entry in held:
            yield entry
        if not held:
            return
        after = held[-1].sequence


def _last(place: Place | Gap) -> int:
    return place.last if isinstance(place, Gap) else place.sequence
