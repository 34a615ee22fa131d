"""The store as the examiner asks it, in plain dictionaries, and gates that write into it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from admission.errors import WireError
from admission.instant import ClockTrust
from admission.journal_record import (
    Followup,
    PassageRecord,
    pack_followup,
    pack_passage_record,
    pack_public,
    unpack_record,
)
from admission.passage import Passage, chained, genesis
from admission.site import Direction
from admission.verdict import Outcome
from hub.examination.notebook import Notebook, open_notebook
from hub.store.entries import Decoded, Flag, FlagKind, JournalKey
from hub.store.examined import (
    Conflict,
    HeldEntry,
    HeldSpan,
    JournalStanding,
    PlacedEntry,
    RaisedFlag,
)
from tests.hub.gates import a_passage

T0_MS = 1_632_099_600_000
NS = 1_000_000
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a thousand commits, none to be kept


@asynccontextmanager
async def a_notebook() -> AsyncIterator[Notebook]:
    """Open an examiner's file that nobody has written to."""
    with TemporaryDirectory(dir=_MEMORY) as folder:
        async with open_notebook(Path(folder) / "examination.db") as notebook:
            yield notebook


class ExaminedMemory:
    """Stands behind `hub.store.examined.ExaminedStore`."""

    def __init__(self) -> None:
        self.held: dict[JournalKey, dict[int, HeldEntry]] = defaultdict(dict)
        self.raised: dict[JournalKey, dict[tuple[int, FlagKind], Flag]] = defaultdict(dict)
        self.offered: dict[JournalKey, list[Conflict]] = defaultdict(list)
        self.raised_ns: dict[tuple[JournalKey, int, FlagKind], int] = {}
        self.noted: dict[JournalKey, list[HeldSpan]] = {}
        self.clock_off_ns: dict[JournalKey, int] = {}

    def take(self, key: JournalKey, entries: Iterable[HeldEntry]) -> None:
        self.held[key].update({entry.sequence: entry for entry in entries})

    def flagged(self) -> dict[tuple[str, int], set[FlagKind]]:
        found: dict[tuple[str, int], set[FlagKind]] = defaultdict(set)
        for key, flags in self.raised.items():
            for sequence, kind in flags:
                found[key.device, sequence].add(kind)
        return dict(found)

    async def journals(self, *, since_ns: int = 0) -> Sequence[JournalStanding]:
        standings = []
        for key, entries in sorted(self.held.items(), key=lambda item: item[0].device):
            through = 0
            while through + 1 in entries:
                through += 1
            received = [entry.received_ns for entry in entries.values()]
            chain_hash = entries[through].chain_hash if through else bytes(32)
            off = self.clock_off_ns.get(key)
            standings.append(
                JournalStanding(key, through, chain_hash, min(received), max(received), off)
            )
        return [one for one in standings if one.received_ns >= since_ns]

    async def entries(self, key: JournalKey, after: int, *, limit: int) -> Sequence[HeldEntry]:
        return [e for s, e in sorted(self.held[key].items()) if s > after][:limit]

    async def spans(self, key: JournalKey, after: int, *, limit: int) -> Sequence[HeldSpan]:
        spans = self.noted.get(key)
        if spans is None:
            spans = [HeldSpan(sequence, sequence, 18_890) for sequence in sorted(self.held[key])]
        return [span for span in spans if span.last > after][:limit]

    async def lying(self, day: int) -> Mapping[JournalKey, int]:
        return {key: len(held) for key, held in self.held.items() if day == 18_890 and held}

    async def passages_of(
        self, people: Collection[int], from_ns: int, until_ns: int, *, limit: int
    ) -> Sequence[PlacedEntry]:
        return [
            PlacedEntry(key, one.sequence, one.packed, one.decoded.wall_ns, one.decoded.person)
            for key, entries in self.held.items()
            for one in entries.values()
            if one.decoded is not None
            and one.decoded.person in people
            and one.decoded.person is not None
            and from_ns <= one.decoded.wall_ns < until_ns
        ][:limit]

    async def conflicts(self, key: JournalKey, after: int, *, limit: int) -> Sequence[Conflict]:
        return [one for one in self.offered[key] if one.sequence > after][:limit]

    async def raise_flags(self, key: JournalKey, flags: Iterable[Flag], raised_ns: int) -> None:
        for flag in flags:
            self.raised[key].setdefault((flag.sequence, flag.kind), flag)
            self.raised_ns.setdefault((key, flag.sequence, flag.kind), raised_ns)

    async def lower_flags(self, key: JournalKey, flags: Collection[tuple[int, FlagKind]]) -> None:
        for at in flags:
            self.raised[key].pop(at, None)

    async def flags_at(self, key: JournalKey, sequences: Collection[int]) -> Sequence[Flag]:
        return [flag for flag in self.raised[key].values() if flag.sequence in sequences]

    async def all_flags(
        self,
        *,
        kind: FlagKind | None = None,
        device: str | None = None,
        since_ns: int = 0,
        limit: int,
    ) -> Sequence[RaisedFlag]:
        return [
            RaisedFlag(key, flag, self.raised_ns[key, flag.sequence, flag.kind])
            for key, flags in self.raised.items()
            for flag in flags.values()
            if kind in {None, flag.kind}
            and device in {None, key.device}
            and self.raised_ns[key, flag.sequence, flag.kind] >= since_ns
        ][:limit]

    async def flag_counts(self) -> Mapping[FlagKind, int]:
        flags = [kind for flags in self.raised.values() for _, kind in flags]
        return {kind: flags.count(kind) for kind in set(flags)}

    async def redecode(self, key: JournalKey, decoded: Sequence[tuple[int, Decoded]]) -> None:
        for sequence, columns in decoded:
            entry = self.held[key][sequence]
            self.held[key][sequence] = msgspec.structs.replace(entry, decoded=columns)


class Gate:
    """One gate's journal, as the hub would hold it."""

    def __init__(self, device: str, site: str = "", journal: bytes = bytes(16)) -> None:
        self.key = JournalKey(device, journal)
        self.site = site or f"site-{device}"
        self.entries: list[HeldEntry] = []
        self._previous = genesis(journal)

    def admits(
        self,
        person: int | None,
        at_s: float,
        *,
        out: bool = False,
        outcome: Outcome = Outcome.ADMIT,
        release: int | None = 1,
        trust: ClockTrust = ClockTrust.SYNCHRONISED,
        **more: object,
    ) -> int:
        """Write a passage, and return its sequence."""
        wall_ms = T0_MS + int(at_s * 1000)
        fields: dict[str, object] = {
            "site": self.site,
            "person": person,
            "direction": Direction.OUT if out else Direction.IN,
            "outcome": outcome,
            "release": release,
            "wall_ns": wall_ms * NS,
            "monotonic_ns": int(at_s * 1000) * NS,
            "clock_trust": trust,
            **more,
        }
        passage: Passage = msgspec.structs.replace(a_passage(1), **fields)
        return self.writes(pack_passage_record(pack_public(passage), b""), person)

    def follows(self, followup: Followup) -> int:
        """Write what followed, and return its sequence."""
        return self.writes(pack_followup(followup))

    def writes(self, packed: bytes, person: int | None = None, received_ms: int = 0) -> int:
        sequence = len(self.entries) + 1
        self._previous = chained(self._previous, sequence, packed) if packed else bytes(32)
        received_ns = (received_ms or T0_MS + 3_600_000) * NS
        columns = decoded(packed, person)
        self.entries.append(HeldEntry(sequence, self._previous, packed, received_ns, columns))
        return sequence


def decoded(packed: bytes, person: int | None) -> Decoded | None:
    try:
        record = unpack_record(packed) if packed else None
    except WireError:
        return None
    if not isinstance(record, PassageRecord):
        return None
    seen = record.passage
    return Decoded(seen.site, seen.wall_ns, person, seen.outcome.value)
