"""`chot scan` on live sources: each held code once, losses told, and it ends when told."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import threading
from pathlib import Path

import pytest

from admission.reading import Reading, Symbology
from appliance.cli.named_cameras import camera_at
from appliance.cli.scan_live import show, watch
from appliance.cli.scan_report import Finding, Found, TableReport
from appliance.inbox import Inbox
from appliance.serial_table import SerialSourceTable
from scanner.camera.port import Encoding, Frame
from scanner.errors import CameraLostError
from scanner.serial.simulated import SimulatedScanner
from scanner.wedge.layouts import LayoutName
from scanner.wedge.typist import Typist
from tests.appliance.cli.scanning import Findings, lines, run
from tests.scanner.camera.pictures import encoded, scene


def test_devices_that_are_not_there_fail_at_once() -> None:
    result = run("--camera", "/dev/video-absent", "--serial", "/dev/tty-absent", "--for", "60")
    assert result.exit_code == 1
    assert "/dev/video-absent is not there" in result.stderr
    assert "/dev/tty-absent is not there" in result.stderr
    assert result.stderr.count("→") == 2


def test_a_serial_scanner_is_heard() -> None:
    report = Findings()
    with SimulatedScanner() as scanner:

        def speak() -> None:
            asyncio.run(scanner.send("0123456789"))

        speaking = threading.Timer(0.2, speak)
        speaking.start()
        table = SerialSourceTable("desk", scanner.path)
        opened = watch([table], report, lambda: 0, seconds=1.0)
        speaking.join()
    assert opened
    (heard,) = report.all
    assert (heard.source, heard.found[0].text) == ("desk", "0123456789")


def test_a_wedge_is_heard_by_its_layout_and_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A pipe with a name carries a real device's bytes; only its grab has to be made believe.
    monkeypatch.setattr("scanner.input_events.fcntl.ioctl", lambda *_: 0)
    os.mkfifo(device := tmp_path / "usb-Scanner-event-kbd")

    def speak() -> None:
        device.write_bytes(Typist(LayoutName.FR).typed("]Q1CCCD|079200000123\t"))

    speaking = threading.Timer(0.2, speak)
    speaking.start()
    result = run("--wedge", device, "--layout", "fr", "--wedge-end", "tab", "--for", "1", "--json")
    speaking.join()
    assert result.exit_code == 0
    (line,) = lines(result)
    assert line["source"] == str(device)
    assert line["readings"][0] == {
        "text": "CCCD|079200000123", "symbology": "qr_code", "rung": "", "quad": []
    }  # fmt: skip


def test_a_wedge_that_is_no_input_device_is_said_at_once() -> None:
    result = run("--wedge", "/dev/null", "--for", "60")
    assert result.exit_code == 1
    assert "/dev/null cannot be taken" in result.stderr
    assert "→ name an input device" in result.stderr


class EndlessCamera:
    """Stands in for a device: always the same frame."""

    def __init__(self, *_: object, **__: object) -> None:
        self.frame = Frame(encoded(scene("live")), Encoding.MJPEG, 640, 480, 0, 0)

    def open(self) -> None: ...

    def read(self) -> Frame:
        return self.frame

    def close(self) -> None: ...


def test_a_live_camera_shows_a_held_code_once_and_ends_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("appliance.cameras.V4L2Camera", EndlessCamera)
    result = run("--camera", "/dev/video0", "--for", "0.5", "--json")
    assert result.exit_code == 0
    (line,) = lines(result)
    assert line["source"] == "/dev/video0"
    assert line["readings"][0]["text"] == "live"


def test_a_camera_that_is_lost_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lost(EndlessCamera):
        def read(self) -> Frame:
            raise CameraLostError("unplugged")

    monkeypatch.setattr("appliance.cameras.V4L2Camera", Lost)
    (line,) = lines(run("--camera", "/dev/video0", "--for", "1", "--json"))
    assert line["error"] == "unplugged"


def test_a_thread_that_dies_is_a_finding_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(EndlessCamera):
        def read(self) -> Frame:
            raise ZeroDivisionError

    monkeypatch.setattr("appliance.cameras.V4L2Camera", Broken)
    (line,) = lines(run("--camera", "/dev/video0", "--for", "60", "--json"))
    assert "ZeroDivisionError" in str(line["error"])


def test_a_closed_pipe_ends_the_watch_with_that_error_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Closed(Findings):
        def add(self, finding: Finding) -> None:
            raise BrokenPipeError

    monkeypatch.setattr("appliance.cameras.V4L2Camera", EndlessCamera)
    with pytest.raises(BrokenPipeError) as raised:
        watch([camera_at("/dev/video0")], Closed(), lambda: 0, seconds=60.0)
    assert raised.value.errno == errno.EPIPE  # what click ends silently


def test_a_termination_ends_the_watch_as_ctrl_c_does(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminating(Findings):
        def add(self, finding: Finding) -> None:
            super().add(finding)
            signal.raise_signal(signal.SIGTERM)

    report = Terminating()
    monkeypatch.setattr("appliance.cameras.V4L2Camera", EndlessCamera)
    assert watch([camera_at("/dev/video0")], report, lambda: 0, seconds=60.0)
    assert len(report.all) == 1


def test_a_live_reading_is_one_line_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    report = TableReport(live=True)
    report.add(Finding("s" * 70, (Found("x" * 500, "qr_code", "nonplanar"),), 1.0))
    assert len(capsys.readouterr().out.splitlines()) == 1


async def test_a_held_code_is_shown_once_for_each_source_and_again_after_it_was_gone() -> None:
    report, inbox = Findings(), Inbox(asyncio.get_running_loop())
    seen = [("a", 0), ("a", 1), ("b", 1), ("a", 3), ("a", 9)]
    for source, at_s in seen:
        inbox.offer(Reading("held", Symbology.QR_CODE, source, at_s * 10**9))
    inbox.close()
    await show(inbox, report, lambda: 10 * 10**9)
    assert [(each.source, each.ms) for each in report.all] == [("a", 1e4), ("b", 9e3), ("a", 1e3)]


def test_codes_typed_at_the_terminal_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    report = Findings()
    reader, writer = os.pipe()
    os.write(writer, b"12x\b3\n")
    with os.fdopen(reader) as standard_input, os.fdopen(writer):
        monkeypatch.setattr("sys.stdin", standard_input)
        assert watch([], report, lambda: 0, keypad=True, seconds=0.5)
    (typed,) = report.all
    assert (typed.source, typed.found[0].text, typed.found[0].symbology) == (
        "keypad",
        "13",
        "typed",
    )


def test_what_is_typed_into_a_pipe_is_taken_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    report = Findings()
    reader, writer = os.pipe()
    os.write(writer, b"123\n")
    os.close(writer)
    with os.fdopen(reader) as standard_input:
        monkeypatch.setattr("sys.stdin", standard_input)
        assert watch([], report, lambda: 0, keypad=True, seconds=60.0)
    typed, ended = sorted(report.all, key=lambda finding: finding.error)
    assert typed.found[0].text == "123"
    assert (ended.error, ended.hint) == (
        "the input has ended",
        "standard input is not opened again",
    )


def test_an_input_that_cannot_be_waited_for_is_nothing_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = Findings()
    with Path(os.devnull).open() as standard_input:
        monkeypatch.setattr("sys.stdin", standard_input)
        assert not watch([], report, lambda: 0, keypad=True, seconds=60.0)
    (said,) = report.all
    assert "cannot be waited for" in said.error
