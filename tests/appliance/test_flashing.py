"""The firmware is written by the real avrdude, and its failures are told with their remedies."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from appliance import flashing
from appliance.flashing import FlashError, Flashing, explained, flash, runs_avrdude, the_board_here
from tests.appliance.bootloader import Bootloader

CODE = bytes(range(16)) * 20


def an_image(folder: Path, data: bytes = CODE) -> Path:
    """Return an Intel HEX file of `data` from address 0 on."""
    lines = []
    for at in range(0, len(data), 16):
        record = bytes([16]) + at.to_bytes(2, "big") + b"\x00" + data[at : at + 16]
        lines.append(f":{(record + bytes([-sum(record) & 0xFF])).hex().upper()}")
    path = folder / "firmware.hex"
    path.write_text("\n".join([*lines, ":00000001FF", ""]))
    return path


class Scripted:
    """An avrdude that says and returns what it was told to, one item a call."""

    def __init__(self, *course: tuple[int, str]) -> None:
        self.course = list(course)
        self.commands: list[list[str]] = []

    def __call__(self, command: Sequence[str], heard: Callable[[str], None]) -> int:
        self.commands.append(list(command))
        code, said = self.course.pop(0)
        heard(said)
        return code

    def option(self, name: str) -> list[str]:
        return [c[c.index(name) + 1] if name in c else "" for c in self.commands]


@pytest.fixture
def avrdude() -> None:
    """Skip where avrdude is absent, fail where CI lacks it."""
    if shutil.which("avrdude") is None:
        reason = "avrdude is not here: apt-get install avrdude"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.mark.usefixtures("avrdude")
def test_the_real_avrdude_writes_and_reads_back(tmp_path: Path) -> None:
    heard: list[str] = []
    with Bootloader() as board:
        flash(Flashing(an_image(tmp_path), board.path), runs_avrdude, heard.append)
    assert board.flash[: len(CODE)] == CODE
    assert "100%" in "".join(heard)


@pytest.mark.usefixtures("avrdude")
def test_another_chip_is_not_written(tmp_path: Path) -> None:
    with (
        Bootloader(b"\x1e\x94\x06") as board,
        pytest.raises(FlashError, match="another chip") as caught,
    ):
        flash(Flashing(an_image(tmp_path), board.path), runs_avrdude, lambda _: None)
    assert "nothing was written" in caught.value.hint
    assert set(board.flash) == {0xFF}


@pytest.mark.usefixtures("avrdude")
def test_what_reads_back_otherwise_is_no_success(tmp_path: Path) -> None:
    with Bootloader(worn=True) as board, pytest.raises(FlashError, match="read back"):
        flash(Flashing(an_image(tmp_path), board.path), runs_avrdude, lambda _: None)


@pytest.mark.usefixtures("avrdude")
def test_a_port_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FlashError, match="cannot be opened"):
        flash(Flashing(an_image(tmp_path), str(tmp_path / "gone")), runs_avrdude, lambda _: None)


def test_without_avrdude_the_remedy_is_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FlashError, match="not installed") as caught:
        runs_avrdude(["avrdude"], lambda _: None)
    assert "apt-get install avrdude" in caught.value.hint


def test_the_old_bootloader_is_tried_where_the_new_one_does_not_answer() -> None:
    avrdude = Scripted((1, "avrdude error: programmer is not responding"), (0, "done"))
    assert flash(Flashing(Path("a.hex"), "/dev/ttyUSB0"), avrdude, lambda _: None) == "old"
    assert avrdude.option("-b") == ["115200", "57600"]
    assert avrdude.option("-P") == ["/dev/ttyUSB0"] * 2


def test_a_failure_that_no_other_bootloader_mends_is_final() -> None:
    avrdude = Scripted((1, "avrdude error: cannot open port /dev/x: Device or resource busy"))
    with pytest.raises(FlashError, match="in use"):
        flash(Flashing(Path("a.hex"), "/dev/x"), avrdude, lambda _: None)
    assert len(avrdude.commands) == 1


@pytest.mark.parametrize(("named", "baud"), [("new", "115200"), ("old", "57600")])
def test_a_named_bootloader_is_the_only_one_tried(named: str, baud: str) -> None:
    avrdude = Scripted((1, "not in sync: resp=0x00"))
    with pytest.raises(FlashError, match="no bootloader answers"):
        flash(Flashing(Path("a.hex"), "/dev/x", named), avrdude, lambda _: None)  # type: ignore[arg-type]
    assert avrdude.option("-b") == [baud]


def test_a_programmer_erases_and_writes_the_whole_chip() -> None:
    avrdude = Scripted((0, ""))
    flash(Flashing(Path("a.hex"), programmer="usbasp"), avrdude, lambda _: None)
    assert avrdude.commands == [["avrdude", "-p", "m328p", "-c", "usbasp", "-U", "flash:w:a.hex:i"]]


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("cannot open port /dev/ttyUSB0: Permission denied", "may not open"),
        ("cannot find USB device with vid=0x16c0", "programmer is not plugged in"),
        ("something new\navrdude error: the moon is wrong\n", "the moon is wrong"),
        ("", "does not say why"),
    ],
)
def test_failures_are_told_in_words(said: str, what: str) -> None:
    error = explained(said)
    assert what in str(error)
    assert error.hint


def test_a_board_is_found_only_where_it_is_alone(tmp_path: Path) -> None:
    with pytest.raises(FlashError, match="no serial port"):
        the_board_here(tmp_path)
    (tmp_path / "usb-Arduino-if00").touch()
    assert the_board_here(tmp_path) == str(tmp_path / "usb-Arduino-if00")
    (tmp_path / "usb-Scanner-if00").touch()
    with pytest.raises(FlashError, match="several") as caught:
        the_board_here(tmp_path)
    assert "usb-Arduino-if00" in caught.value.hint
    assert Path("/dev/serial/by-id") == flashing.STABLE_NAMES
