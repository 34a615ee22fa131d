"""The gate cycle: nobody is waved through a gate that stays shut, and no gate stays unlocked."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.gate import (
    GAP_MS,
    MAX_QUEUED,
    GateOutcome,
    GateReport,
    GateSettings,
    Input,
    Obstacle,
    Side,
)
from admission.turnstile import (
    Admitted,
    Elapsed,
    GateEvent,
    HostLost,
    Moved,
    Sensed,
    Turnstile,
    next_deadline_ms,
    step,
)

BOTH = (True, True)
PULSE = GateSettings(sensors=BOTH)
HOLD = GateSettings(hold=True, sensors=BOTH)
PASS_A = Sensed(Input.PASSAGE_A, True)
PASS_B = Sensed(Input.PASSAGE_B, True)


class Gate:
    """Drives the reducer as a board does: at every deadline, and at every event."""

    def __init__(self, settings: GateSettings = PULSE) -> None:
        self.settings = settings
        self.state = Turnstile()
        self.now_ms = 0
        self.moves: list[tuple[int, Side, bool]] = []
        self.reports: list[GateReport] = []

    def at(self, now_ms: int, event: GateEvent | None = None) -> Gate:
        while (due := next_deadline_ms(self.settings, self.state)) is not None and due <= now_ms:
            self._step(Elapsed(), max(due, self.now_ms))
        self._step(event or Elapsed(), now_ms)
        return self

    def admit(self, now_ms: int, entry: int, side: Side = Side.A, pulse_ms: int = 500) -> Gate:
        self.at(now_ms)
        assert self.state.obstacle(self.settings, side) is None
        return self.at(now_ms, Admitted(side, entry, pulse_ms))

    def told(self) -> list[tuple[GateOutcome, int]]:
        return [(report.outcome, report.entry) for report in self.reports]

    def _step(self, event: GateEvent, now_ms: int) -> None:
        self.now_ms = now_ms
        self.state, commands = step(self.settings, self.state, event, now_ms)
        for command in commands:
            if isinstance(command, Moved):
                self.moves.append((now_ms, command.side, command.released))
            else:
                self.reports.append(command)


def test_a_pulse_ends_by_itself_and_the_window_runs_on() -> None:
    gate = Gate().admit(0, 7).at(4_000, PASS_A).at(6_000)
    assert gate.moves == [(0, Side.A, True), (500, Side.A, False)]
    assert gate.reports == [GateReport(GateOutcome.PASSED, Side.A, 7, 4_000)]


def test_hold_locks_behind_whoever_passed() -> None:
    gate = Gate(HOLD).admit(0, 7).at(1_200, PASS_A).at(9_000)
    assert gate.moves == [(0, Side.A, True), (1_200, Side.A, False)]


def test_hold_locks_when_nobody_comes() -> None:
    gate = Gate(HOLD).admit(0, 7).at(9_000)
    assert gate.moves == [(0, Side.A, True), (5_000, Side.A, False)]
    assert gate.reports == [GateReport(GateOutcome.NOT_PASSED, Side.A, 7, 5_000)]


def test_a_second_edge_in_the_window_is_a_tailgater_and_later_ones_are_forced() -> None:
    gate = Gate().admit(0, 7).at(1_000, PASS_A).at(1_500, PASS_A).at(5_000, PASS_A)
    assert gate.told() == [
        (GateOutcome.PASSED, 7),
        (GateOutcome.TAILGATED, 7),
        (GateOutcome.FORCED, 0),
    ]


def test_going_the_wrong_way_is_forced_and_takes_nobodys_passage() -> None:
    gate = Gate().admit(0, 7).at(1_000, PASS_B).at(2_000, PASS_A)
    assert gate.told() == [(GateOutcome.FORCED, 0), (GateOutcome.PASSED, 7)]
    assert gate.reports[0].side is Side.B


def test_directions_are_apart() -> None:
    gate = Gate().admit(0, 7).admit(10, 8, Side.B).at(900, PASS_B).at(1_000, PASS_A).at(9_000)
    assert gate.told() == [(GateOutcome.PASSED, 8), (GateOutcome.PASSED, 7)]


def test_the_next_is_let_in_after_the_one_before_with_a_pulse_of_their_own() -> None:
    gate = Gate(HOLD).admit(0, 7).admit(300, 8).at(1_000, PASS_A).at(1_050).at(2_000, PASS_A)
    assert gate.at(9_000).told() == [(GateOutcome.PASSED, 7), (GateOutcome.PASSED, 8)]
    assert [at for at, _, released in gate.moves if released] == [0, 1_000 + GAP_MS]


def test_without_sensor_every_admission_is_a_pulse_and_nothing_is_claimed() -> None:
    gate = Gate(GateSettings()).admit(0, 7).admit(100, 8).at(1_000, PASS_A).at(9_000)
    assert gate.moves == [
        (0, Side.A, True),
        (500, Side.A, False),
        (600, Side.A, True),
        (1_100, Side.A, False),
    ]
    assert gate.reports == []


def test_without_sensor_a_held_gate_is_held_on_for_the_next() -> None:
    gate = Gate(GateSettings(hold=True)).admit(0, 7).admit(2_000, 8).at(20_000)
    assert gate.moves == [(0, Side.A, True), (7_000, Side.A, False)]


@pytest.mark.parametrize(
    ("asked_ms", "given_ms"), [(1, 100), (99, 100), (100, 100), (9_000, 5_000)]
)
def test_a_pulse_is_neither_too_short_nor_too_long(asked_ms: int, given_ms: int) -> None:
    gate = Gate().admit(0, 7, pulse_ms=asked_ms).at(9_000)
    assert gate.moves[1] == (given_ms, Side.A, False)


READY = GateSettings(sensors=BOTH, ready_fitted=True)


def test_a_loss_of_power_is_no_passage() -> None:
    gate = Gate(READY).at(0, Sensed(Input.READY, True)).admit(1_000, 7)
    gate.at(2_000, PASS_A).at(2_020, Sensed(Input.READY, False)).at(9_000)
    assert gate.told() == [(GateOutcome.NOT_PASSED, 7)]


def test_the_return_of_power_is_no_passage() -> None:
    gate = Gate(READY).at(0, Sensed(Input.READY, True)).at(20, PASS_A).at(9_000)
    assert gate.told() == []


def test_a_passage_counts_with_its_own_time_once_ready_confirms_it() -> None:
    gate = Gate(READY).at(0, Sensed(Input.READY, True)).admit(1_000, 7).at(5_990, PASS_A).at(9_000)
    assert gate.reports == [GateReport(GateOutcome.PASSED, Side.A, 7, 5_990)]


def test_what_stands_in_the_way_is_said() -> None:
    assert Turnstile().obstacle(READY, Side.A) is Obstacle.NOT_READY
    stopped = Gate().at(0, Sensed(Input.STOP, True))
    assert stopped.state.obstacle(PULSE, Side.B) is Obstacle.STOPPED
    full = Gate()
    for entry in range(1, MAX_QUEUED + 2):
        full.admit(0, entry)
    assert full.state.obstacle(PULSE, Side.A) is Obstacle.BUSY
    assert full.state.obstacle(PULSE, Side.B) is None


@pytest.mark.parametrize("event", [Sensed(Input.STOP, True), HostLost()])
def test_stop_and_a_lost_host_lock_at_once_and_annul_who_waits(event: GateEvent) -> None:
    gate = Gate(HOLD).admit(0, 7).admit(10, 8).at(100, event).at(900, PASS_A).at(9_000)
    assert gate.moves == [(0, Side.A, True), (100, Side.A, False)]
    assert gate.told() == [(GateOutcome.NOT_PASSED, 8), (GateOutcome.PASSED, 7)]


def test_in_a_fire_everybody_runs_and_nobody_is_accused_or_annulled() -> None:
    gate = Gate().admit(0, 7).admit(10, 8).at(100, Sensed(Input.FIRE, True))
    gate.at(200, PASS_A).at(300, PASS_A).at(400, PASS_B).at(9_000)
    assert gate.reports == []
    assert gate.moves == [(0, Side.A, True), (500, Side.A, False)]
    gate.at(10_000, Sensed(Input.FIRE, False)).at(11_000, PASS_B)
    assert gate.told() == [(GateOutcome.FORCED, 0)]


settings = st.builds(
    GateSettings,
    hold=st.booleans(),
    window_ms=st.integers(500, 10_000),
    min_pulse_ms=st.integers(20, 1_000),
    settle_ms=st.integers(0, 250),
    max_on_ms=st.tuples(st.integers(20, 5_000), st.integers(20, 5_000)),
    sensors=st.tuples(st.booleans(), st.booleans()),
    ready_fitted=st.booleans(),
)
contacts = st.builds(Sensed, st.sampled_from(Input), st.booleans())
admissions = st.builds(
    Admitted, st.sampled_from(Side), st.integers(1, 1_000), st.integers(1, 5_000)
)
histories = st.lists(
    st.tuples(
        st.integers(0, 3_000),
        st.one_of(admissions, contacts, st.just(HostLost()), st.just(Elapsed())),
    ),
    max_size=40,
)


@given(settings, histories)
def test_no_history_leaves_a_gate_unlocked_or_answers_an_admission_twice(
    wiring: GateSettings, history: list[tuple[int, GateEvent]]
) -> None:
    gate = Gate(wiring)
    now_ms, fire = 0, False
    admitted: set[int] = set()
    for later_ms, event in history:
        now_ms += later_ms
        if isinstance(event, Admitted):
            gate.at(now_ms)
            if event.entry in admitted or gate.state.obstacle(wiring, event.side) is not None:
                continue
            admitted.add(event.entry)
        fire |= isinstance(event, Sensed) and event == Sensed(Input.FIRE, True)
        gate.at(now_ms, event)
    gate.at(now_ms + 100_000)
    assert next_deadline_ms(wiring, gate.state) is None
    for side in Side:
        moves = [(at, released) for at, moved, released in gate.moves if moved is side]
        assert [released for _, released in moves] == [n % 2 == 0 for n in range(len(moves))]
        assert len(moves) % 2 == 0
        unlocked = [end - begin for (begin, on), (end, _) in pairwise(moves) if on]
        if not wiring.hold:  # held without sensor it is extended, and the board's limit cuts it
            assert all(length <= wiring.max_on_ms[side] for length in unlocked)
            gaps = [begin - end for (end, on), (begin, _) in pairwise(moves) if not on]
            assert all(gap >= GAP_MS for gap in gaps)
    final = [
        r.entry for r in gate.reports if r.outcome in (GateOutcome.PASSED, GateOutcome.NOT_PASSED)
    ]
    assert len(final) == len(set(final))
    assert set(final) <= admitted
    if not fire and all(wiring.sensors):
        assert set(final) == admitted
