"""Boards whose pins are watched from outside: in simavr, compiled for this machine, in Python."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from admission.signal import Output
from benchmarks.chip.chip import CYCLES_PER_MS, Chip, pin_of
from firmware_bridge.bridges.simulated import SimulatedBoard
from tests.firmware_bridge.firmware.pty_board import PtyBoard
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
    with (
        tempfile.TemporaryDirectory(prefix="chot-board-") as folder,
        PtyBoard(Path(folder, "board")) as board,
    ):
        yield WatchedBoard(board.path, lambda: _edges_of_pty(board), slack_ms=100.0)


@contextlib.contextmanager
def in_python() -> Iterator[WatchedBoard]:
    with SimulatedBoard(time.monotonic_ns) as board:
        yield WatchedBoard(
            board.path,
            lambda: [PinEdge(e.output, e.energised, e.at_ns / 1e6) for e in board.timeline],
            slack_ms=100.0,
        )


def _edges_of_chip(chip: Chip) -> list[PinEdge]:
    """Return the edges by the chip's own clock."""
    return _edges(
        (_OUTPUTS[edge.pin], edge.level == 1, edge.cycle / CYCLES_PER_MS)
        for edge in list(chip.edges)
        if edge.pin in _OUTPUTS
    )


def _edges_of_pty(board: PtyBoard) -> list[PinEdge]:
    return _edges((edge.output, edge.level == 1, edge.at_ns / 1e6) for edge in list(board.edges))


def _edges(levels: Iterable[tuple[Output, bool, float]]) -> list[PinEdge]:
    """Return the changes; the first low level after a start is none."""
    on: set[Output] = set()
    found = []
    for output, is_on, at_ms in levels:
        if is_on is not (output in on):
            on ^= {output}
            found.append(PinEdge(output, is_on, at_ms))
    return found


BOARDS: dict[str, Callable[[], AbstractContextManager[WatchedBoard]]] = {
    "simavr": in_simavr,
    "c": in_c,
    "python": in_python,
}
