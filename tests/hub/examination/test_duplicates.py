"""Protects the flag on one person at two places: raised whatever came first, and never for less."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from admission.instant import ClockTrust
from admission.journal_record import Followup, FollowupKind
from admission.passage import Event
from admission.verdict import Outcome
from hub.examination.examiner import Examiner
from hub.store.entries import FlagKind
from tests.hub.examined import ExaminedMemory, Gate, a_notebook
from tests.worlds import ManualClock

DUPLICATE = FlagKind.DUPLICATE_PASSAGE
LINH, NAM = 7 << 2, (1 << 64) - 4


async def _no_pause() -> None:
    return


def examined(
    *gates: Gate, batches: Sequence[tuple[int, int]] = (), batch: int = 200
) -> ExaminedMemory:
    """Return the store after the examiner has seen these gates' entries.

    :param batches: gate and length of what arrives, with a look in between; the rest comes last.
    """

    async def work() -> ExaminedMemory:
        store = ExaminedMemory()
        async with a_notebook() as notebook:
            clock, taken = ManualClock(), [0] * len(gates)
            examiner = Examiner(store, notebook, pause=_no_pause, batch=batch)
            everything = [(number, len(gate.entries)) for number, gate in enumerate(gates)]
            for number, length in [*batches, *everything]:
                first = taken[number]
                taken[number] = min(first + length, len(gates[number].entries))
                store.take(gates[number].key, gates[number].entries[first : taken[number]])
                await examiner.round(clock.now())
                clock.advance(61)
        return store

    return asyncio.run(work())


def test_the_later_of_two_admissions_at_two_gates_is_flagged() -> None:
    a, b = Gate("gate-a"), Gate("gate-b")
    a.admits(LINH, 0)
    a.admits(NAM, 1)
    b.admits(LINH, 240)
    b.admits(NAM, 602)
    store = examined(a, b)
    assert store.flagged() == {("gate-b", 1): {DUPLICATE}}
    (flag,) = store.raised[b.key].values()
    assert flag.detail == "gate-a entry 1 at site-gate-a 240 s before"


def test_one_gate_twice_is_its_own_affair_and_so_is_the_way_out() -> None:
    a, b = Gate("gate-a"), Gate("gate-b")
    a.admits(LINH, 0)
    a.admits(LINH, 5)
    b.admits(LINH, 60, out=True)
    assert examined(a, b).flagged() == {}


def test_who_passed_out_in_between_may_enter_elsewhere() -> None:
    a, b = Gate("gate-a"), Gate("gate-b")
    a.admits(LINH, 0)
    a.admits(LINH, 100, out=True)
    b.admits(LINH, 200)
    assert examined(b, a).flagged() == {}


def test_an_admission_by_which_nobody_passed_does_not_count() -> None:
    for kind in (FollowupKind.NOT_ACTUATED, FollowupKind.NOT_PASSED, FollowupKind.WITHHELD):
        a, b, c = Gate("gate-a"), Gate("gate-b"), Gate("gate-c")
        a.admits(LINH, 0)
        b.admits(LINH, 60)
        b.follows(Followup(kind, 1, 3))
        c.admits(LINH, 120)
        store = examined(a, b, c, batches=[(0, 1), (1, 1), (2, 1)])
        assert store.flagged() == {("gate-c", 1): {DUPLICATE}}
        (flag,) = store.raised[c.key].values()
        assert flag.detail.startswith("gate-a entry 1 ")


def test_whom_an_officer_turned_back_did_not_enter_and_whom_one_let_in_did() -> None:
    a, b = Gate("gate-a"), Gate("gate-b")
    a.admits(LINH, 0)
    a.admits(LINH, 5, event=Event.OVERRIDE, about=1, outcome=Outcome.REFUSE)
    b.admits(LINH, 60, outcome=Outcome.REFER)
    b.admits(LINH, 65, event=Event.OVERRIDE, about=1)
    a.admits(LINH, 90)
    assert examined(a, b).flagged() == {("gate-a", 3): {DUPLICATE}}


def test_a_date_that_nobody_vouched_for_proves_nothing() -> None:
    a, b = Gate("gate-a"), Gate("gate-b")
    a.admits(LINH, 0, trust=ClockTrust.UNKNOWN)
    b.admits(LINH, 60)
    b.admits(NAM, 60, event=Event.ENQUIRY)
    a.admits(NAM, 70)
    assert DUPLICATE not in set().union(*examined(a, b).flagged().values())


steps = st.tuples(
    st.integers(0, 2),
    st.integers(0, 1),
    st.integers(0, 30),
    st.sampled_from(["in", "in", "in", "out", "not_passed", "turned back"]),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(steps, max_size=24),
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), max_size=12),
    st.integers(1, 5),
)
def test_in_whatever_order_entries_come_the_flags_are_the_same(
    happened: list[tuple[int, int, int, str]], batches: list[tuple[int, int]], batch: int
) -> None:
    gates = [Gate("gate-a", "one"), Gate("gate-b", "one"), Gate("gate-c", "two")]
    for number, who, minute, what in happened:
        gate, person = gates[number], (LINH, NAM)[who]
        if what == "not_passed" and gate.entries:
            gate.follows(Followup(FollowupKind.NOT_PASSED, minute % len(gate.entries) + 1))
        elif what == "turned back" and gate.entries:
            about = minute % len(gate.entries) + 1
            outcome = Outcome.REFUSE
            gate.admits(person, minute * 60, event=Event.OVERRIDE, about=about, outcome=outcome)
        else:
            gate.admits(person, minute * 60, out=what == "out")
    gates = [gate for gate in gates if gate.entries]
    arriving = [(number % len(gates), length) for number, length in batches] if gates else []
    at_once = examined(*gates)
    bit_by_bit = examined(*gates, batches=arriving, batch=batch)
    assert bit_by_bit.raised == at_once.raised
