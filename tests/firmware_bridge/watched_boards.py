"""Boards whose pins are watched from outside: in simavr, compiled for this machine, in Python."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple

from admission.signal import Output
from benchmarks.chip.chip import CYCLES_PER_MS, Chip, pin_of
from firmware_bridge.bridges.simulated import SimulatedBoard
from tests.firmware_bridge.host_board import HostBoard
from tests.firmware_bridge.numbered_signals import PinEdge

_OUTPUTS = {pin_of(output): output for output in Output}


class WatchedBoard(NamedTuple):
    """What a host opens, and every edge of the outputs so far.

    `slack_ms` is how much longer than it was an output may seem to have been on.
    """

    path: str
    edges: Callable[[], list[PinEdge]]
    slack_ms: float


@contextlib.contextmanager
def in_simavr() -> Iterator[WatchedBoard]:
    with Chip() as chip:
        yield WatchedBoard(chip.path, lambda: _edges_of_chip(chip), slack_ms=2.0)


@contextlib.contextmanager
def in_c() -> Iterator[WatchedBoard]:
    with HostBoard() as board:
        yield WatchedBoard(board.path, lambda: board.edges, slack_ms=100.0)


@contextlib.contextmanager
def in_python() -> Iterator[WatchedBoard]:
    with SimulatedBoard(time.monotonic_ns) as board:
        yield WatchedBoard(
            board.path,
            lambda: [PinEdge(e.output, e.energised, e.at_ns / 1e6) for e in board.timeline],
            slack_ms=100.0,
        )


def _edges_of_chip(chip: Chip) -> list[PinEdge]:
    """Return the edges by the chip's own clock. The first low level after a start is no edge."""
    on: set[Output] = set()
    found = []
    for edge in chip.edges:
        output = _OUTPUTS.get(edge.pin)
        if output is not None and (edge.level == 1) is not (output in on):
            on ^= {output}
            found.append(PinEdge(output, edge.level == 1, edge.cycle / CYCLES_PER_MS))
    return found


BOARDS: dict[str, Callable[[], AbstractContextManager[WatchedBoard]]] = {
    "simavr": in_simavr,
    "c": in_c,
    "python": in_python,
}
