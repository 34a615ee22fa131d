"""The entries of the store port in plain dictionaries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from hub.store.entries import (
    MAX_JOURNALS_OF_A_DEVICE,
    Added,
    Day,
    Decoded,
    EntryCount,
    EntryRecord,
    Flag,
    FlagKind,
    Held,
    JournalKey,
    Offer,
    Watermark,
)
from hub.store.examined import (
    Conflict,
    HeldEntry,
    HeldSpan,
    JournalStanding,
    PlacedEntry,
    RaisedFlag,
)
from hub.store.marks import MarkedEntry, MarkKind


class MemoryEntries:
    def __init__(self) -> None:
        self.entries_of: dict[JournalKey, dict[int, EntryRecord]] = defaultdict(dict)
        self.conflicting: dict[JournalKey, dict[tuple[int, bytes, bytes], Conflict]] = defaultdict(
            dict
        )
        self._standings: dict[JournalKey, JournalStanding] = {}
        self._sessions: dict[JournalKey, dict[int, bytes]] = defaultdict(dict)
        self._flags: dict[JournalKey, dict[tuple[int, FlagKind], tuple[Flag, int]]] = defaultdict(
            dict
        )

    async def add_entries(self, offers: Sequence[Offer]) -> Sequence[Added]:
        return [await self._add(offer) for offer in offers]

    async def _add(self, offer: Offer) -> Added:
        key, records = offer.key, offer.records
        begun = [other for other in self._standings if other.device == key.device]
        if key not in begun and len(begun) >= MAX_JOURNALS_OF_A_DEVICE:
            return Added(0, {}, Watermark(), {}, refused=True)
        entries, fresh, differing = self.entries_of[key], 0, {}
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
                other = (record.sequence, record.chain_hash, record.packed)
                self.conflicting[key].setdefault(other, Conflict(*other, record.received_ns))
        through = mark.through
        while through + 1 in entries:
            through += 1
            mark = Watermark(through, entries[through].chain_hash)
        self._stand(offer, mark)
        beside = (records[0].sequence - 1, records[-1].sequence + 1)
        added = Added(fresh, differing, mark, await self.held(key, beside))
        await self.raise_flags(key, offer.remarks(added), records[-1].received_ns)
        return added

    def _stand(self, offer: Offer, mark: Watermark) -> None:
        received_ns = offer.records[-1].received_ns
        known = self._standings.get(
            offer.key, JournalStanding(offer.key, 0, b"", received_ns, received_ns, None)
        )
        off = known.clock_off_ns if offer.clock_off_ns is None else offer.clock_off_ns
        self._standings[offer.key] = JournalStanding(
            offer.key,
            mark.through,
            mark.chain_hash,
            known.first_received_ns,
            max(known.received_ns, received_ns),
            off,
        )

    async def watermark(self, key: JournalKey) -> Watermark:
        known = self._standings.get(key)
        return Watermark(known.through, known.chain_hash) if known else Watermark()

    async def session_before(self, key: JournalKey, sequence: int) -> tuple[int, bytes] | None:
        earlier = [place for place in self._sessions[key] if place < sequence]
        return (max(earlier), self._sessions[key][max(earlier)]) if earlier else None

    async def marked(
        self, kind: MarkKind, *, since_ns: int = 0, site: str | None = None, limit: int
    ) -> Sequence[MarkedEntry]:
        found = [
            MarkedEntry(key.device, key.journal, record.sequence, record.packed, record.received_ns)
            for key, record, decoded in self._decoded()
            if kind in decoded.marks
            and record.received_ns >= since_ns
            and site in {None, decoded.site}
        ]
        found.sort(key=lambda one: (-one.received_ns, -one.sequence, one.device, one.journal))
        return found[:limit]

    async def held(self, key: JournalKey, sequences: Collection[int]) -> Mapping[int, Held]:
        entries = self.entries_of[key]
        return {
            s: Held(entries[s].chain_hash, entries[s].packed) for s in sequences if s in entries
        }

    async def raise_flags(self, key: JournalKey, flags: Iterable[Flag], raised_ns: int) -> None:
        for flag in flags:
            self._flags[key].setdefault((flag.sequence, flag.kind), (flag, raised_ns))

    async def lower_flags(self, key: JournalKey, flags: Collection[tuple[int, FlagKind]]) -> None:
        for at in flags:
            self._flags[key].pop(at, None)

    async def flags(self, key: JournalKey) -> Sequence[Flag]:
        return sorted(flag for flag, _ in self._flags[key].values())

    async def flags_at(self, key: JournalKey, sequences: Collection[int]) -> Sequence[Flag]:
        return [flag for flag in await self.flags(key) if flag.sequence in sequences]

    async def all_flags(
        self,
        *,
        kind: FlagKind | None = None,
        device: str | None = None,
        since_ns: int = 0,
        limit: int,
    ) -> Sequence[RaisedFlag]:
        found = [
            RaisedFlag(key, flag, raised_ns)
            for key, flags in self._flags.items()
            for flag, raised_ns in flags.values()
            if kind in {None, flag.kind} and device in {None, key.device} and raised_ns >= since_ns
        ]
        found.sort(key=lambda one: (-one.raised_ns, one.key.device, one.key.journal, one.flag))
        return found[:limit]

    async def flag_counts(self) -> Mapping[FlagKind, int]:
        return Counter(kind for flags in self._flags.values() for _, kind in flags)

    async def conflicts(self, key: JournalKey, after: int, *, limit: int) -> Sequence[Conflict]:
        found = sorted(self.conflicting[key].items())
        return [one for (sequence, *_), one in found if sequence > after][:limit]

    async def count(self, device: str) -> EntryCount:
        mine = [key for key in self.entries_of if key.device == device]
        packed = [record.packed for key in mine for record in self.entries_of[key].values()]
        return EntryCount(
            entries=len(packed),
            distinct=len(set(packed)),
            conflicts=sum(len(self.conflicting[key]) for key in mine),
            flags=sum(len(self._flags[key]) for key in mine),
        )

    async def journals(self, *, since_ns: int = 0) -> Sequence[JournalStanding]:
        found = sorted(self._standings.items(), key=lambda item: (item[0].device, item[0].journal))
        return [one for _, one in found if one.received_ns >= since_ns]

    async def entries(self, key: JournalKey, after: int, *, limit: int) -> Sequence[HeldEntry]:
        return [
            HeldEntry(s, one.chain_hash, one.packed, one.received_ns, _bare(one.decoded))
            for s, one in sorted(self.entries_of[key].items())
            if s > after
        ][:limit]

    async def spans(self, key: JournalKey, after: int, *, limit: int) -> Sequence[HeldSpan]:
        found: list[HeldSpan] = []
        for sequence, record in sorted(self.entries_of[key].items()):
            last = found[-1] if found else None
            if last and (last.last + 1, last.day) == (sequence, record.day):
                found[-1] = HeldSpan(last.first, sequence, record.day)
            else:
                found.append(HeldSpan(sequence, sequence, record.day))
        return [span for span in found if span.last > after][:limit]

    async def lying(self, day: int) -> Mapping[JournalKey, int]:
        counts = {
            key: sum(record.day == day for record in records.values())
            for key, records in self.entries_of.items()
        }
        return {key: count for key, count in counts.items() if count}

    async def passages_of(
        self, people: Collection[int], from_ns: int, until_ns: int, *, limit: int
    ) -> Sequence[PlacedEntry]:
        found = [
            PlacedEntry(key, record.sequence, record.packed, decoded.wall_ns, decoded.person)
            for key, record, decoded in self._decoded()
            if decoded.person is not None
            and decoded.person in people
            and from_ns <= decoded.wall_ns < until_ns
        ]
        found.sort(key=lambda one: (one.wall_ns, one.key.device, one.key.journal, one.sequence))
        return found[:limit]

    async def redecode(self, key: JournalKey, decoded: Sequence[tuple[int, Decoded]]) -> None:
        for sequence, columns in decoded:
            record = self.entries_of[key].get(sequence)
            if record is not None:
                changed = msgspec.structs.replace(record, decoded=columns)
                self.entries_of[key][sequence] = changed

    async def days(self) -> Sequence[Day]:
        found = Counter(r.day for records in self.entries_of.values() for r in records.values())
        return [Day(day, entries, 0) for day, entries in sorted(found.items())]

    async def drop_days(self, before: int) -> Sequence[Day]:
        gone = [day for day in await self.days() if day.day < before]
        for key, records in self.entries_of.items():
            for sequence in [s for s, record in records.items() if record.day < before]:
                del records[sequence]
                for at in [at for at in self._flags[key] if at[0] == sequence]:
                    del self._flags[key][at]
                for other in [other for other in self.conflicting[key] if other[0] == sequence]:
                    del self.conflicting[key][other]
        return gone

    def _decoded(self) -> list[tuple[JournalKey, EntryRecord, Decoded]]:
        return [
            (key, record, record.decoded)
            for key, records in self.entries_of.items()
            for record in records.values()
            if record.decoded is not None
        ]


def _bare(decoded: Decoded | None) -> Decoded | None:
    return None if decoded is None else msgspec.structs.replace(decoded, marks=())
