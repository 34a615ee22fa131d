"""The bridge's benchmark protects that a pin which did anything else than asked is counted."""

from __future__ import annotations

import shutil
from random import Random

import msgspec
import pytest
from click.testing import CliRunner

from admission.signal import GATES, Output, Pulse, Signal, SignalName
from benchmarks.bridge_cli import table_of
from benchmarks.bridge_commands import GATE_EVERY, PinEdge, all_on_ns, command, is_right
from benchmarks.bridge_figures import BridgeFigures, goals, met
from benchmarks.cli import bench
from benchmarks.errors import BenchmarkError

ASKED = Signal(SignalName.TEST, (Pulse(Output.GREEN, 3, 2, 2), Pulse(Output.GATE, 100)))
GREEN = tuple((Output.GREEN, on, at_ms) for on, at_ms in ((1, 0), (0, 3), (1, 5), (0, 8)))
GATE = ((Output.GATE, 1, 0), (Output.GATE, 0, 100))
GOOD = BridgeFigures(
    p50_ms=3.1, p99_ms=4.0, floor_ms=2.9, dead_man_ms=999.0, recovery_s=0.3, flash_bytes=11_000,
    ram_bytes=1_100, commands=10_000, wrong=0,
)  # fmt: skip


def edges(*moves: tuple[Output, int, float]) -> list[PinEdge]:
    return [PinEdge(o, bool(on), at_ms, int(at_ms * 1e6)) for o, on, at_ms in moves]


def test_exactly_what_was_asked_is_right() -> None:
    assert is_right(ASKED, edges(*GREEN, *GATE))
    late = ((Output.GATE, 1, 0.0), (Output.GATE, 0, 100.9))
    assert is_right(ASKED, edges(*GREEN, *late)), "a board counts whole milliseconds"


@pytest.mark.parametrize(
    "moves",
    [
        (),
        GREEN,
        (*GREEN, *GATE[:1]),
        (*GREEN[:2], *GATE),
        (*GREEN, *GATE, (Output.RED, 1, 4), (Output.RED, 0, 5)),
        (*GREEN, (Output.GREEN, 1, 10), (Output.GREEN, 0, 13), *GATE),
        (*GREEN, (Output.GATE, 1, 0), (Output.GATE, 0, 97.5)),
        (*GREEN, (Output.GATE_B, 1, 0), (Output.GATE_B, 0, 100)),
    ],
)
def test_anything_else_is_wrong(moves: tuple[tuple[Output, int, float], ...]) -> None:
    assert not is_right(ASKED, edges(*moves))


def test_a_command_is_there_when_its_last_output_is_on() -> None:
    late = ((Output.GATE, 1, 2.5), (Output.GATE, 0, 100))
    assert all_on_ns(ASKED, edges(*GREEN, *late)) == 2_500_000
    assert all_on_ns(ASKED, edges(*GREEN)) is None


def test_commands_move_every_output_and_are_all_as_long() -> None:
    chance = Random(1)
    commands = [command(number, chance) for number in range(20 * GATE_EVERY)]
    assert {pulse.output for asked in commands for pulse in asked.pulses} == set(Output)
    assert {len(asked.pulses) for asked in commands} == {3}
    with_gate = [asked for asked in commands if {p.output for p in asked.pulses} & GATES]
    assert len(with_gate) == 20


def test_a_bound_that_is_missed_shows_in_red() -> None:
    assert {row.style for row in table_of(GOOD).rows} <= {"green", ""}
    assert all(met(GOOD, name) for name in goals(GOOD))
    slow = msgspec.structs.replace(GOOD, p99_ms=5.0, wrong=1)
    assert [row.style for row in table_of(slow).rows].count("red") == 2


def test_what_is_missing_is_said_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    there = shutil.which
    monkeypatch.setattr(shutil, "which", lambda tool: None if "avr" in tool else there(tool))
    found = CliRunner().invoke(bench, ["bridge", "--quick", "--json"])
    assert isinstance(found.exception, BenchmarkError)
    assert "apt-get install" in found.exception.hint
