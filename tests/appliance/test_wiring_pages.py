"""What the pages for technicians say is what the code does: pins, tables, signals, limits."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from admission.gate import Input
from admission.signal import ADMIT, ALARM, LAMPS, OUT_OF_ORDER, REFER, REFUSE, Output, Signal
from appliance.bridge_tables import BridgeTable, McuBridgeTable, configuration_of
from appliance.gate_table import GateTable
from appliance.sound_table import SoundTable, fault_in, quiet_from

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIRING = (DOCS / "wiring.md").read_text()
COMMISSIONING = (DOCS / "commissioning.md").read_text()
TABLES = re.findall(r"```toml\n(.*?)```", WIRING + COMMISSIONING, re.DOTALL)


def test_pins_are_the_firmwares() -> None:
    """Outputs are D2 on, inputs A0 on and D8 (firmware/avr/pins.c), by their numbers."""
    pins = dict(re.findall(r"\| `(\w+)`[^|]* \| ([AD]\d)", WIRING))
    expected = {output.name.lower(): f"D{2 + output}" for output in Output}
    expected |= {source.name.lower(): f"A{source}" for source in Input if source <= Input.STOP}
    assert pins == expected | {"ready": "D8"}
    drawing = (DOCS / "images" / "wiring-pins.svg").read_text()
    assert all(f">{pin}<" in drawing for pin in pins.values())


@pytest.mark.parametrize("text", TABLES, ids=[str(number) for number in range(len(TABLES))])
def test_what_is_to_be_copied_is_understood(text: str) -> None:
    lane = tomllib.loads(text)["lane"]
    gate = msgspec.convert(lane.get("gate", {}), GateTable)
    bridge = msgspec.convert(lane["bridge"], BridgeTable)
    sound = msgspec.convert(lane.get("sound", {}), SoundTable)
    assert fault_in(sound) is None
    if isinstance(bridge, McuBridgeTable):
        assert configuration_of(bridge, gate) is not None
        assert quiet_from(sound) is not None


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("ADMIT", ADMIT),
        ("REFER", REFER),
        ("REFUSE", REFUSE),
        ("OUT OF ORDER", OUT_OF_ORDER),
        ("ALARM", ALARM),
    ],
)
def test_the_signals_are_those_of_the_table(name: str, signal: Signal) -> None:
    (row,) = re.findall(rf"^\| {name}[^|]*\|(.*)$", COMMISSIONING, re.MULTILINE)
    lamps, rhythm, sound = (cell.strip() for cell in row.strip("| ").split("|"))
    lit = [pulse for pulse in signal.pulses if pulse.output in LAMPS]
    assert lamps == " and ".join(pulse.output.name.lower() for pulse in lit)
    counted = {1: "one", 2: "two", 3: "three"}
    (buzzer,) = (pulse for pulse in signal.pulses if pulse.output is Output.BUZZER)
    assert sound.startswith(counted.get(buzzer.count, "a rattle"))
    if signal in (REFER, REFUSE, OUT_OF_ORDER):
        assert rhythm.endswith(f"{lit[0].count} times")
    if 1 < buzzer.on_ms / 200 < 10:
        assert f"{buzzer.on_ms / 1_000:g} s" in sound


@pytest.mark.parametrize("page", [WIRING, COMMISSIONING], ids=["wiring", "commissioning"])
def test_what_is_linked_is_there(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page):
        assert (DOCS / target).is_file(), target
