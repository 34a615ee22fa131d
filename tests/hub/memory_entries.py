"""The entries of the store port in plain dictionaries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from hub.store.entries import (
    Added,
    EntryCount,
    EntryRecord,
    Flag,
    FlagKind,
    Held,
    JournalKey,
    Offer,
    Watermark,
)
from hub.store.marks import MarkedEntry, MarkKind


class MemoryEntries:
    def __init__(self) -> None:
        self.entries: dict[JournalKey, dict[int, EntryRecord]] = defaultdict(dict)
        self.conflicts: dict[JournalKey, set[tuple[int, bytes, bytes]]] = defaultdict(set)
        self._watermarks: dict[JournalKey, Watermark] = {}
        self._sessions: dict[JournalKey, dict[int, bytes]] = defaultdict(dict)
        self._flags: dict[JournalKey, dict[tuple[int, FlagKind], Flag]] = defaultdict(dict)

    async def add_entries(self, offers: Sequence[Offer]) -> Sequence[Added]:
        return [await self._add(offer.key, offer.records) for offer in offers]

    async def _add(self, key: JournalKey, records: Sequence[EntryRecord]) -> Added:
        entries, fresh, differing = self.entries[key], 0, {}
        mark = await self.watermark(key)
        for record in records:
            if record.sequence not in entries and record.sequence <= mark.through:
                continue
            held = entries.setdefault(record.sequence, record)
            if held is record:
                fresh += 1
                if record.session:
                    self._sessions[key][record.sequence] = record.packed
            elif (held.chain_hash, held.packed) != (record.chain_hash, record.packed):
                differing[record.sequence] = Held(held.chain_hash, held.packed)
                self.conflicts[key].add((record.sequence, record.chain_hash, record.packed))
        through = mark.through
        while through + 1 in entries:
            through += 1
            mark = Watermark(through, entries[through].chain_hash)
        self._watermarks[key] = mark
        beside = (records[0].sequence - 1, records[-1].sequence + 1)
        return Added(fresh, differing, mark, await self.held(key, beside))

    async def watermark(self, key: JournalKey) -> Watermark:
        return self._watermarks.get(key, Watermark())

    async def session_before(self, key: JournalKey, sequence: int) -> tuple[int, bytes] | None:
        earlier = [place for place in self._sessions[key] if place < sequence]
        return (max(earlier), self._sessions[key][max(earlier)]) if earlier else None

    async def marked(
        self, kind: MarkKind, *, since_ns: int = 0, site: str | None = None, limit: int
    ) -> Sequence[MarkedEntry]:
        found = [
            MarkedEntry(key.device, key.journal, record.sequence, record.packed, record.received_ns)
            for key, records in self.entries.items()
            for record in records.values()
            if record.decoded is not None
            and kind in record.decoded.marks
            and record.received_ns >= since_ns
            and site in {None, record.decoded.site}
        ]
        found.sort(key=lambda one: (-one.received_ns, -one.sequence, one.device, one.journal))
        return found[:limit]

    async def held(self, key: JournalKey, sequences: Collection[int]) -> Mapping[int, Held]:
        entries = self.entries[key]
        return {
            s: Held(entries[s].chain_hash, entries[s].packed) for s in sequences if s in entries
        }

    async def raise_flags(self, key: JournalKey, flags: Iterable[Flag]) -> None:
        for flag in flags:
            self._flags[key].setdefault((flag.sequence, flag.kind), flag)

    async def flags(self, key: JournalKey) -> Sequence[Flag]:
        return sorted(self._flags[key].values())

    async def count(self, device: str) -> EntryCount:
        mine = [key for key in self.entries if key.device == device]
        packed = [record.packed for key in mine for record in self.entries[key].values()]
        return EntryCount(
            entries=len(packed),
            distinct=len(set(packed)),
            conflicts=sum(len(self.conflicts[key]) for key in mine),
            flags=sum(len(self._flags[key]) for key in mine),
        )
