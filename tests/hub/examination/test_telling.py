"""Protects what one journal tells by itself: its clock, missing places, revival; said once each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import msgpack
import msgspec
import pytest

from admission.instant import ClockTrust
from admission.journal_record import Followup, FollowupKind
from admission.passage import Event
from admission.verdict import Outcome
from hub.columns import columns_of
from hub.examination.examiner import Examiner
from hub.examination.notebook import Cursor, open_notebook
from hub.examination.people import PeopleJudge
from hub.examination.rereading import Rereading
from hub.seal_sessions import NoSealKeys
from hub.store.entries import Flag, FlagKind
from tests.hub.examined import ExaminedMemory, Gate, a_notebook
from tests.worlds import ManualClock

CLOCK = FlagKind.SUSPECT_CLOCK
UNVOUCHED = ClockTrust.UNKNOWN
DAY_S = 86_400


async def _no_pause() -> None:
    return


def examined(
    *gates: Gate, off_ns: int = 0, batch: int = 200
) -> tuple[ExaminedMemory, list[Cursor]]:
    async def work() -> tuple[ExaminedMemory, list[Cursor]]:
        store = ExaminedMemory()
        for gate in gates:
            store.take(gate.key, gate.entries)
            store.clock_off_ns[gate.key] = off_ns
        async with a_notebook() as notebook:
            examiner = Examiner(store, notebook, pause=_no_pause, batch=batch)
            await examiner.round(ManualClock().now())
            cursors = await notebook.cursors()
            return store, [cursors[gate.key] for gate in gates]

    return asyncio.run(work())


def clocks_of(gate: Gate, batch: int) -> list[tuple[int, str]]:
    store, _ = examined(gate, batch=batch)
    flags = sorted(store.raised[gate.key].values())
    return [(flag.sequence, flag.detail) for flag in flags if flag.kind is CLOCK]


@pytest.mark.parametrize("batch", [1, 2, 200])
def test_a_clock_is_suspect_where_that_begins_and_said_once(batch: int) -> None:
    gate = Gate("gate-a")
    gate.admits(4, 0)
    gate.admits(4, 10, trust=UNVOUCHED)
    gate.follows(Followup(FollowupKind.ACTUATED, 2))
    gate.admits(8, 20, trust=UNVOUCHED)
    gate.admits(8, 3_600 + 301)
    gate.admits(8, 3_600 + 302)
    gate.admits(8, -61 * DAY_S, boot_id="boot-2")
    assert clocks_of(gate, batch) == [
        (2, "nobody vouched for the date"),
        (5, "dated in the future of its receipt"),
        (7, "dated more than 60 days before its receipt"),
    ]


@pytest.mark.parametrize("batch", [1, 200])
def test_a_clock_that_is_set_back_within_one_boot_is_suspect(batch: int) -> None:
    gate = Gate("gate-a")
    gate.admits(4, 1_000)
    gate.admits(4, 998, monotonic_ns=1_002 * 10**9)  # drift and an NTP step
    gate.admits(4, 700, monotonic_ns=1_005 * 10**9)
    gate.admits(4, 100, monotonic_ns=5, boot_id="boot-2")
    assert clocks_of(gate, batch) == [(3, "set back by 301 s within one boot")]


@pytest.mark.parametrize("batch", [1, 2, 200])
def test_missing_places_are_one_flag_for_a_run_and_counted(batch: int) -> None:
    gate = Gate("gate-a")
    for packed in (b"", b"", b"\xc0", b"", b"", b""):
        gate.writes(packed)
    store, (cursor,) = examined(gate, batch=batch)
    assert sorted(at for at, kind in store.raised[gate.key] if kind is FlagKind.MISSING) == [1, 4]
    assert cursor.tallies == {"missing": 5}
    assert cursor.through == 6


def test_what_opened_before_it_was_durable_is_flagged_where_it_opened() -> None:
    gate = Gate("gate-a")
    gate.admits(None, 0)
    gate.admits(None, 1)
    gate.follows(Followup(FollowupKind.UNSECURED, 1))
    gate.follows(Followup(FollowupKind.WITHHELD, 2))
    store, (cursor,) = examined(gate)
    assert store.flagged() == {("gate-a", 1): {FlagKind.UNSECURED}}
    assert cursor.tallies == {"unsecured": 1, "withheld": 1}


def test_who_follows_behind_is_flagged_at_the_entry_of_whom_they_followed() -> None:
    gate = Gate("gate-a")
    gate.admits(None, 0)
    gate.follows(Followup(FollowupKind.PASSED, 1))
    gate.follows(Followup(FollowupKind.TAILGATED, 1))
    store, (cursor,) = examined(gate)
    assert store.flagged() == {("gate-a", 1): {FlagKind.TAILGATED}}
    assert cursor.tallies == {"tailgated": 1}


def test_what_happens_at_a_gate_is_counted_by_what_began_and_by_known_words_alone() -> None:
    gate = Gate("gate-a")
    for event, note in (
        (Event.FORCED, ""),
        (Event.TAMPER, "opened"),
        (Event.TAMPER, "closed"),
        (Event.UNLISTED, "forced 17"),
        (Event.UNLISTED, "lost 3"),
        (Event.UNLISTED, "of_my_own_making 9"),
        (Event.UNLISTED, "forced 99999999999"),
    ):
        gate.admits(None, 0, event=event, note=note, outcome=Outcome.REFER)
    store, (cursor,) = examined(gate)
    assert cursor.tallies == {"forced": 18, "tamper": 1, "lost": 3}
    assert store.flagged() == {}


def test_a_journal_that_goes_on_after_another_had_begun_is_a_copy_in_use() -> None:
    first, second = Gate("gate-a"), Gate("gate-a", journal=bytes([1]) * 16)
    first.admits(None, 0)
    first.admits(None, 900)
    second.admits(None, 1_000)
    other = Gate("gate-b")
    other.admits(None, 2_000)
    assert examined(first, second, other)[0].flagged() == {}
    first.admits(None, 1_301)
    store, _ = examined(second, first, other)
    assert list(store.raised[first.key]) == [(1, FlagKind.REVIVED)]
    assert not store.raised[second.key]


def test_a_clock_that_is_off_when_it_sends_is_flagged_at_the_last_entry_once() -> None:
    gate = Gate("gate-a")
    gate.admits(None, 0)

    async def work() -> list[Flag]:
        store, clock = ExaminedMemory(), ManualClock()
        async with a_notebook() as notebook:
            examiner = Examiner(store, notebook, pause=_no_pause)
            for off_s in (30, 31, 90, 0, -42):
                store.take(gate.key, gate.entries)
                store.clock_off_ns[gate.key] = off_s * 10**9
                await examiner.round(clock.now())
                clock.advance(61)
                gate.admits(None, 1)
        return sorted(store.raised[gate.key].values())

    assert [(flag.sequence, flag.detail) for flag in asyncio.run(work())] == [
        (2, "sent by a clock 31 s ahead of the hub's"),
        (5, "sent by a clock 42 s behind the hub's"),
    ]


def test_stopped_anywhere_it_goes_on_there_and_nothing_is_flagged_twice(tmp_path: Path) -> None:
    gate = Gate("gate-a")
    for number in range(6):
        gate.writes(b"" if number % 2 else b"\xc0")

    class Stopping(ExaminedMemory):
        calls = 0

        async def flags_at(self, *arguments: object) -> list[Flag]:
            raise AssertionError

        async def raise_flags(self, key: object, flags: object, raised_ns: int) -> None:
            await super().raise_flags(key, flags, raised_ns)  # type: ignore[arg-type]
            self.calls += 1
            if self.calls % 2:
                raise KeyboardInterrupt

    store = Stopping()
    store.take(gate.key, gate.entries)

    async def work() -> Cursor:
        async with open_notebook(tmp_path / "examination.db") as notebook:
            examiner = Examiner(store, notebook, pause=_no_pause, batch=1)
            await examiner.round(ManualClock().now())
            return (await notebook.cursors())[gate.key]

    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(work())
    cursor = asyncio.run(work())
    assert (cursor.through, cursor.tallies) == (6, {"missing": 3})
    assert sorted(at for at, _ in store.raised[gate.key]) == [2, 4, 6]
    assert (tmp_path / "examination.db").stat().st_mode & 0o777 == 0o600


def test_days_that_were_dropped_stop_nobody() -> None:
    gate = Gate("gate-a")
    for number in range(5):
        gate.admits(None, number)

    class Dropped(ExaminedMemory):
        async def entries(self, *_: object, **__: object) -> list[object]:  # type: ignore[override]
            return []

    async def work() -> Cursor:
        store = Dropped()
        store.take(gate.key, gate.entries)
        async with a_notebook() as notebook:
            await Examiner(store, notebook, pause=_no_pause).round(ManualClock().now())
            return (await notebook.cursors())[gate.key]

    assert msgspec.structs.replace(asyncio.run(work())).through == 5


def in_part(gate: Gate) -> None:
    """Make the gate's first entry one of a newer version: with a reason that is not known here."""
    first = gate.entries[0]
    kind, public, seal = msgpack.unpackb(first.packed)
    public[public.index(["card_opens"])] = ["a reason of tomorrow"]
    packed = msgpack.packb([kind, public, seal])
    gate.entries[0] = msgspec.structs.replace(first, packed=packed)


def test_what_is_read_in_part_alone_is_set_aside_until_it_is_understood() -> None:
    gate = Gate("gate-a")
    for at_s in range(3):
        gate.admits(4, at_s)
    in_part(gate)
    assert columns_of(gate.entries[0].packed, None).decoded is not None, "searches find it"
    store, _ = examined(gate)
    assert set(store.raised[gate.key]) == {(1, FlagKind.UNDECODABLE)}

    async def reread() -> None:
        async with a_notebook() as notebook:
            judge = PeopleJudge(store, notebook, 600_000)
            await Rereading(cast("Any", store), judge, NoSealKeys(), pause=_no_pause).run(5)

    asyncio.run(reread())
    assert set(store.raised[gate.key]) == {(1, FlagKind.UNDECODABLE)}, "a hub of today still waits"
