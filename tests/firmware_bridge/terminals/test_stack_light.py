"""A stack light shows what is energised and nothing else, in its maker's own words."""

from __future__ import annotations

import os
import time
import tty
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.terminals import stack_light
from firmware_bridge.terminals.cable_specs import StackLightSpec
from firmware_bridge.terminals.simulated_lights import (
    SimulatedAdafruitLight,
    SimulatedLight,
    SimulatedPatliteLight,
)
from firmware_bridge.terminals.stack_light import ANSWER_MS, PatliteLight, StackLightTerminals
from firmware_bridge.terminals.terminals import CALL_LIMIT_MS, TerminalsError

LIGHTS = frozenset({Output.GREEN, Output.AMBER, Output.RED, Output.BUZZER})
WIRED = BoardConfiguration(outputs=LIGHTS, inputs=frozenset())
WAIT_S = 5.0
MODELS = {"adafruit-5125": SimulatedAdafruitLight, "patlite-phe": SimulatedPatliteLight}


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine is no light that does not answer."""
    monkeypatch.setattr(stack_light, "ANSWER_MS", 2_000)


@pytest.fixture
def patlite() -> Iterator[SimulatedPatliteLight]:
    with SimulatedPatliteLight() as light:
        yield light


@pytest.fixture(params=MODELS)
def light(request: pytest.FixtureRequest) -> Iterator[tuple[str, SimulatedLight]]:
    with MODELS[request.param]() as light:
        yield request.param, light


def shows(light: SimulatedLight, *tiers: str) -> bool:
    return light.wait_until(lambda: light.lit == set(tiers), WAIT_S)


def test_each_output_lights_its_tier_and_no_other(light: tuple[str, SimulatedLight]) -> None:
    model, device = light
    terminals = StackLightTerminals(StackLightSpec(device.path, model), WIRED)
    terminals.write(frozenset({Output.GREEN, Output.BUZZER}))
    assert shows(device, "green", "buzzer")
    terminals.write(frozenset({Output.RED, Output.AMBER}))
    assert shows(device, "red", "amber")
    assert terminals.read() == frozenset()
    terminals.write(frozenset())
    assert shows(device)
    terminals.close()


def test_it_is_dark_once_it_is_open_and_once_it_is_closed(
    light: tuple[str, SimulatedLight],
) -> None:
    model, device = light
    for _ in range(2):
        terminals = StackLightTerminals(StackLightSpec(device.path, model), WIRED)
        assert shows(device)
        terminals.write(LIGHTS)
        assert shows(device, "red", "amber", "green", "buzzer")
        terminals.close()
        assert shows(device)


def test_tiers_may_be_wired_otherwise(light: tuple[str, SimulatedLight]) -> None:
    model, device = light
    tiers = {Output.GREEN: "amber", Output.AMBER: "red", Output.RED: "red"}
    configuration = BoardConfiguration(outputs=frozenset(tiers), inputs=frozenset())
    spec = StackLightSpec(device.path, model, tiers)  # type: ignore[arg-type]
    terminals = StackLightTerminals(spec, configuration)
    terminals.write(frozenset({Output.GREEN, Output.RED}))
    assert shows(device, "amber", "red")
    terminals.close()


def test_a_pulled_cable_is_noticed_without_a_write(light: tuple[str, SimulatedLight]) -> None:
    model, device = light
    terminals = StackLightTerminals(StackLightSpec(device.path, model), WIRED)
    device.unplug()
    with pytest.raises(TerminalsError) as raised:
        terminals.read()
    assert raised.value.hint
    terminals.close()


def test_the_adafruit_gets_the_bytes_of_its_makers_example() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    terminals = StackLightTerminals(StackLightSpec(os.ttyname(slave), "adafruit-5125"), WIRED)
    assert os.read(master, 64) == b"\x21\x22\x24\x28"
    terminals.write(frozenset({Output.RED, Output.BUZZER}))
    assert os.read(master, 64) == b"\x22\x24\x11\x18"
    terminals.close()
    os.close(master)
    os.close(slave)


def test_the_patlite_gets_the_bytes_of_its_makers_manual() -> None:
    # Section 3.2.2.4 of the manual T95100260 shows red on, green off, buzzer 4 as @??S190--4!,
    # 9 being "no change": we say 0 or 1 for every tier, so that a lost command does not stay.
    assert PatliteLight.SET % (1, 0, 1, 4) == b"@??S101004!"
    assert bytes([0x40, 0x3F, 0x3F, 0x47, 0x21]) == PatliteLight.ASK


def test_the_patlites_buzzer_has_the_pattern_that_was_chosen(
    patlite: SimulatedPatliteLight,
) -> None:
    spec = StackLightSpec(patlite.path, "patlite-phe", buzzer_pattern=3)
    terminals = StackLightTerminals(spec, WIRED)
    terminals.write(frozenset({Output.BUZZER}))
    assert patlite.state == [0, 0, 0, 0, 0, 3]
    terminals.close()


def test_one_lost_confirmation_is_asked_for_again(
    patlite: SimulatedPatliteLight, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminals = StackLightTerminals(StackLightSpec(patlite.path, "patlite-phe"), WIRED)
    monkeypatch.setattr(stack_light, "ANSWER_MS", 300)
    answers = [b"", b"\x15"]
    for first in answers:
        spoilt = [first]
        patlite.to_host = lambda data, spoilt=spoilt: spoilt.pop() if spoilt else data  # type: ignore[misc]
        terminals.write(frozenset({Output.RED}))
        assert patlite.lit == {"red"}
    terminals.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b"", "does not answer"), (b"\x15", "NAK"), (b"\x06\x06\x06\x06\x06\x06", "noise")],
)
def test_a_patlite_that_does_not_confirm_is_an_error_in_bounded_time(
    patlite: SimulatedPatliteLight,
    answer: bytes,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminals = StackLightTerminals(StackLightSpec(patlite.path, "patlite-phe"), WIRED)
    monkeypatch.setattr(stack_light, "ANSWER_MS", ANSWER_MS)
    patlite.to_host = lambda _: answer
    began_ns = time.monotonic_ns()
    with pytest.raises(TerminalsError, match=words) as raised:
        terminals.read()
    assert time.monotonic_ns() - began_ns < 2 * CALL_LIMIT_MS * 1_000_000
    assert "model" in raised.value.hint
    terminals.close()


def test_whoever_presses_clear_puts_no_lane_out_of_order(patlite: SimulatedPatliteLight) -> None:
    terminals = StackLightTerminals(StackLightSpec(patlite.path, "patlite-phe"), WIRED)
    terminals.write(frozenset({Output.RED}))
    patlite.clear()
    assert terminals.read() == frozenset()
    terminals.close()


class ScriptedLine:
    name = "line"

    def __init__(self, chunks: list[bytes]) -> None:
        self.waited_ms = 0
        self._chunks = chunks

    def send(self, data: bytes, timeout_ms: int) -> None:
        pass

    def rest(self, silence_ms: int) -> None:
        self.waited_ms += silence_ms

    def receive(self, timeout_ms: int) -> bytes:
        if self._chunks:
            return self._chunks.pop(0)
        self.waited_ms += timeout_ms
        return b""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=8), st.sampled_from([b"\x06", b"\x15", b"000000"]))))
def test_whatever_a_light_answers_is_an_answer_or_an_error(chunks: list[bytes]) -> None:
    line = ScriptedLine(chunks)
    light = PatliteLight(line, 1)  # type: ignore[arg-type]
    for ask in (light.look, lambda: light.set(frozenset({"red"}))):
        try:
            ask()
        except TerminalsError as error:
            hint = error.hint
            assert hint
    assert line.waited_ms <= 2 * (2 * 2_000 + 200)


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        (BoardConfiguration(inputs=frozenset()), "no tier on a stack light for gate"),
        (BoardConfiguration(outputs=LIGHTS, inputs=frozenset({Input.STOP})), "for stop"),
        (
            BoardConfiguration(outputs=LIGHTS, inputs=frozenset(), active_low=LIGHTS),
            "active low",
        ),
    ],
)
def test_a_wiring_that_does_not_fit_is_refused(
    configuration: BoardConfiguration, words: str
) -> None:
    with pytest.raises(TerminalsError, match=words):
        StackLightTerminals(StackLightSpec("/nowhere", "adafruit-5125"), configuration)


def test_a_light_opens_no_gate() -> None:
    with pytest.raises(ValueError, match="opens no gate"):
        StackLightSpec("/nowhere", "adafruit-5125", {Output.GATE: "red"})
