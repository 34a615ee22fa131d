"""Protects: contacts and gate cycle on the real chip, from the pin of a sensor to the host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from admission.gate import GateOutcome, Input, Side
from admission.signal import Output, Pulse, Signal, SignalName
from benchmarks.chip.chip import CYCLES_PER_MS, Chip
from firmware_bridge.errors import BridgeRefused
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import GateEvent, InputEvent, Refusal
from tests.firmware_bridge.chip.eeprom import with_configuration
from tests.firmware_bridge.chip.host import Host
from tests.firmware_bridge.chip.readings import lengths_ms, since_ms

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

DEBOUNCE_MS = 20
WINDOW_MS = 3_000
TURNSTILE = BoardConfiguration(
    inputs=frozenset(Input) - {Input.READY},
    hold=True,
    window_ms=WINDOW_MS,
    debounce_ms=DEBOUNCE_MS,
)
WITH_READY = BoardConfiguration(inputs=frozenset(Input), window_ms=WINDOW_MS, settle_ms=50)
ENTRY = Signal(SignalName.ADMIT, (Pulse(Output.GREEN, 500), Pulse(Output.GATE, 500)))
EXIT = Signal(SignalName.ADMIT, (Pulse(Output.GREEN, 500), Pulse(Output.GATE_B, 500)))
SLACK_MS = 2.0


@pytest.fixture
def turnstile(tools: None) -> Iterator[Chip]:
    with Chip(eeprom=with_configuration(TURNSTILE)) as chip:
        yield chip


def touch(chip: Chip, source: Input, for_ms: float = 60) -> None:
    chip.contact(source, closed=True)
    chip.run_for(for_ms)
    chip.contact(source, closed=False)
    chip.run_for(60)


def outcomes(host: Host) -> list[tuple[GateOutcome, Side, int]]:
    return [
        (event.outcome, event.side, event.entry)
        for event in host.events
        if isinstance(event, GateEvent)
    ]


def test_the_gate_is_held_until_somebody_passed_and_the_second_is_told(turnstile: Chip) -> None:
    with Host(turnstile.path) as host:
        host.show(ENTRY, entry=41)
        assert turnstile.level(Output.GATE) == 1
        turnstile.run_for(700)
        assert turnstile.level(Output.GATE) == 1, "held, and not pulsed"
        passed = turnstile.contact(Input.PASSAGE_A, closed=True)
        turnstile.run_for(60)
        assert since_ms(turnstile, passed, Output.GATE) == pytest.approx(DEBOUNCE_MS, abs=SLACK_MS)
        turnstile.contact(Input.PASSAGE_A, closed=False)
        turnstile.run_for(60)
        touch(turnstile, Input.PASSAGE_A)
        host.until(lambda: len(host.events) == 2)
        assert outcomes(host) == [
            (GateOutcome.PASSED, Side.A, 41),
            (GateOutcome.TAILGATED, Side.A, 41),
        ]


def test_nobody_passes_and_the_admission_is_annulled(turnstile: Chip) -> None:
    with Host(turnstile.path) as host:
        host.show(EXIT, entry=42)
        host.until(lambda: len(host.events) == 1)
        assert outcomes(host) == [(GateOutcome.NOT_PASSED, Side.B, 42)]
        assert lengths_ms(turnstile, Output.GATE_B) == [pytest.approx(WINDOW_MS, abs=SLACK_MS)]
        touch(turnstile, Input.PASSAGE_B)
        host.until(lambda: len(host.events) == 2)
        assert outcomes(host)[1] == (GateOutcome.FORCED, Side.B, 0)


def test_a_passage_counts_only_with_a_turnstile_that_is_ready(tools: None) -> None:
    with Chip(eeprom=with_configuration(WITH_READY)) as chip, Host(chip.path) as host:
        with pytest.raises(BridgeRefused) as caught:
            host.show(ENTRY, entry=43)
        assert caught.value.reason == Refusal.NOT_READY
        assert not lengths_ms(chip, Output.GATE)
        chip.contact(Input.READY, closed=True)
        host.until(lambda: Input.READY in host.bridge.sensed)
        chip.run_for(100)
        host.show(ENTRY, entry=44)
        touch(chip, Input.PASSAGE_A, for_ms=200)
        host.until(lambda: bool(outcomes(host)))
        assert outcomes(host) == [(GateOutcome.PASSED, Side.A, 44)]


def test_stop_takes_the_current_away_at_once_and_refuses(turnstile: Chip) -> None:
    with Host(turnstile.path) as host:
        host.show(ENTRY, entry=45)
        pressed = turnstile.contact(Input.STOP, closed=True)
        assert turnstile.wait_until(lambda: turnstile.level(Output.GATE) == 0, 1.0)
        assert since_ms(turnstile, pressed, Output.GATE) == pytest.approx(DEBOUNCE_MS, abs=SLACK_MS)
        host.until(lambda: Input.STOP in host.bridge.sensed)
        with pytest.raises(BridgeRefused) as caught:
            host.show(ENTRY, entry=46)
        assert caught.value.reason == Refusal.STOPPED
        turnstile.contact(Input.STOP, closed=False)
        host.until(lambda: Input.STOP not in host.bridge.sensed)


@pytest.mark.parametrize("source", [Input.BUTTON, Input.TAMPER, Input.FIRE, Input.STOP])
def test_an_edge_is_told_once_after_the_debounce_time(turnstile: Chip, source: Input) -> None:
    with Host(turnstile.path) as host:
        begin = turnstile.statistics().cycle + 500 * CYCLES_PER_MS
        for number in range(5):  # it bounces
            at_cycle = begin + number * 30 * CYCLES_PER_MS
            turnstile.contact(source, closed=True, at_cycle=at_cycle)
            turnstile.contact(source, closed=False, at_cycle=at_cycle + 18 * CYCLES_PER_MS)
        turnstile.run_for(750)
        assert not host.events
        closed = turnstile.contact(source, closed=True)
        host.until(lambda: len(host.events) == 1)
        event = host.events[0]
        assert isinstance(event, InputEvent)
        assert (event.input, event.value) == (source, 1)
        lived_ms = (closed.cycle - turnstile.resets[-1].cycle) / CYCLES_PER_MS
        # The board's clock starts some 20 ms after the reset, once the start is counted.
        assert event.board_ms == pytest.approx(lived_ms + DEBOUNCE_MS - 18, abs=5)
        turnstile.contact(source, closed=False)
        host.until(lambda: len(host.events) == 2)
        turnstile.run_for(200)
        assert len(host.events) == 2


def test_a_contact_that_is_closed_at_the_start_is_a_state_and_no_event(turnstile: Chip) -> None:
    turnstile.contact(Input.FIRE, closed=True)
    turnstile.reset("power_on")
    with Host(turnstile.path) as host:
        host.until(lambda: Input.FIRE in host.bridge.sensed)
        turnstile.run_for(100)
        assert not host.events
