"""Protects: whoever dies, host, cable, power or program, the chip lets go by itself and in time."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from admission.signal import ADMIT, REFER, Output, Pulse, Signal, SignalName
from benchmarks.chip.chip import CAUSES, CYCLES_PER_MS, Chip
from benchmarks.chip.events import Moment
from firmware_bridge.link.codec import frame_of
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.frame import encode
from firmware_bridge.link.messages import Acknowledge, Heartbeat, HeartbeatReply, ResetCause, Show
from tests.firmware_bridge.chip.eeprom import with_configuration, with_starts
from tests.firmware_bridge.chip.host import BarePort, Host, show_and_beat
from tests.firmware_bridge.chip.readings import dark, lengths_ms, since_ms

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

DEAD_MAN_MS = 1_000
WATCHDOG_MS = 120
LONG = Signal(
    SignalName.TEST,
    (Pulse(Output.GREEN, 5_000), Pulse(Output.BUZZER, 5_000), Pulse(Output.GATE, 5_000)),
)
CAUSE_OF = dict(
    zip(
        CAUSES,
        (ResetCause.POWER_ON, ResetCause.EXTERNAL, ResetCause.BROWN_OUT, ResetCause.WATCHDOG),
        strict=True,
    )
)


def assert_dead_man(chip: Chip, last_word: Moment) -> None:
    for pulse in LONG.pulses:
        assert DEAD_MAN_MS - 10 <= since_ms(chip, last_word, pulse.output) <= DEAD_MAN_MS


def test_a_host_that_is_killed_with_the_gate_open(chip: Chip, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    process = multiprocessing.get_context("spawn").Process(
        target=show_and_beat, args=(chip.path, LONG, str(shown))
    )
    process.start()
    deadline = time.monotonic() + 30
    while not shown.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert chip.level(Output.GATE) == 1
    process.kill()
    process.join()
    assert chip.wait_until(lambda: dark(chip), 3.0)
    assert_dead_man(chip, chip.delimiters[-1])


def test_a_host_that_holds_the_port_and_says_nothing(chip: Chip) -> None:
    with BarePort(chip.path) as port:
        port.greet()
        assert port.ask(Show(LONG), 1) == Acknowledge()
        assert chip.wait_until(lambda: dark(chip), 3.0)
    assert_dead_man(chip, chip.delimiters[-1])


def test_bytes_that_are_no_frames_hold_no_handle(chip: Chip) -> None:
    with BarePort(chip.path) as port:
        port.greet()
        assert port.ask(Show(LONG), 1) == Acknowledge()
        last_word = chip.delimiters[-1]
        for _ in range(300):
            port.port.write(b"\x00\x17chatter\x00")
            if dark(chip):
                break
            time.sleep(0.005)
    assert_dead_man(chip, last_word)


def test_the_cable_is_pulled_in_mid_frame(chip: Chip) -> None:
    with BarePort(chip.path) as port:
        port.greet()
        frame = encode(frame_of(Show(ADMIT), port.session, 1))
        port.port.write(frame[: len(frame) // 2])
        chip.run_for(5)
        chip.unplug()
    chip.run_for(50)
    chip.replug()
    replugged = time.monotonic()
    with Host(chip.path) as host:
        assert time.monotonic() - replugged < 2.0
        assert not lengths_ms(chip, Output.GREEN)
        host.show(REFER)
        assert chip.level(Output.AMBER) == 1
        assert chip.level(Output.GREEN) == 0


def test_the_cable_is_pulled_with_the_gate_open(chip: Chip) -> None:
    with Host(chip.path) as host:
        host.show(LONG)
        chip.unplug()
        assert chip.wait_until(lambda: dark(chip), 3.0)
        assert_dead_man(chip, chip.delimiters[-1])
        chip.replug()
        back = time.monotonic()
        host.until(lambda: host.bridge.alive, 2.0)
        assert time.monotonic() - back < 2.0
        chip.run_for(100)
        assert dark(chip), "what ran does not come back"
        host.show(REFER)
        assert host.bridge.statistics().counters.board_resets == 0


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(lambda chip: chip.hang(), id="the program hangs"),
        pytest.param(lambda chip: chip.hang(deaf=True), id="it hangs with interrupts barred"),
        pytest.param(lambda chip: chip.stop_tick(), id="time stands still"),
        pytest.param(lambda chip: chip.stray_interrupt(), id="an interrupt nobody asked for"),
    ],
)
def test_the_watchdog_ends_a_fault_with_the_gate_open(
    chip: Chip, fault: Callable[[Chip], Moment]
) -> None:
    with Host(chip.path) as host:
        host.show(LONG)
        assert chip.level(Output.GATE) == 1
        began = fault(chip)
        host.until(lambda: len(chip.resets) == 2)
        reset = chip.resets[-1]
        assert reset.cause == "watchdog"
        assert (reset.cycle - began.cycle) / CYCLES_PER_MS <= WATCHDOG_MS + 10
        for pulse in LONG.pulses:
            released = next(e for e in chip.edges_of(pulse.output) if e.cycle >= began.cycle)
            assert released.level is None
            assert released.cycle <= reset.cycle
        host.until(lambda: host.board.reset_cause is ResetCause.WATCHDOG)
        chip.run_for(100)
        assert dark(chip), "a restart energises nothing"
        assert host.bridge.statistics().counters.board_resets == 1
        host.show(REFER)


def test_a_brown_out_in_mid_pattern(chip: Chip) -> None:
    with Host(chip.path) as host:
        host.show(ADMIT)
        chip.run_for(60)
        boots = host.board.boot_count
        chip.reset("brown_out")
        for pulse in ADMIT.pulses:
            after = [e for e in chip.edges_of(pulse.output) if e.cycle >= chip.resets[-1].cycle]
            assert after[0].level is None
            assert not any(edge.level for edge in after)
        host.until(lambda: host.board.boot_count == boots + 1)
        assert host.board.reset_cause is ResetCause.BROWN_OUT
        chip.run_for(2_000)
        assert dark(chip)
        host.show(ADMIT)
        assert chip.level(Output.GATE) == 1


@pytest.mark.parametrize("bootloader", [False, True])
@pytest.mark.parametrize("cause", CAUSES)
def test_the_cause_of_a_reset_is_told(chip: Chip, cause: str, bootloader: bool) -> None:
    with Host(chip.path) as host:
        boots = host.board.boot_count
        chip.reset(cause, bootloader=bootloader)
        host.until(lambda: host.board.boot_count == boots + 1)
        assert host.board.reset_cause is CAUSE_OF[cause]


def test_every_start_is_counted_also_over_the_end_of_numbers(tools: None) -> None:
    with Chip(eeprom=with_starts(65_533)) as chip:
        for expected in (65_534, 65_535, 0, 1, 2):
            chip.run_for(40)
            with BarePort(chip.path) as port:
                assert port.greet().boot_count == expected
            chip.reset("power_on")


def test_a_count_that_a_power_cut_tore_is_passed_over(chip: Chip) -> None:
    for _ in range(3):
        chip.run_for(40)
        chip.reset("power_on")
    chip.run_for(5)  # one byte or two of the fourth count are written
    chip.reset("power_on")
    chip.run_for(40)
    with BarePort(chip.path) as port:
        assert port.greet().boot_count == 4
    assert chip.eeprom()[:64] == with_configuration(BoardConfiguration())[:64]


def test_a_session_goes_on_over_beats(chip: Chip) -> None:
    with BarePort(chip.path) as port:
        port.greet()
        assert port.ask(Show(LONG), 1) == Acknowledge()
        for _ in range(8):
            chip.run_for(400)
            answer = port.ask(Heartbeat())
            assert isinstance(answer, HeartbeatReply)
            assert answer.energised == {pulse.output for pulse in LONG.pulses}
