"""`chot bridge` finds the boards that are meant, says what they are, and leaves them dark."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from admission.gate import Input
from admission.signal import GATES, Output
from appliance.cli import bridge_link, bridge_off, bridge_targets
from appliance.cli.bridge_configure import write
from appliance.cli.main import main
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.errors import BridgeRefused
from firmware_bridge.link.configuration import BoardConfiguration
from tests.firmware_bridge.terminals.relay_boards import a_board_in_the_network
from tests.worlds import ROOT

CONFIG = (ROOT / "configs/kiosk.toml").read_text()
WIRED = BoardConfiguration(
    outputs=frozenset({Output.GREEN, Output.AMBER, Output.RED, Output.GATE}),
    inputs=frozenset({Input.FIRE}),
    normally_closed=frozenset({Input.FIRE}),
)
WIRING = """
[lane.bridge.wiring]
outputs = ["green", "amber", "red", "gate"]
inputs = ["fire"]
normally_closed = ["fire"]
"""


def call(*arguments: str | Path, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["bridge", *map(str, arguments)], input=typed)


@pytest.fixture
def board() -> Iterator[SimulatedBoard]:
    with SimulatedBoard(time.monotonic_ns) as board:
        yield board


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for boards that will not come."""
    monkeypatch.setattr(bridge_link, "START_S", 0.5)


@pytest.fixture
def a_file(tmp_path: Path, board: SimulatedBoard) -> Path:
    """A configuration whose only lane has the board, wired as `WIRED`."""
    return file_with(tmp_path, f'kind = "mcu"\nport = "{board.path}"\n{WIRING}')


def file_with(folder: Path, bridge: str) -> Path:
    head, _, _ = CONFIG.partition("[lane.bridge]")
    path = folder / "chot.toml"
    path.write_text(f"{head}[lane.bridge]\n{bridge}")
    return path


def lost_and(board: SimulatedBoard) -> str:
    """Return a bridge of two boards, of which the first is not there."""
    return (
        'kind = "several"\n[[lane.bridge.members]]\nkind = "mcu"\nport = "/nowhere"\n'
        'requires = ["green"]\nwiring = { outputs = ["green"] }\n'
        f'[[lane.bridge.members]]\nkind = "mcu"\nport = "{board.path}"\n'
    )


class TestShow:
    def test_it_says_what_is_connected(self, board: SimulatedBoard) -> None:
        board.sense(Input.STOP, 1)
        result = call("show", "--port", board.path, "--json")
        assert result.exit_code == 0, result.output
        (found,) = json.loads(result.output)
        assert found["firmware"] == "2.0.0"
        assert found["boot_count"] == 1
        assert found["reset_cause"] == "power_on"
        assert found["outputs"][:3] == ["green", "amber", "red"]
        assert found["inputs"] == {"button": False, "tamper": False, "fire": False, "stop": True}
        assert found["energised"] == []
        assert found["configuration"]["mode"] == "pulse"
        assert 0 < found["round_trip_ms"] < 1_000
        assert found["errors"]["rejected_frames"] == 0
        assert board.timeline == []

    def test_people_read_a_table(self, board: SimulatedBoard) -> None:
        result = call("show", "--port", board.path)
        assert "boot count" in result.output
        assert "max on ms" in result.output
        assert "tamper: at rest" in result.output
        assert board.path in result.output
        assert f"({board.path})" not in result.output

    def test_a_relay_board_is_where_its_address_is(self, tmp_path: Path) -> None:
        with a_board_in_the_network() as relays:
            where = f'host = "127.0.0.1"\nport = {relays.port}'
            path = file_with(tmp_path, f'kind = "modbus"\n{where}\ncoils = {{ red = 2 }}\n')
            (found,) = json.loads(call("show", "--config", path, "--json").output)
        assert found["at"] == f"127.0.0.1:{relays.port}"
        path = file_with(tmp_path, 'kind = "modbus"\ndevice = "/none"\ncoils = { red = 2 }\n')
        (found,) = json.loads(call("show", "--config", path, "--json").output)
        assert found["at"] == "/none"

    def test_a_board_that_does_not_answer_is_an_error_with_a_remedy(self, tmp_path: Path) -> None:
        result = call("show", "--port", tmp_path / "none", "--json")
        assert result.exit_code == 1
        (found,) = json.loads(result.output)
        assert "No such file" in found["error"]
        assert "plugged in" in found["hint"]


class TestOff:
    def test_everything_is_off_afterwards(self, board: SimulatedBoard, a_file: Path) -> None:
        result = call("off", "--config", a_file)
        assert result.exit_code == 0, result.output
        assert ": off" in result.output
        assert board.energised == frozenset()

    def test_relays_that_know_no_host_go_off_too(self, tmp_path: Path) -> None:
        # What ExecStopPost is for: all our processes were killed while a relay was closed.
        with a_board_in_the_network() as relays:
            relays.set_coil(4, True)
            where = f'host = "127.0.0.1"\nport = {relays.port}'
            path = file_with(tmp_path, f'kind = "modbus"\n{where}\ncoils = {{ gate = 4 }}\n')
            result = call("off", "--config", path)
            assert (result.exit_code, relays.coils[4]) == (0, False), result.output

    def test_each_board_is_tried(
        self, board: SimulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bridge_off, "START_S", 0.5)
        path = file_with(tmp_path, lost_and(board))
        result = call("off", "--config", path)
        assert result.exit_code == 1
        assert "/2: off" in result.output
        assert "/1: cannot open /nowhere" in result.output


class TestConfigure:
    def test_without_the_jumper_the_board_stays_as_it_is(
        self, board: SimulatedBoard, a_file: Path
    ) -> None:
        before = board.configuration
        result = call("configure", "--config", a_file, "--yes")
        assert result.exit_code == 1
        assert "fit the configuration jumper" in result.output
        assert board.configuration == before

    def test_what_differs_is_shown_then_written_and_read_back(
        self, board: SimulatedBoard, a_file: Path
    ) -> None:
        board.fit_jumper()
        result = call("configure", "--config", a_file, typed="y\n")
        assert result.exit_code == 0, result.output
        assert "normally closed" in result.output.replace("_", " ")
        assert "take the jumper off" in result.output
        assert board.configuration == WIRED
        again = call("configure", "--config", a_file, "--dry-run")
        assert (again.exit_code, "as the file has it" in again.output) == (0, True)

    def test_nothing_is_written_without_a_yes(self, board: SimulatedBoard, a_file: Path) -> None:
        board.fit_jumper()
        before = board.configuration
        assert call("configure", "--config", a_file, typed="n\n").exit_code == 1
        assert call("configure", "--config", a_file, "--dry-run").exit_code == 1
        assert board.configuration == before

    def test_defaults_that_are_not_stored_are_told_and_stored(
        self, board: SimulatedBoard, tmp_path: Path
    ) -> None:
        board.fit_jumper()
        names = ", ".join(f'"{output.name.lower()}"' for output in Output)
        wiring = f'outputs = [{names}]\ninputs = ["button", "tamper", "fire", "stop"]'
        gate, where = "[lane.gate]\nwindow_s = 5.0\n", f'kind = "mcu"\nport = "{board.path}"'
        path = file_with(tmp_path, f"{where}\n[lane.bridge.wiring]\n{wiring}\n{gate}")
        result = call("configure", "--config", path, "--dry-run")
        assert (result.exit_code, "nothing stored yet" in result.output) == (1, True), result.output
        assert call("configure", "--config", path, "--yes").exit_code == 0
        assert "is configured as" in call("configure", "--config", path, "--dry-run").output

    def test_a_damaged_board_is_written_even_where_nothing_differs(self, tmp_path: Path) -> None:
        with SimulatedBoard(time.monotonic_ns, damaged=True) as board:
            board.fit_jumper()
            path = file_with(tmp_path, f'kind = "mcu"\nport = "{board.path}"\n{WIRING}')
            result = call("configure", "--config", path, "--yes")
            assert result.exit_code == 0, result.output
            assert "damaged" in result.output
            assert board.configuration == WIRED

    async def test_a_board_that_forgets_is_no_success(self) -> None:
        class Forgetful:
            async def configure(self, configuration: BoardConfiguration) -> None:
                pass

            async def read_configuration(self) -> BoardConfiguration:
                return BoardConfiguration()

        with pytest.raises(BridgeRefused, match="another configuration"):
            await write(Forgetful(), WIRED)  # type: ignore[arg-type]

    def test_a_file_that_says_nothing_of_the_wiring_writes_nothing(
        self, board: SimulatedBoard, tmp_path: Path
    ) -> None:
        path = file_with(tmp_path, f'kind = "mcu"\nport = "{board.path}"\n')
        result = call("configure", "--config", path, "--yes")
        assert result.exit_code == 1
        assert "[lane.bridge.wiring]" in result.output


class TestAutomatic:
    def test_every_signal_is_acknowledged_and_no_gate_opened(
        self, board: SimulatedBoard, a_file: Path
    ) -> None:
        board.fit_jumper()
        assert call("configure", "--config", a_file, "--yes").exit_code == 0
        result = call("test", "--config", a_file, "--automatic", "--json")
        assert result.exit_code == 0, result.output
        (found,) = json.loads(result.output).values()
        assert {finding["result"] for finding in found} == {"seen"}
        assert len(found) == 6
        assert not any(edge.output in GATES for edge in board.timeline)
        assert board.energised == frozenset()

    def test_another_wiring_than_the_files_is_told(self, a_file: Path) -> None:
        result = call("test", "--config", a_file, "--automatic")
        assert result.exit_code == 1
        assert "configuration" in result.output
        assert "✗" in result.output
        assert "1 not as it should be" in result.output

    def test_a_board_that_is_lost_does_not_hide_the_others(
        self, board: SimulatedBoard, tmp_path: Path
    ) -> None:
        path = file_with(tmp_path, lost_and(board))
        result = call("test", "--config", path, "--automatic", "--json")
        assert result.exit_code == 1
        lost, sound = json.loads(result.output).values()
        assert [finding["result"] for finding in lost] == ["otherwise"]
        assert "/nowhere" in lost[0]["seen"]
        assert {finding["result"] for finding in sound} == {"seen"}

    def test_it_speaks_vietnamese(self, board: SimulatedBoard) -> None:
        result = call("test", "--port", board.path, "--automatic", "--language", "vi")
        assert "mạch đã nhận" in result.output

    def test_without_a_file_nothing_is_said_of_one(self, board: SimulatedBoard) -> None:
        (found,) = json.loads(
            call("test", "--port", board.path, "--automatic", "--json").output
        ).values()
        assert (found[0]["expected"], found[0]["seen"]) == ("undamaged", "undamaged")


def test_without_a_terminal_nobody_is_asked(board: SimulatedBoard) -> None:
    result = call("test", "--port", board.path, typed="")
    assert result.exit_code == 1
    assert "--automatic" in result.output
    assert "Ended before everything was tried" in result.output
    assert "All was as it should be" not in result.output


class TestWhichBoards:
    def test_a_lane_that_is_not_there(self, a_file: Path) -> None:
        result = call("show", "--config", a_file, "--lane", "nowhere")
        assert result.exit_code == 1
        assert "no lane is named 'nowhere'" in result.output

    def test_a_site_without_boards(self, tmp_path: Path) -> None:
        result = call("show", "--config", file_with(tmp_path, 'kind = "screen_only"\n'))
        assert result.exit_code == 1
        assert "no board" in result.output

    @pytest.mark.parametrize("more", [["--port", "/dev/x"], []])
    def test_contradicting_options(self, a_file: Path, more: list[str]) -> None:
        options = ["--config", str(a_file), *more] if more else ["--lane", "x"]
        assert call("show", *options).exit_code == 2

    def test_the_only_port_is_taken_where_none_is_named(
        self, board: SimulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bridge_targets, "the_board_here", lambda: board.path)
        (found,) = json.loads(call("show", "--json").output)
        assert found["at"] == board.path
