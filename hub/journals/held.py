"""Verification of what the hub holds of one journal: every hash, every place, every list."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import msgspec

from admission.errors import WireError
from admission.passage import chained, genesis
from admission.sealing import OpenedSession
from hub.columns import Columns, columns_of
from hub.journals.finding import Finding, FindingKind, Findings
from hub.journals.lists import Listed
from hub.seal_sessions import NoSealKeys, SealKeys
from hub.store.entries import Decoded, FlagKind
from hub.store.examined import Conflict, ExaminedStore, HeldEntry, HeldSpan, JournalStanding

CHUNK = 1_000
MAX_CONFLICTS = 1_000
"""Conflicts that are told one by one."""


class HeldReport(msgspec.Struct, frozen=True):
    """What was found of one journal.

    :ivar entries: how many are held, places that the gate could not read (`missing`) among them.
    :ivar dropped: how many lay in days whose retention is over.
    :ivar conflicts: what other bytes were offered for entries that were held, the first ones.
    :ivar unread: entries whose columns this hub could not fill when they came in.
    :ivar listed: at how many places a published list agrees.
    :ivar by_day: how many of the entries were found in which day.
    """

    standing: JournalStanding
    entries: int
    missing: int
    dropped: int
    conflicts: Sequence[Conflict]
    unread: int
    listed: int
    by_day: Mapping[int, int]
    findings: Sequence[Finding]
    untold: int


class HeldWalk:
    """The walk over one journal, portion by portion. Pure.

    :param listed: what published lists say, by sequence.
    """

    def __init__(
        self,
        standing: JournalStanding,
        listed: Mapping[int, Collection[Listed]],
        seal_keys: SealKeys | None = None,
    ) -> None:
        self.findings = Findings()
        self.entries = self.missing = self.covered = self.unread = self.agreed = 0
        self.by_day: Counter[int] = Counter()
        self._standing = standing
        self._listed = listed
        self._keys = seal_keys or NoSealKeys()
        self._opened: OpenedSession | None = None
        self._last = self._at = 0
        self._chain_hash: bytes | None = genesis(standing.key.journal)
        self._through_hash: bytes | None = None

    def take(
        self,
        held: Sequence[HeldEntry],
        spans: Sequence[HeldSpan],
        until: int,
        raised: Collection[tuple[int, FlagKind]],
    ) -> None:
        """Take the entries and spans of the next portion.

        :param until: the portion's last sequence; of spans that reach further the rest comes again.
        :param raised: what was remarked when they came in.
        """
        after = self._last
        places = [entry.sequence for entry in held]
        noted = []
        for span in spans:
            first, last = max(span.first, after + 1), min(span.last, until)
            if first <= last:
                noted.append((first, last))
                self.covered += last - first + 1
                self.by_day[span.day] += bisect_right(places, last) - bisect_left(places, first)
        for first, last in _without(noted, [(place, place) for place in places]):
            self.findings.add(FindingKind.DELETED, first, last)
        for first, last in _without([(place, place) for place in places], noted):
            self.findings.add(FindingKind.INSERTED, first, last)
        for entry in held:
            self._entry(entry, raised)
        self._last = until

    def end(self) -> None:
        """Hold the whole against the high-water mark."""
        standing = self._standing
        for through in sorted(self._listed):
            if through > standing.through:
                by = min(one.by for one in self._listed[through])
                detail = f"{by} reaches further"
                self.findings.add(FindingKind.LIST, standing.through + 1, through, detail)
        if standing.through == 0 or self._through_hash is None:
            return  # its day was dropped, or it is missing and was said so
        if self._through_hash != standing.chain_hash:
            self.findings.add(FindingKind.MARK, standing.through)

    @property
    def dropped(self) -> int:
        """How many entries are held no more because their days were dropped."""
        return max(0, self._standing.through - self.covered)

    def _entry(self, entry: HeldEntry, raised: Collection[tuple[int, FlagKind]]) -> None:
        sequence = entry.sequence
        self.entries += 1
        previous = self._chain_hash if sequence == self._at + 1 else None
        if entry.packed:
            follows = previous is None or (
                chained(previous, sequence, entry.packed) == entry.chain_hash
            )
            if not follows:
                known = (sequence, FlagKind.CHAIN_BROKEN) in raised
                self.findings.add(
                    FindingKind.BROKEN_ON_ARRIVAL if known else FindingKind.ALTERED, sequence
                )
            self._columns(entry, set_aside=(sequence, FlagKind.UNDECODABLE) in raised)
        else:
            self.missing += 1
        if sequence == self._standing.through:
            self._through_hash = entry.chain_hash
        for one in self._listed.get(sequence, ()):
            if one.chain_hash == entry.chain_hash:
                self.agreed += 1
            else:
                self.findings.add(FindingKind.LIST, sequence, detail=one.by)
        self._chain_hash = entry.chain_hash if entry.packed else None
        self._at = sequence

    def _columns(self, entry: HeldEntry, *, set_aside: bool) -> None:
        columns = self._read(entry.packed)
        if columns is None or columns.decoded is None:
            return
        if entry.decoded is None and set_aside:
            self.unread += 1
        elif entry.decoded is None or not _agree(columns, entry.decoded):
            self.findings.add(FindingKind.COLUMNS, entry.sequence)

    def _read(self, packed: bytes) -> Columns | None:
        try:
            columns = columns_of(packed, self._opened)
        except WireError:
            return None
        if columns.session is not None:
            self._opened = self._keys.session(columns.session, self._standing.key.journal)
        return columns


async def verify_held(
    store: ExaminedStore,
    standing: JournalStanding,
    listed: Mapping[int, Collection[Listed]],
    *,
    seal_keys: SealKeys | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> HeldReport:
    """Return the report on one journal. What comes in meanwhile may or may not be looked at.

    :param seal_keys: what opens seals: then whom an entry is found by is compared, too.
    :param progress: is told the sequence that was reached.
    :raises StoreError: if the store cannot be read.
    """
    key, walk, after = standing.key, HeldWalk(standing, listed, seal_keys), 0
    while True:
        held = await store.entries(key, after, limit=CHUNK)
        spans = await store.spans(key, after, limit=CHUNK)
        if not held and not spans:
            break
        until = _portion(held, spans)
        held = [entry for entry in held if entry.sequence <= until]
        flags = await store.flags_at(key, [entry.sequence for entry in held])
        walk.take(held, spans, until, {(flag.sequence, flag.kind) for flag in flags})
        after = until
        progress(after)
    walk.end()
    conflicts = await store.conflicts(key, 0, limit=MAX_CONFLICTS)
    return HeldReport(
        standing,
        walk.entries,
        walk.missing,
        walk.dropped,
        conflicts,
        walk.unread,
        walk.agreed,
        walk.by_day,
        walk.findings.runs,
        walk.findings.untold,
    )


def _portion(held: Sequence[HeldEntry], spans: Sequence[HeldSpan]) -> int:
    """Return through which sequence both answers are complete."""
    ends = []
    if len(held) == CHUNK:
        ends.append(held[-1].sequence)
    if len(spans) == CHUNK:
        ends.append(spans[-1].last)
    if ends:
        return min(ends)
    return max([*(entry.sequence for entry in held[-1:]), *(span.last for span in spans[-1:])])


def _agree(columns: Columns, kept: Decoded) -> bool:
    read = columns.decoded
    if read is None or (read.site, read.wall_ns, read.outcome) != (
        kept.site,
        kept.wall_ns,
        kept.outcome,
    ):
        return False
    # A seal that is not opened here says nothing of the person that was found when it was.
    return bool(columns.unopened) or read.person == kept.person


_Runs = list[tuple[int, int]]


def _without(runs: _Runs, others: _Runs) -> Iterator[tuple[int, int]]:
    """Yield what of some runs no other covers. Both ascend, each without overlap."""
    place = 0
    for first, last in runs:
        while place < len(others) and others[place][1] < first:
            place += 1
        at, looked = first, place
        while looked < len(others) and others[looked][0] <= last:
            if others[looked][0] > at:
                yield at, others[looked][0] - 1
            at = max(at, others[looked][1] + 1)
            looked += 1
        if at <= last:
            yield at, last
