"""Protects, in real time and by the pins: over a hostile cable no light tells a lie.

The same course at the firmware on a simulated chip, at its core compiled for this machine, and at
its Python twin. A signal that was acknowledged ran once, any other once or never, and nothing else
moved a pin; each show ended in its time; a healed cable works again at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from admission.signal import Output
from tests.firmware_bridge.courses import BOUND_S, HEALING_S, LATE_S, hostile_course
from tests.firmware_bridge.hostile_cable import HostileCable
from tests.firmware_bridge.numbered_signals import (
    GATE_MS,
    LONGEST_MS,
    NUMBERS,
    OFF_MS,
    ON_MS,
    PinEdge,
    faults,
    on_times_ms,
    ran,
    signal_of,
)
from tests.firmware_bridge.watched_boards import BOARDS, WatchedBoard


@pytest.fixture(params=sorted(BOARDS))
def board(request: pytest.FixtureRequest) -> Iterator[WatchedBoard]:
    with BOARDS[request.param]() as board:
        yield board


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "badness", "shows"), [(1, 0.03, 20), (2, 0.12, 16), (3, 0.3, 10)])
async def test_no_light_tells_a_lie(
    board: WatchedBoard, seed: int, badness: float, shows: int
) -> None:
    with HostileCable(board.path, seed, badness) as cable:
        course = await hostile_course(cable, seed, shows)
        assert cable.faults.total() > shows, "a cable that harms nobody would prove nothing"
    edges = board.edges()
    assert not faults(edges, course.asked, course.acknowledged, board.slack_ms), course
    assert sum(edge.on for edge in edges) * 2 == len(edges), "something is still on"
    assert course.slowest_s < BOUND_S + LATE_S, course
    assert course.healing_s < HEALING_S, course
    # The worse the cable, the less a host can ask of it in its 250 ms, on a busy machine above all.
    assert course.acknowledged.total() > shows * max(0.0, 0.4 - 2 * badness), course


@pytest.mark.slow
async def test_noise_alone_moves_no_pin(board: WatchedBoard) -> None:
    with HostileCable(board.path, 4, 1.0) as cable:
        course = await hostile_course(cable, 4, 3)
    seen = [number for number, _ in ran(board.edges())]
    assert seen == list(course.acknowledged), course
    assert course.endings["acknowledged"] == 1, "only the healed cable carried anything"


def edges_of(number: int, at_ms: float) -> list[PinEdge]:
    found = []
    for pulse in signal_of(number).pulses:
        for repeat in range(pulse.count):
            rise_ms = at_ms + repeat * (pulse.on_ms + pulse.off_ms)
            found.append(PinEdge(pulse.output, True, rise_ms))
            found.append(PinEdge(pulse.output, False, rise_ms + pulse.on_ms))
    return sorted(found, key=lambda edge: edge.at_ms)


def test_every_number_is_read_from_its_edges() -> None:
    one_after_the_other = [
        edge for number in range(NUMBERS) for edge in edges_of(number, 1_000.0 * number)
    ]
    assert [number for number, _ in ran(one_after_the_other)] == list(range(NUMBERS))
    assert max(on_times_ms(one_after_the_other, Output.GATE)) == GATE_MS
    assert LONGEST_MS == 3 * ON_MS + 2 * OFF_MS


def test_what_the_pins_must_not_do_is_seen() -> None:
    sound = edges_of(7, 0.0)
    asked = Counter({7: 1})
    assert not faults(sound, asked, asked, 1.0)
    assert "ran 2 times" in faults(sound + edges_of(7, 900.0), asked, asked, 1.0)[0]
    assert "ran 1 times, asked 0" in faults(sound + edges_of(8, 900.0), asked, asked, 1.0)[0]
    assert "no signal looks like" in faults(sound[:-1], asked, asked, 1.0)[0]
    assert "was acknowledged" in faults([], asked, asked, 1.0)[0]
    late = [edge._replace(at_ms=edge.at_ms + 9 * (not edge.on)) for edge in edges_of(50, 0.0)]
    assert "the gate was open" in faults(late, Counter({50: 1}), Counter(), 1.0)[0]
