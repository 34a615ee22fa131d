"""Protects the proof that the hub's own copy is untouched: every kind of meddling shows, where."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.daily_heads import DailyHeads, JournalHead
from admission.passage import chained, genesis
from hub.journals import held as held_module
from hub.journals.finding import FindingKind, Findings
from hub.journals.held import HeldReport, _without, verify_held
from hub.journals.lists import Lists
from hub.store.entries import Flag, FlagKind
from hub.store.examined import HeldEntry, HeldSpan
from tests.hub.examined import ExaminedMemory, Gate

COUNT = 12


def a_hub() -> tuple[ExaminedMemory, Gate]:
    gate, store = Gate("gate-a"), ExaminedMemory()
    for number in range(COUNT):
        gate.admits(None, number)
    store.take(gate.key, gate.entries)
    store.noted[gate.key] = [HeldSpan(1, 7, 18_890), HeldSpan(8, COUNT, 18_891)]
    return store, gate


def verified(store: ExaminedMemory, gate: Gate, lists: Lists | None = None) -> HeldReport:
    async def work() -> HeldReport:
        (standing,) = await store.journals()
        # The mark lies apart from the entries, and says what was acknowledged.
        last = gate.entries[COUNT - 1]
        standing = msgspec.structs.replace(standing, through=COUNT, chain_hash=last.chain_hash)
        return await verify_held(store, standing, (lists or Lists()).of(gate.key))

    return asyncio.run(work())


def told(report: HeldReport) -> list[tuple[str, int, int]]:
    return [(one.kind.value, one.first, one.last) for one in report.findings]


@pytest.fixture(params=[1, 3, 1000])
def _portions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_module, "CHUNK", request.param)


@pytest.mark.usefixtures("_portions")
def test_what_is_as_it_was_is_sound() -> None:
    report = verified(*a_hub())
    assert (told(report), report.entries, report.dropped) == ([], COUNT, 0)


def replaced(**fields: object) -> Callable[[HeldEntry], HeldEntry]:
    return lambda entry: msgspec.structs.replace(entry, **fields)


@pytest.mark.usefixtures("_portions")
def test_an_altered_entry_or_hash_shows_at_its_place() -> None:
    store, gate = a_hub()
    held = store.held[gate.key]
    held[5] = replaced(packed=held[4].packed, decoded=held[4].decoded)(held[5])
    assert told(verified(store, gate)) == [("altered", 5, 5)]
    store, gate = a_hub()
    held = store.held[gate.key]
    held[5] = replaced(chain_hash=bytes(32))(held[5])
    assert told(verified(store, gate)) == [("altered", 5, 6)]


@pytest.mark.usefixtures("_portions")
def test_deleted_rows_are_missed_and_inserted_ones_are_seen() -> None:
    store, gate = a_hub()
    for sequence in (3, 4, COUNT):
        del store.held[gate.key][sequence]
    assert told(verified(store, gate)) == [("deleted", 3, 4), ("deleted", COUNT, COUNT)]
    store, gate = a_hub()
    gate.admits(None, COUNT)
    store.take(gate.key, gate.entries)
    assert told(verified(store, gate)) == [("inserted", COUNT + 1, COUNT + 1)]


def test_searches_that_were_meddled_with_show() -> None:
    for fields in ({"person": 3}, {"site": "elsewhere"}, {"wall_ns": 1}, {"outcome": "refuse"}):
        store, gate = a_hub()
        entry = store.held[gate.key][5]
        assert entry.decoded is not None
        columns = msgspec.structs.replace(entry.decoded, **fields)
        store.held[gate.key][5] = msgspec.structs.replace(entry, decoded=columns)
        assert told(verified(store, gate)) == [("columns", 5, 5)]


def test_an_entry_that_no_search_finds_any_more_shows() -> None:
    store, gate = a_hub()
    store.held[gate.key][5] = msgspec.structs.replace(store.held[gate.key][5], decoded=None)
    assert told(verified(store, gate)) == [("columns", 5, 5)]
    flag = Flag(5, FlagKind.UNDECODABLE)
    asyncio.run(store.raise_flags(gate.key, [flag], 1))
    report = verified(store, gate)
    assert (told(report), report.unread) == ([], 1), "it came before this hub could read it"


def test_what_was_broken_when_it_came_is_not_the_hubs_doing() -> None:
    store, gate = a_hub()
    held = store.held[gate.key]
    held[5] = replaced(chain_hash=bytes(32))(held[5])
    store.raised[gate.key] = {
        (at, FlagKind.CHAIN_BROKEN): Flag(at, FlagKind.CHAIN_BROKEN) for at in (5, 6)
    }
    assert told(verified(store, gate)) == [("broken_on_arrival", 5, 6)]


def written_anew(store: ExaminedMemory, gate: Gate, without: int) -> None:
    """Remove an entry and chain the rest so that everything follows: whoever has the file can."""
    kept = [entry for entry in gate.entries if entry.sequence != without]
    previous, anew = genesis(gate.key.journal), []
    for sequence, entry in enumerate(kept, start=1):
        previous = chained(previous, sequence, entry.packed)
        anew.append(replaced(sequence=sequence, chain_hash=previous)(entry))
    store.held[gate.key] = {entry.sequence: entry for entry in anew}
    store.noted[gate.key] = [HeldSpan(1, COUNT - 1, 18_890)]


def test_a_journal_that_was_written_anew_does_not_fit_mark_and_list() -> None:
    store, gate = a_hub()
    lists = Lists()
    for day, through in (("2021-09-19", 5), ("2021-09-20", 10), ("2021-09-21", COUNT + 5)):
        head = JournalHead("gate-a", gate.key.journal, through, _hash_at(gate, through))
        lists.take(DailyHeads(1, day, 0, (head,)))
    sound = verified(store, gate, lists)
    assert (told(sound), sound.listed) == ([("list", COUNT + 1, COUNT + 5)], 2)
    written_anew(store, gate, without=8)
    anew = verified(store, gate, lists)
    assert told(anew) == [("list", 10, 10), ("list", COUNT + 1, COUNT + 5)]
    assert anew.findings[0].detail == "the list of 2021-09-20"

    async def of_all() -> HeldReport:
        (standing,) = await store.journals()
        meddled = msgspec.structs.replace(standing, chain_hash=bytes(32))
        return await verify_held(store, meddled, {})

    assert told(asyncio.run(of_all())) == [("mark", COUNT - 1, COUNT - 1)]


def _hash_at(gate: Gate, through: int) -> bytes:
    return gate.entries[through - 1].chain_hash if through <= COUNT else bytes(32)


def test_dropped_days_are_no_fault() -> None:
    store, gate = a_hub()
    for sequence in range(1, 8):
        del store.held[gate.key][sequence]
    store.noted[gate.key] = [HeldSpan(8, COUNT, 18_891)]
    report = verified(store, gate)
    assert (told(report), report.dropped) == ([], 7)


def test_places_that_the_gate_could_not_read_break_no_chain() -> None:
    gate, store = Gate("gate-a"), ExaminedMemory()
    for number in range(COUNT):
        gate.writes(b"") if number in {3, 4} else gate.admits(None, number)
    store.take(gate.key, gate.entries)
    report = verified(store, gate)
    assert (told(report), report.missing) == ([], 2)


runs = st.lists(st.integers(1, 30), unique=True).map(
    lambda places: [(place, place) for place in sorted(places)]
)


@given(runs, st.lists(st.tuples(st.integers(1, 8), st.integers(0, 5)), max_size=5))
def test_what_is_left_of_runs_is_what_no_other_covers(
    some: list[tuple[int, int]], steps: list[tuple[int, int]]
) -> None:
    others, at = [], 0
    for gap, length in steps:
        others.append((at + gap, at + gap + length))
        at += gap + length
    covered = {place for first, last in others for place in range(first, last + 1)}
    single = {place for place, _ in some}
    left = {place for first, last in _without(some, others) for place in range(first, last + 1)}
    assert left == single - covered
    left = {place for first, last in _without(others, some) for place in range(first, last + 1)}
    assert left == covered - single


def test_findings_are_runs_and_bounded() -> None:
    findings = Findings()
    for sequence in range(1, 1000, 2):
        findings.add(FindingKind.ALTERED, sequence)
    assert len(findings.runs) == 200
    assert findings.untold == 300
