"""Protects what is rebuilt: however the journal grew, and whenever it was interrupted or lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from admission.instant import ClockTrust, Instant
from admission.journal_record import Followup, FollowupKind, PassageRecord
from admission.passage import Event
from admission.site import Direction
from admission.verdict import Outcome, Reason
from cache.journal.local import tables
from cache.journal.local.counts import Counted
from cache.journal.local.database import LocalDatabase
from cache.journal.local.projector import Projector
from cache.journal.local.recall import recalled
from cache.journal.local.search import Criteria, search
from cache.journal.local.zone_records import ZoneRecord, of_zone, since_reset
from tests.cache.journal.entries import an_entry
from tests.cache.journal.local.history import (
    FOLDER,
    HOUR_NS,
    PLAN,
    History,
    a_followup,
    a_passage,
)

HARM = ("lose", "change counts", "change blocks", "change zone")
steps = st.one_of(
    st.tuples(
        st.just("write"),
        st.integers(1, 4),
        st.sampled_from([Outcome.ADMIT] * 4 + [Outcome.REFER, Outcome.REFUSE]),
        st.sampled_from(list(Direction)),
        st.sampled_from([None, 1, 2, 3, (1 << 64) - 1]),
        st.sampled_from(["lane-1"] * 3 + ["lane-2"]),
        st.sampled_from([Event.SCAN] * 6 + [Event.OVERRIDE, Event.COUNT, Event.ENQUIRY]),
        st.integers(0, 30),
    ),
    st.tuples(st.just("follow"), st.sampled_from(list(FollowupKind)), st.integers(0, 30)),
    st.tuples(st.just("hours"), st.sampled_from([1, 7, 25])),
    st.just(("project",)),
    st.tuples(st.sampled_from(["boot", "doubt", "restart", *HARM])),
)


Following = tuple[Projector, "asyncio.Task[None]"]


async def ended(following: Following) -> None:
    following[1].cancel()
    await asyncio.gather(following[1], return_exceptions=True)


class World:
    """One gate that is interrupted, and what it should know."""

    def __init__(self, folder: Path) -> None:
        self.history = History()
        self.path = folder / "journal.sqlite"
        self.wall_ns, self.boot = 0, 1
        self.trust = ClockTrust.SYNCHRONISED

    async def live(self, told: list[Any]) -> None:
        async with self.opened() as database:
            await self._live(told, database)

    async def _live(self, told: list[Any], database: LocalDatabase) -> None:
        following = self._following(database)
        for step, *values in told:
            self.wall_ns += 10**9
            match step:
                case "write":
                    for _ in range(values[0]):
                        self._write(values[1:])
                case "follow":
                    about = max(1, self.history.last_sequence - values[1])
                    self.history.write(a_followup(about, values[0]))
                case "hours":
                    self.wall_ns += values[0] * HOUR_NS
                case "boot":
                    self.boot += 1
                case "doubt":
                    trusts = {ClockTrust.SYNCHRONISED, ClockTrust.UNKNOWN}
                    (self.trust,) = trusts - {self.trust}
                case "project":
                    await self._caught_up(following)
                case "restart":
                    await ended(following)
                    following = self._following(database)
                case _:
                    await self._harm(step, database)
        await ended(following)
        following = self._following(database)
        await self._caught_up(following)
        await ended(following)

    def _following(self, database: LocalDatabase) -> Following:
        projector = self.history.projector(database)
        return projector, asyncio.create_task(projector.run())

    async def _caught_up(self, following: Following) -> None:
        while following[0].status().behind:  # noqa: ASYNC110 - threads take part
            await asyncio.sleep(0)

    def _write(self, values: list[Any]) -> None:
        outcome, direction, token, lane, event, about = values
        self.history.write(
            a_passage(
                token,
                wall_ns=self.wall_ns,
                boot=self.boot,
                lane=lane,
                outcome=outcome,
                direction=direction,
                event=event,
                trust=self.trust,
                about=max(1, self.history.last_sequence - about) if event == "override" else None,
                note="3 1" if event is Event.COUNT else "",
                reasons=(Reason.CARD_OPENS if outcome is Outcome.ADMIT else Reason.NO_CARD,),
            )
        )

    async def _harm(self, step: str, database: LocalDatabase) -> None:
        async with database.transaction() as raw:
            if step == "lose":
                await tables.clear(raw)
            elif step == "change counts":
                await raw.execute("UPDATE count SET entries = entries + 1")
            elif step == "change blocks":
                await raw.execute("UPDATE block SET outcomes = zeroblob(16)")
            else:
                await raw.execute("UPDATE zone_chunk SET packed = zeroblob(16)")

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[LocalDatabase]:
        database = await LocalDatabase.open(self.path)
        try:
            yield database
        finally:
            await database.close()

    def now(self) -> Instant:
        wall_ns = an_entry(0).wall_ns + self.wall_ns
        return Instant(wall_ns, self.wall_ns, f"boot-{self.boot}", self.trust)

    async def recalled(self) -> list[ZoneRecord]:
        async with self.opened() as database:
            return await recalled(
                FOLDER,
                database,
                PLAN,
                journal=self.history.journal_id,
                through=self.history.last_sequence,
                now=self.now(),
                medium=self.history.disk,
            )

    async def counts(self) -> Counter[Counted]:
        async with self.opened() as database, database.transaction() as raw:
            return await tables.load_counts(raw)


def expected_zone(world: World) -> list[ZoneRecord]:
    told = ((n, of_zone(one, "site-1")) for n, one in enumerate(world.history.packed, start=1))
    return since_reset([(n, one) for n, one in told if one is not None], PLAN.reset, world.now())


def expected_counts(world: World) -> Counter[Counted]:
    counts: Counter[Counted] = Counter()
    places: dict[int, tuple[int, str, str]] = {}
    for sequence, record in world.history.records:
        if isinstance(record, PassageRecord):
            seen = record.passage
            moment = Instant(seen.wall_ns, 0, "", seen.clock_trust)
            day = moment.date_in(PLAN.timezone).toordinal() if moment.dated else 0
            places[sequence] = (day, seen.lane, seen.direction.value)
            key = Counted(*places[sequence], seen.event.value, seen.outcome.value)
        else:
            assert isinstance(record, Followup)
            about = places.get(record.about, (0, "", ""))
            key = Counted(*about, "followup", record.kind.name.lower())
        counts[key] += 1
    return counts


def told_of(records: list[ZoneRecord]) -> list[object]:
    """Return what the zone asks of records: a chunk keeps no more than that."""
    return [
        (n, one.kind, one.about)
        if isinstance(one, Followup)
        else (
            n,
            one.site,
            one.event,
            one.outcome,
            one.direction,
            one.token,
            one.worker,
            one.about,
            one.wall_ms,
            one.monotonic_ms,
            one.boot_id,
            one.clock_trust,
            one.note,
        )
        for n, one in records
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=40))
def test_any_history_with_any_interruption_gives_the_same_tables(told: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        asyncio.run(world.live(told))
        assert told_of(asyncio.run(world.recalled())) == told_of(expected_zone(world))
        assert asyncio.run(world.counts()) == expected_counts(world)
        for criteria in (
            Criteria(outcomes=frozenset({Outcome.REFUSE})),
            Criteria(lanes=frozenset({"lane-2"}), events=frozenset({Event.OVERRIDE})),
            Criteria(reasons=frozenset({Reason.NO_CARD}), first=5, last=20),
            Criteria(since_ns=an_entry(0).wall_ns + HOUR_NS),
            Criteria(token=3),
        ):
            for followups in (False, True):
                found = search(
                    FOLDER, world.path, criteria, followups=followups, medium=world.history.disk
                )
                assert list(found) == expected_finds(world, criteria, followups=followups)


def expected_finds(
    world: World, criteria: Criteria, *, followups: bool
) -> list[tuple[int, PassageRecord | Followup]]:
    last = criteria.last or world.history.last_sequence
    passages = {
        n: record
        for n, record in world.history.records
        if isinstance(record, PassageRecord)
        if criteria.match(record.passage) and criteria.first <= n <= last
    }
    return [
        (n, record)
        for n, record in world.history.records
        if n in passages
        or (followups and isinstance(record, Followup) and record.about in passages)
        if isinstance(record, PassageRecord | Followup)
    ]
