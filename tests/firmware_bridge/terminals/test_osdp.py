"""An OSDP reader says what is energised, and ends by itself if we fall silent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import osdp_sys
import pytest

from admission.gate import Input
from admission.signal import GATES, Output
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.terminals import osdp
from firmware_bridge.terminals.cable_specs import OsdpSpec
from firmware_bridge.terminals.osdp import OsdpTerminals
from firmware_bridge.terminals.terminals import CALL_LIMIT_MS, TerminalsError
from tests.firmware_bridge.terminals.osdp_readers import ADDRESS, KEY, Reader, a_reader
from tests.firmware_bridge.terminals.relay_boards import Clock, NullModem

LIGHTS = frozenset(Output) - GATES
WIRED = BoardConfiguration(
    outputs=LIGHTS, inputs=frozenset({Input.TAMPER}), max_on_ms=(1_550,) * len(Output)
)
WAIT_S = 10.0
Plain = tuple[Reader, OsdpTerminals, NullModem]
RED, GREEN, DARK = osdp_sys.LED_COLOR_RED, osdp_sys.LED_COLOR_GREEN, osdp_sys.LED_COLOR_NONE


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "reader.key"
    path.write_text(KEY.hex() + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plain(clock: Clock) -> Iterator[Plain]:
    with a_reader() as (reader, cable):
        terminals = OsdpTerminals(OsdpSpec(cable.paths[0], address=ADDRESS), WIRED, clock)
        yield reader, terminals, cable
        clock.real()
        terminals.close()


def until_silent(terminals: OsdpTerminals) -> None:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        terminals.read()
        time.sleep(0.01)


def test_it_is_dark_beneath_and_silent_once_it_is_open(plain: Plain) -> None:
    reader, _, _ = plain
    permanent = [command for command in reader.lamp if not command["temporary"]]
    assert [command["on_color"] for command in permanent] == [DARK]
    assert reader.lamp[-1]["control_code"] == 1  # whatever was lit for a time ends
    assert reader.buzzer[-1]["control_code"] == 1  # off


def test_lamp_and_tone_are_told_their_own_end(plain: Plain) -> None:
    reader, terminals, _ = plain
    terminals.write(frozenset({Output.GREEN, Output.BUZZER}))
    lit, tone = reader.lamp[-1], reader.buzzer[-1]
    assert (lit["on_color"], lit["temporary"], lit["control_code"]) == (GREEN, True, 2)
    assert lit["timer_count"] == 16  # 1,550 ms in units of 100 ms, rounded up
    assert (tone["control_code"], tone["on_count"], tone["rep_count"]) == (2, 16, 1)


def test_what_ends_earlier_is_ended(plain: Plain) -> None:
    reader, terminals, _ = plain
    terminals.write(frozenset({Output.GREEN, Output.BUZZER}))
    terminals.write(frozenset({Output.GREEN}))
    assert reader.buzzer[-1]["control_code"] == 1
    terminals.write(frozenset())
    assert reader.lamp[-1]["control_code"] == 1


def test_of_several_lamps_the_more_careful_is_shown(plain: Plain) -> None:
    reader, terminals, _ = plain
    terminals.write(frozenset({Output.GREEN, Output.AMBER, Output.RED}))
    assert reader.lamp[-1]["on_color"] == RED


def test_what_does_not_change_is_not_said_again(plain: Plain) -> None:
    reader, terminals, _ = plain
    terminals.write(frozenset({Output.RED}))
    said = len(reader.lamp)
    terminals.write(frozenset({Output.RED, Output.GREEN}))
    assert len(reader.lamp) == said


def test_tamper_is_an_input(plain: Plain) -> None:
    reader, terminals, _ = plain
    assert terminals.read() == frozenset()
    reader.tamper()
    deadline = time.monotonic() + WAIT_S
    while not (active := terminals.read()) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert active == {Input.TAMPER}


def test_a_reader_that_lost_its_power_is_found_out_without_a_write(
    plain: Plain, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, terminals, _ = plain
    clock.real()
    monkeypatch.setattr(osdp, "SILENCE_MS", 300)
    reader.stop()
    with pytest.raises(TerminalsError, match="fallen silent") as raised:
        until_silent(terminals)
    assert raised.value.hint


def test_a_write_to_a_dead_reader_ends_within_its_limit(plain: Plain, clock: Clock) -> None:
    reader, terminals, _ = plain
    clock.real()
    reader.stop()
    began_ns = time.monotonic_ns()
    with pytest.raises(TerminalsError, match="does not confirm"):
        terminals.write(frozenset({Output.RED}))
    assert time.monotonic_ns() - began_ns < 2 * CALL_LIMIT_MS * 1_000_000


def test_a_reader_that_declines_is_an_error(plain: Plain) -> None:
    reader, terminals, _ = plain
    reader.accepts = lambda command: command["command"] != osdp_sys.CMD_BUZZER
    with pytest.raises(TerminalsError, match="declines"):
        terminals.write(frozenset({Output.BUZZER}))


def test_a_pulled_cable_is_an_error_with_a_hint(plain: Plain) -> None:
    _, terminals, cable = plain
    cable.cut()
    with pytest.raises(TerminalsError) as raised:
        until_silent(terminals)
    assert "cable" in raised.value.hint


def test_noise_before_an_answer_is_passed_over(plain: Plain) -> None:
    reader, terminals, cable = plain
    spoilt = [b"\x00\x7fnoise"]
    cable.spoil = lambda data: spoilt.pop() + data if spoilt else data
    for colour in ({Output.RED}, {Output.GREEN}, set[Output]()):
        terminals.write(frozenset(colour))
    assert reader.lamp[-1]["control_code"] == 1
    assert not spoilt


def test_a_damaged_answer_is_no_confirmation(plain: Plain, clock: Clock) -> None:
    _, terminals, cable = plain
    clock.real()
    cable.spoil = lambda data: data[:-1] + bytes([data[-1] ^ 1])
    with pytest.raises(TerminalsError, match=r"damaged|does not confirm"):
        terminals.write(frozenset({Output.RED}))


def test_with_a_key_the_channel_is_secure(key_file: Path) -> None:
    with a_reader(KEY, insists=True) as (reader, cable):
        spec = OsdpSpec(cable.paths[0], address=ADDRESS, key_file=str(key_file))
        terminals = OsdpTerminals(spec, WIRED, Clock())
        terminals.write(frozenset({Output.GREEN}))
        assert reader.lamp[-1]["on_color"] == GREEN
        terminals.close()


@pytest.mark.parametrize(
    ("reader_key", "words"), [(bytes(16), "opens no secure channel"), (None, "does not answer")]
)
def test_without_the_readers_key_nothing_is_opened(
    key_file: Path, reader_key: bytes | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osdp, "OPENING_MS", 400)
    with a_reader(reader_key, insists=reader_key is not None) as (reader, cable):
        if reader_key is None:
            reader.stop()
        spec = OsdpSpec(cable.paths[0], address=ADDRESS, key_file=str(key_file))
        with pytest.raises(TerminalsError, match=words) as raised:
            OsdpTerminals(spec, WIRED, time.monotonic_ns)
        assert raised.value.hint
        assert reader.lamp == []


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (KEY.hex(), 0o640, "read by others"),
        (KEY.hex(), 0o604, "read by others"),
        (KEY.hex()[:-2], 0o600, "15 bytes"),
        ("not a key", 0o600, "no hexadecimal digits"),
        ("\u00e9", 0o600, "no hexadecimal digits"),
    ],
)
def test_a_key_that_is_none_or_no_secret_is_refused_and_never_told(
    tmp_path: Path, text: str, mode: int, words: str
) -> None:
    path = tmp_path / "reader.key"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(TerminalsError, match=words) as raised:
        OsdpTerminals(OsdpSpec("/nowhere", key_file=str(path)), WIRED, time.monotonic_ns)
    assert text not in str(raised.value) + raised.value.hint


def test_a_missing_key_file_is_an_error_with_a_hint(tmp_path: Path) -> None:
    spec = OsdpSpec("/nowhere", key_file=str(tmp_path / "none"))
    with pytest.raises(TerminalsError, match="No such file") as raised:
        OsdpTerminals(spec, WIRED, time.monotonic_ns)
    assert "600" in raised.value.hint


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        (BoardConfiguration(inputs=frozenset()), "no lamp on an OSDP reader for gate"),
        (BoardConfiguration(outputs=LIGHTS), "no contact on an OSDP reader for button"),
    ],
)
def test_a_wiring_that_does_not_fit_is_refused(
    configuration: BoardConfiguration, words: str
) -> None:
    with pytest.raises(TerminalsError, match=words):
        OsdpTerminals(OsdpSpec("/nowhere"), configuration, time.monotonic_ns)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"device": ""}, "has a device"),
        ({"address": 127}, "0 to 126"),
        ({"baud": 12_345}, "baud is one of"),
        ({"led": 256}, "0 to 255"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        OsdpSpec(**{"device": "/nowhere", **settings})  # type: ignore[arg-type]
