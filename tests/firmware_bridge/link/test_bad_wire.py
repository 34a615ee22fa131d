"""Protects: over a wire that loses, repeats, reorders, cuts and flips, no light tells a lie.

A show that was reported as acknowledged ran exactly once, with its own pulses; one that was not
ran once or never; nothing else ever ran; everything is off in the end; and the link comes back.
Seeds are fixed, so that the odds of a CRC (1 in 65,536 per damaged frame) are drawn once. The board
is the Python one, and the firmware's C core in virtual time.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.gate import Input
from admission.signal import GATES, Output, Pulse, Signal, SignalName
from firmware_bridge.bridges.faults import FaultyWire
from firmware_bridge.errors import BridgeError
from firmware_bridge.link.board import Board
from firmware_bridge.link.flights import SHOW_BOUND_NS
from firmware_bridge.link.messages import InputEvent
from tests.firmware_bridge.cables import MS, Cable, MakeBoard
from tests.firmware_bridge.firmware.c_board import CBoard

SHOWS = 60


def on_every_board(lives: int, *, of_the_core: int) -> pytest.MarkDecorator:
    """Run with so many seeds on the Python board, and on the C core: the others are slow there."""
    python = [pytest.param(Board, seed, id=f"python-{seed}") for seed in range(lives)]
    core = [
        pytest.param(
            CBoard, seed, id=f"c-{seed}", marks=() if seed < of_the_core else pytest.mark.slow
        )
        for seed in range(lives)
    ]
    return pytest.mark.parametrize(("make_board", "seed"), python + core)


def a_bad_wire(chance: Random, badness: float) -> FaultyWire:
    return FaultyWire(
        chance, lose=badness, repeat=badness, swap=badness, cut=badness / 2, flip=badness
    )


def a_signal(number: int) -> Signal:
    """Each one differs from all others, so that the board's deeds can be told apart."""
    beside = Output((number + 1) % 5)
    again = 1 if beside in GATES else 2
    return Signal(
        SignalName.ADMIT, (Pulse(Output(number % 5), 1 + number), Pulse(beside, 7, 3, again))
    )


def drive(
    seed: int, badness: float, make_board: MakeBoard = Board
) -> tuple[Cable, dict[int, Signal]]:
    chance = Random(seed)
    cable = Cable(
        seed=seed,
        to_board=a_bad_wire(chance, badness),
        to_host=a_bad_wire(chance, badness),
        delay_ns=lambda: chance.choice((MS, MS, 2 * MS, 30 * MS, 120 * MS)),
        make_board=make_board,
    )
    cable.open()
    asked: dict[int, Signal] = {}
    for number in range(SHOWS):
        match chance.randrange(20):
            case 0:
                cable.reset_board()
            case 1:
                cable.plugged = not cable.plugged
            case 2:
                cable.session.close(BridgeError("reopened"))
                cable.take_events()
                cable.open()
            case _:
                pass
        signal = a_signal(number)
        asked[cable.show(signal)] = signal
        cable.run_for(chance.choice((1, 40, 260, 260, 1_300)))
    return cable, asked


def check(cable: Cable, asked: dict[int, Signal]) -> None:
    runs = Counter(cable.executed)
    assert set(runs) <= set(asked.values()), "the board ran what nobody asked for"
    assert max(runs.values(), default=0) <= 1, "the board ran a show twice"
    for ticket, error in cable.endings().items():
        if error is None:
            assert runs[asked[ticket]] == 1, "acknowledged, but never ran"


@pytest.mark.parametrize("badness", [0.02, 0.1, 0.3])
@on_every_board(12, of_the_core=2)
def test_no_light_tells_a_lie(make_board: MakeBoard, seed: int, badness: float) -> None:
    cable, asked = drive(seed, badness, make_board)
    check(cable, asked)
    cable.run_for(SHOW_BOUND_NS / MS)
    assert set(cable.endings()) == set(asked), "a show never ended"

    cable.plugged = cable.to_board.healed = cable.to_host.healed = True
    cable.run_for(2_500)
    assert cable.session.alive(cable.now_ns), "the link does not come back"
    last = a_signal(1_000)
    ticket = cable.show(last)
    cable.run_for(SHOW_BOUND_NS / MS)
    assert cable.endings()[ticket] is None
    assert cable.executed[-1] == last

    cable.run_for(15_000)
    assert cable.board.energised == frozenset()
    check(cable, asked | {ticket: last})


@pytest.mark.parametrize(
    "make_board", [Board, pytest.param(CBoard, marks=pytest.mark.slow)], ids=["python", "c"]
)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1 << 32), badness=st.floats(0.0, 0.6))
def test_no_light_tells_a_lie_on_wires_that_nobody_thought_of(
    make_board: MakeBoard, seed: int, badness: float
) -> None:
    check(*drive(seed, badness, make_board))


def test_the_wire_of_these_tests_is_bad_enough() -> None:
    """A wire that harms nobody would prove nothing."""
    cable, asked = drive(3, 0.2)
    counters = cable.session.counters
    assert counters.retries > 5
    assert cable.session.rejected_frames > 5
    assert counters.sessions > 2
    assert 0 < counters.acknowledged < len(asked)


@on_every_board(6, of_the_core=2)
def test_inputs_arrive_exactly_once_and_in_order(make_board: MakeBoard, seed: int) -> None:
    chance = Random(seed)
    cable = Cable(
        seed=seed,
        to_board=a_bad_wire(chance, 0.15),
        to_host=a_bad_wire(chance, 0.15),
        delay_ns=lambda: chance.choice((MS, 2 * MS, 30 * MS)),
        make_board=make_board,
    )
    cable.open()
    for number in range(40):
        cable.board.sense(Input.BUTTON, 1 - number % 2, cable.now_ns)
        cable.run_for(400)
    cable.to_board.healed = cable.to_host.healed = True
    cable.run_for(5_000)
    got = [event for event in cable.events if isinstance(event, InputEvent)]
    stamps = [event.board_ms for event in got]
    assert stamps == sorted(set(stamps)), "twice, or out of order"
    assert len(got) + sum(event.lost for event in got) == 40


@on_every_board(4, of_the_core=1)
def test_pure_noise_energises_nothing_and_ends_no_show(make_board: MakeBoard, seed: int) -> None:
    chance = Random(seed)
    cable = Cable(seed=seed, make_board=make_board)
    cable.open()
    cable.run_for(10)
    cable.plugged = False
    ticket = cable.show(a_signal(1))
    for _ in range(400):
        cable.inject(chance.randbytes(chance.randrange(200)), to_board=True)
        cable.inject(chance.randbytes(chance.randrange(200)), to_board=False)
    assert cable.executed == []
    assert ticket not in cable.endings()
