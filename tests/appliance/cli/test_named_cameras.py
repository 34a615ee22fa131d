"""Cameras that a technician names at a terminal: by device, or as the configuration sets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli.main import main
from appliance.cli.named_cameras import camera_at, camera_tables
from appliance.errors import ConfigError
from tests.scanner.camera.pictures import encoded, scene
from tests.worlds import ROOT

TEXT = (ROOT / "configs" / "supermarket.toml").read_text()


def scan(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["scan", *arguments, "--preview", "off", "--json"])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A supermarket whose camera is a folder of pictures."""
    (tmp_path / "pictures").mkdir()
    for number in range(3):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(encoded(scene("shown"), ".png"))
    start = TEXT.index('"/dev/v4l')
    end = TEXT.index('"', start + 1) + 1
    path = tmp_path / "gate.toml"
    path.write_text(f'{TEXT[:start]}"pictures"{TEXT[end:]}')
    return path


def test_a_camera_is_watched_as_the_configuration_sets_it(config: Path) -> None:
    (table,) = camera_tables((), ("qr_code",), config, ["entrance-camera"])
    assert (table.exposure_ms, table.power_line_hz) == ("auto", 50)
    result = scan("--config", str(config), "--source", "entrance-camera", "--for", "2")
    assert result.exit_code == 0
    (line,) = [json.loads(each) for each in result.stdout.splitlines()]
    assert line["source"] == "entrance-camera"
    assert line["readings"][0]["text"] == "shown"


def test_a_name_that_the_configuration_lacks_is_told_with_those_it_has(config: Path) -> None:
    with pytest.raises(ConfigError, match="'exit-camera'") as raised:
        list(camera_tables((), ("qr_code",), config, ["exit-camera"]))
    assert "entrance-camera" in raised.value.hint


@pytest.mark.parametrize("arguments", [["--source", "a"], ["--config", "CONFIG"]])
def test_one_does_not_go_without_the_other(config: Path, arguments: list[str]) -> None:
    given = [str(config) if each == "CONFIG" else each for each in arguments]
    assert scan(*given).exit_code == 2


@pytest.mark.parametrize(
    ("device", "shown"),
    [
        ("/dev/video0", "/dev/video0"),
        ("/dev/a@b", "/dev/a@b"),
        ("rtsp://camera/a@b", "rtsp://camera/a@b"),
        ("rtsp://gate:open@sesame@camera:554/main", "rtsp://camera:554/main"),
    ],
)
def test_a_camera_is_shown_without_its_password(device: str, shown: str) -> None:
    table = camera_at(device)
    assert (table.name, table.device) == (shown, device)


def test_a_password_on_the_command_line_is_refused_and_not_repeated() -> None:
    result = scan("--camera", "rtsp://gate:open-sesame@127.0.0.1:1/main")
    assert result.exit_code == 1
    assert "credentials_file" in result.output
    assert "sesame" not in result.output
