"""`chot bridge flash` ends well only where the board itself answers with the new firmware."""

from __future__ import annotations

import os
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli import bridge_link
from appliance.cli.main import main
from firmware_bridge.bridges.port import open_device
from firmware_bridge.bridges.simulated import SimulatedBoard


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What avrdude was called with; it says that all went well."""
    called: list[list[str]] = []

    def avrdude(command: Sequence[str], heard: Callable[[str], None]) -> int:
        called.append(list(command))
        heard("avrdude: 16 bytes of flash verified\n")
        return 0

    monkeypatch.setattr("appliance.cli.bridge_flash.runs_avrdude", avrdude)
    return called


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "firmware.hex"
    path.write_text(":00000001FF\n")
    return path


@pytest.fixture
def silent_port() -> Iterator[str]:
    master, slave = os.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["bridge", "flash", *map(str, arguments)])


def test_the_board_is_greeted_afterwards(commands: list[list[str]], image: Path) -> None:
    with SimulatedBoard(time.monotonic_ns) as board:
        result = call("--port", board.path, "--hex", image)
    assert result.exit_code == 0, result.output
    assert "the board answers: firmware " in result.output
    assert commands[0][-1] == f"flash:w:{image}:i"


@pytest.mark.usefixtures("commands")
def test_an_old_bootloader_is_warned_of(image: Path) -> None:
    with SimulatedBoard(time.monotonic_ns) as board:
        arguments = ("--port", board.path, "--hex", image, "--bootloader")
        assert "watchdog" not in call(*arguments, "new").output
        assert "watchdog" in call(*arguments, "old").output


@pytest.mark.usefixtures("commands")
def test_a_board_that_says_nothing_was_not_flashed(
    image: Path, silent_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge_link, "START_S", 0.2)
    result = call("--port", silent_port, "--hex", image)
    assert result.exit_code == 1
    assert "no board answers" in result.output


def test_a_port_in_use_is_not_written_to(
    commands: list[list[str]], image: Path, silent_port: str
) -> None:
    held = open_device(silent_port)
    try:
        result = call("--port", silent_port, "--hex", image)
    finally:
        held.close()
    assert result.exit_code == 1
    assert "another program has this port open" in result.output
    assert commands == []


def test_without_a_build_the_remedy_is_to_build(commands: list[list[str]], tmp_path: Path) -> None:
    result = call("--port", "/dev/ttyUSB0", "--hex", tmp_path / "none.hex")
    assert result.exit_code == 1
    assert "make firmware" in result.output
    assert commands == []


def test_a_programmer_needs_no_port(commands: list[list[str]], image: Path) -> None:
    result = call("--programmer", "usbasp", "--hex", image)
    assert result.exit_code == 0
    assert "-c" in commands[0]
    assert "-P" not in commands[0]
    assert "chot bridge show" in result.output
