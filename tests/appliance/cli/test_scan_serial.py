"""`chot scan --serial`: what is found is told as a configuration that works as it is pasted."""

from __future__ import annotations

import asyncio
import json
import threading
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.cli import scan_serial
from appliance.cli.scan import SCANNER_COMMANDS, SCANNER_PROFILES, scan
from appliance.cli.scan_report import Finding
from appliance.cli.scan_serial import SerialDetection, table_of, toml_of
from appliance.config import parse_config
from appliance.serial_table import SerialSourceTable, contradictions
from scanner.serial.detecting import Patience
from scanner.serial.detection import Guess
from scanner.serial.framing import LineEnd
from scanner.serial.profiles import PROFILES, Capability
from scanner.serial.simulated import SimulatedDevice, SimulatedScanner
from scanner.serial.simulated.device import MODELS
from scanner.serial.simulated.model import Sign
from scanner.serial.simulated.uart import MistunedPort
from tests.appliance.test_config import TEXT

QUICK = Patience(reply_s=0.1, silence_s=0.02)


class Findings:
    def __init__(self) -> None:
        self.all: list[Finding] = []

    def add(self, finding: Finding) -> None:
        self.all.append(finding)

    def close(self) -> None: ...


def detection(report: Findings, device_baud: int = 9_600, **options: Any) -> SerialDetection:
    return SerialDetection(
        report,
        patience=QUICK,
        open_port=partial(MistunedPort, device_baud=device_baud),
        **({"asking": True, "seconds": 10.0, "as_json": False} | options),
    )


@pytest.fixture
def on_a_thread() -> Iterator[Callable[[str], str]]:
    """Yield a function that runs a profile's device on a loop of its own and returns its path."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    devices: list[SimulatedDevice] = []

    def run(profile: str) -> str:
        async def plug() -> str:
            device = SimulatedDevice(MODELS[profile]())
            devices.append(device)
            device.plug()
            return device.path

        return asyncio.run_coroutine_threadsafe(plug(), loop).result(10)

    async def unplug() -> None:
        for device in devices:
            device.unplug()

    run.devices = devices  # type: ignore[attr-defined]
    yield run
    asyncio.run_coroutine_threadsafe(unplug(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def pasted(text: str) -> SerialSourceTable:
    tree = tomllib.loads(TEXT)
    tree["lane"][0]["sources"] = tomllib.loads(text)["lane"]["sources"]
    table = parse_config(tree, Path("gate.toml")).lane[0].sources[0]
    assert isinstance(table, SerialSourceTable)
    return table


def test_every_profile_can_be_chosen() -> None:
    assert set(SCANNER_PROFILES) == set(PROFILES)


def test_everything_that_a_scanner_can_be_told_can_be_tried() -> None:
    assert set(SCANNER_COMMANDS) == set(Capability)


@pytest.mark.parametrize(("profile", "known"), [("newland", True), ("gm65", False)])
def test_a_technician_hears_what_people_would(
    on_a_thread: Callable[[str], str], profile: str, known: bool
) -> None:
    path = on_a_thread(profile)
    result = CliRunner().invoke(
        scan,
        ["--serial", path, "--profile", profile, "--tell", "good", "--for", "1", "--json"],
    )
    assert result.exit_code == 0, result.output
    device = on_a_thread.devices[0]  # type: ignore[attr-defined]
    assert (Sign.GOOD in device.model.signs) == known
    assert ("knows no good" in result.stdout) != known


def test_a_named_port_is_taken_as_it_is() -> None:
    tables = detection(Findings()).tables(["/dev/ttyUSB0"], None, "gm65")
    assert tables == [SerialSourceTable("/dev/ttyUSB0", "/dev/ttyUSB0", profile="gm65")]


@pytest.mark.parametrize(
    "guess",
    [
        Guess(19_200, "honeywell", told=True),
        Guess(9_600),
        Guess(9_600, line_end=LineEnd.GAP),
        Guess(115_200, line_end=LineEnd.ETX),
        Guess(9_600, "zebra-ssi"),
    ],
)
def test_what_is_found_can_be_pasted_and_does_not_contradict_itself(guess: Guess) -> None:
    table = table_of('/dev/serial/by-id/usb-"odd"-if00', guess)
    read = pasted(toml_of(table, 1))
    assert (read.port, read.profile, read.baud) == (table.port, table.profile, table.baud)
    assert (read.line_end, read.gap_s) == (table.line_end, table.gap_s)
    assert not list(contradictions(read))


def test_a_scanner_that_answers_is_found_and_told_as_toml(
    on_a_thread: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = on_a_thread("honeywell")
    (table,) = detection(Findings()).tables([f"auto:{path}"], None, "generic")
    assert (table.profile, table.baud) == ("honeywell", 9_600)
    assert pasted(capsys.readouterr().out).port == path


def test_programs_are_told_in_json(
    on_a_thread: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = on_a_thread("newland")
    detection(Findings(), as_json=True).tables([f"auto:{path}"], None, "generic")
    line = json.loads(capsys.readouterr().out)
    assert line["source"] == path
    assert line["found"]["profile"] == "newland"


def test_a_mute_scanner_is_found_by_its_scans(capsys: pytest.CaptureFixture[str]) -> None:
    with SimulatedScanner() as scanner:
        stop = threading.Event()

        def scan_again_and_again() -> None:
            while not stop.wait(0.03):
                asyncio.run(scanner.send("079123456789|Nguyễn Văn An"))

        thread = threading.Thread(target=scan_again_and_again)
        thread.start()
        try:
            found = detection(Findings(), asking=False).tables(
                [f"auto:{scanner.path}"], None, "generic"
            )
        finally:
            stop.set()
            thread.join()
    (table,) = found
    assert (table.profile, table.baud) == ("generic", 9_600)
    captured = capsys.readouterr()
    assert "how its scans sound" in captured.out
    assert "plausible" in captured.err


def test_no_port_and_no_scanner_are_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = Findings()
    monkeypatch.setattr(scan_serial, "find_ports", list)
    assert detection(report).tables(["auto"], None, "generic") == []
    with SimulatedScanner() as scanner:
        monkeypatch.setattr(scan_serial, "find_ports", lambda: [scanner.path])
        silent = detection(report, asking=False, seconds=0.05)
        assert silent.tables(["auto"], None, "generic") == []
    assert detection(report).tables(["auto:/dev/none-such"], None, "generic") == []
    assert [bool(finding.hint) for finding in report.all] == [True] * 4
    assert "no serial ports" in report.all[0].error
    assert "understood" in report.all[1].error


def test_the_command_goes_on_with_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_serial, "find_ports", list)
    result = CliRunner().invoke(scan, ["--serial", "auto", "--for", "0.1", "--preview", "off"])
    assert result.exit_code == 1
    assert "virtual serial port" in result.stderr
