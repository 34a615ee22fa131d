"""Protects: no host, broken or hostile, holds an output on or brings the chip to a halt."""

from __future__ import annotations

import time
from random import Random

import pytest

from admission.signal import ADMIT, REFER, Output, Pulse, Signal, SignalName
from benchmarks.chip.chip import Chip
from firmware_bridge.link.codec import frame_of
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.frame import encode
from firmware_bridge.link.messages import (
    Acknowledge,
    Heartbeat,
    NotAcknowledged,
    Refusal,
    Show,
)
from tests.firmware_bridge.chip.eeprom import with_configuration
from tests.firmware_bridge.chip.host import BarePort, Host
from tests.firmware_bridge.chip.readings import dark, gaps_ms, lengths_ms

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

MAX_ON_MS = 300
REST_MS = 100
SHORT = BoardConfiguration(max_on_ms=(MAX_ON_MS,) * len(Output))
LONG = Signal(
    SignalName.TEST,
    (Pulse(Output.GREEN, 5_000), Pulse(Output.RED, 5_000), Pulse(Output.GATE, 5_000)),
)
LINE_BYTES_A_S = 11_520
RECEIVER_BYTES = 3
"""Two in the buffer of an ATmega328P, one in its shift register."""


@pytest.mark.parametrize("every_ms", [3, 50, 290])
def test_the_longest_on_time_holds_however_often_it_is_asked(tools: None, every_ms: int) -> None:
    with Chip(eeprom=with_configuration(SHORT)) as chip, BarePort(chip.path) as port:
        port.greet()
        end = time.monotonic() + 4.0
        sequence = 0
        while time.monotonic() < end:
            sequence = sequence % 255 + 1
            port.send(Show(LONG), sequence)
            port.take()
            time.sleep(every_ms / 1_000)
        chip.run_for(MAX_ON_MS + 50)
        for output in (Output.GREEN, Output.RED, Output.GATE):
            assert len(lengths_ms(chip, output)) >= 5
            assert max(lengths_ms(chip, output)) <= MAX_ON_MS + 2
            assert min(gaps_ms(chip, output)) >= REST_MS - 2


def test_a_flood_of_garbage_moves_nothing_and_costs_nothing(chip: Chip) -> None:
    chance = Random(11)
    with BarePort(chip.path) as port:
        port.greet()
        whole = encode(frame_of(Show(ADMIT), port.session, 1))
        foreign = encode(frame_of(Heartbeat(), port.session ^ 0x5555, 0))
        flood = bytearray()
        while len(flood) < 10 * LINE_BYTES_A_S:
            piece = bytearray(whole)
            match chance.randrange(5):
                case 0:
                    piece = bytearray(chance.randbytes(chance.randrange(1, 200)))
                case 1:
                    piece = bytearray(chance.randrange(1, 90))  # delimiters
                case 2:
                    piece = bytearray(foreign) * 5  # each is answered
                case 3:
                    piece[chance.randrange(len(piece))] ^= 1 << chance.randrange(8)
                case _:
                    del piece[chance.randrange(1, len(piece) - 1) :]
            flood += piece
        for at in range(0, len(flood), 512):
            port.port.write(flood[at : at + 512])
            port.take()
        chip.run_for(len(flood) / LINE_BYTES_A_S * 1_000 / 10)
        statistics = chip.statistics()
        assert (statistics.lost, statistics.overruns) == (0, 0), "it keeps up with the line"
        assert len(chip.resets) == 1, "the watchdog had no reason"
    assert not any(lengths_ms(chip, output) for output in Output)
    assert dark(chip)
    with Host(chip.path) as host:
        host.show(REFER)
        assert chip.level(Output.AMBER) == 1


def test_a_show_that_comes_twice_runs_once(chip: Chip) -> None:
    with BarePort(chip.path) as port:
        port.greet()
        pulse = Signal(SignalName.ADMIT, (Pulse(Output.GATE, 200),))
        assert port.ask(Show(pulse), 1) == Acknowledge()
        chip.run_for(400)
        assert port.ask(Show(pulse), 1) == Acknowledge()
        chip.run_for(400)
    assert len(lengths_ms(chip, Output.GATE)) == 1


def test_a_frame_of_another_start_is_refused(chip: Chip) -> None:
    with BarePort(chip.path) as port:
        port.greet()
        chip.reset("external")
        chip.run_for(50)
        assert port.ask(Show(ADMIT), 1, again_s=0.2) == NotAcknowledged(Refusal.NO_SESSION)
    assert not any(lengths_ms(chip, output) for output in Output)


def test_the_bench_itself_loses_what_a_deaf_chip_does_not_fetch(chip: Chip) -> None:
    with BarePort(chip.path) as port:
        port.greet()
        chip.hang(deaf=True)
        port.port.write(bytes(20))
        chip.run_for(20)
        assert chip.statistics().lost == 20 - RECEIVER_BYTES
