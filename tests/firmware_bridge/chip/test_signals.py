"""Protects: what a verdict asks for is what the pins of the real chip do, to the millisecond."""

from __future__ import annotations

import time

import pytest

from admission.signal import ADMIT, REFER, REFUSE, Output, Pulse, Signal, SignalName
from benchmarks.chip.build import footprint
from benchmarks.chip.chip import CYCLES_PER_MS, LED, Chip
from firmware_bridge.errors import BridgeTimeout, BridgeUnavailable
from firmware_bridge.link.messages import ResetCause
from tests.firmware_bridge.chip.host import Host
from tests.firmware_bridge.chip.readings import dark, lengths_ms, spans_ms

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TICK_MS = 2.0
"""A pulse begins while its message is read, within a millisecond, and ends with a tick."""


@pytest.mark.parametrize("signal", [ADMIT, REFER, REFUSE], ids=lambda signal: signal.name.name)
def test_a_verdict_is_timed_by_the_chip(chip: Chip, signal: Signal) -> None:
    with Host(chip.path) as host:
        host.show(signal)
        acknowledged_ns = time.monotonic_ns()
        chip.run_for(max(pulse.length_ms for pulse in signal.pulses) + 50)
    for pulse in signal.pulses:
        spans = spans_ms(chip, pulse.output)
        assert len(spans) == pulse.count
        for number, (begin, end) in enumerate(spans):
            assert end - begin == pytest.approx(pulse.on_ms, abs=TICK_MS)
            expected = number * (pulse.on_ms + pulse.off_ms)
            assert begin - spans[0][0] == pytest.approx(expected, abs=TICK_MS)
    firsts = [
        next(edge for edge in chip.edges_of(pulse.output) if edge.level) for pulse in signal.pulses
    ]
    assert len({edge.cycle for edge in firsts}) == 1, "everything starts in one instant"
    assert all(edge.at_ns < acknowledged_ns for edge in firsts), "acknowledged is what runs"
    others = set(Output) - {pulse.output for pulse in signal.pulses}
    assert not any(spans_ms(chip, output) for output in others)


def test_a_newer_signal_takes_the_lamps_but_not_the_gate(chip: Chip) -> None:
    with Host(chip.path) as host:
        host.show(ADMIT)
        chip.run_for(100)
        host.show(REFER)
        chip.run_for(600)
    assert lengths_ms(chip, Output.GREEN)[0] < 1_400
    assert lengths_ms(chip, Output.GATE) == [pytest.approx(500, abs=TICK_MS)]


def test_the_led_tells_whether_a_host_is_there(chip: Chip) -> None:
    chip.run_for(1_200)
    assert len([edge for edge in chip.edges if edge.pin == LED]) >= 3
    with Host(chip.path) as host:
        assert host.board.reset_cause is ResetCause.POWER_ON
        chip.run_for(5)
        before = [edge for edge in chip.edges if edge.pin == LED]
        assert before[-1].level == 1
        chip.run_for(1_200)
        assert [edge for edge in chip.edges if edge.pin == LED] == before


def test_ten_thousand_commands_without_a_wrong_answer(chip: Chip) -> None:
    lamps = (Output.GREEN, Output.AMBER, Output.RED, Output.BUZZER)
    unanswered = 0
    with Host(chip.path) as host:
        for number in range(10_000):
            wanted = {lamp: number >> bit & 1 for bit, lamp in enumerate(lamps)}
            pulses = tuple(Pulse(lamp, 5_000) for lamp in lamps if wanted[lamp])
            try:
                host.show(Signal(SignalName.TEST, pulses))
            except (BridgeTimeout, BridgeUnavailable):
                unanswered += 1  # this machine stood still for a quarter of a second
                continue
            as_asked = chip.wait_until(
                lambda wanted=wanted: all(chip.level(lamp) == wanted[lamp] for lamp in lamps), 2.0
            )
            assert as_asked, f"command {number}: {wanted}"
        assert host.bridge.statistics().counters.acknowledged == 10_000 - unanswered
        assert host.bridge.statistics().rejected_frames == 0
        assert unanswered <= 10
        statistics = chip.statistics()
        assert (statistics.lost, statistics.overruns) == (0, 0)
    assert chip.wait_until(lambda: dark(chip), 5.0)


def test_the_stack_stays_within_what_the_build_promises(chip: Chip) -> None:
    with Host(chip.path) as host:
        for signal in (ADMIT, REFER, REFUSE):
            host.show(signal)
            chip.run_for(700)
    assert 0 < chip.statistics().ram_used <= footprint()["ram_bytes"]
    assert chip.statistics().cycle > CYCLES_PER_MS
