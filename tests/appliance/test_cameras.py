"""A camera's table becomes the camera that it names, and says what is wrong with it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from appliance.camera_inspection import camera_problems
from appliance.camera_table import CameraSourceTable
from appliance.cameras import camera_of, settings_of
from appliance.config import parse_config
from appliance.errors import ConfigError
from appliance.problem import Problem
from scanner.camera.capture import V4L2Camera
from scanner.camera.controls import AS_IT_IS, ControlSettings
from scanner.camera.files import FolderCamera, VideoFileCamera
from scanner.camera.network import NetworkCamera
from tests.appliance.test_config import tree
from tests.scanner.camera.kernel import FakeKernel
from tests.scanner.camera.pictures import encoded, scene


def parsed(tmp_path: Path, **keys: Any) -> CameraSourceTable:
    text = tree()
    text["lane"][0]["sources"] = [{"kind": "camera", "name": "c", "device": "/dev/null", **keys}]
    table = parse_config(text, tmp_path / "gate.toml").lane[0].sources[0]
    assert isinstance(table, CameraSourceTable)
    return table


def problems(tmp_path: Path, **keys: Any) -> list[Problem]:
    return list(camera_problems("lane[0].sources[0]", parsed(tmp_path, **keys)))


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    fake = FakeKernel()
    monkeypatch.setattr("appliance.camera_inspection.KernelControls", fake.open)
    return fake


def test_each_kind_of_device_is_its_camera(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    kinds = {
        "/dev/v4l/by-id/usb-cam-index0": V4L2Camera,
        "rtsp://camera.local:8554/main": NetworkCamera,
        "pictures": FolderCamera,
        "film.mkv": VideoFileCamera,
    }
    for device, kind in kinds.items():
        table = parsed(tmp_path, device=device)
        assert type(camera_of(table, lambda: 0)) is kind
        assert table.device in (device, str(tmp_path / device))


def test_the_keys_of_lens_and_sensor_reach_the_camera(tmp_path: Path) -> None:
    assert settings_of(parsed(tmp_path)) == AS_IT_IS
    table = parsed(
        tmp_path, exposure_ms=4, gain=7, focus="auto", power_line_hz=50, zoom=1, sharpness=-2
    )
    assert settings_of(table) == ControlSettings(
        exposure_ms=4.0, gain=7, focus="auto", power_line_hz=50, zoom=1, sharpness=-2
    )


@pytest.mark.parametrize(
    "keys",
    [
        {"exposure_ms": 0},
        {"exposure_ms": "manual"},
        {"power_line_hz": 55},
        {"gain": 1.5},
        {"focus": "near"},
        {"format": "h264"},
    ],
)
def test_values_that_no_camera_has_are_refused_with_the_key(
    tmp_path: Path, keys: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=next(iter(keys))):
        parsed(tmp_path, **keys)


@pytest.mark.parametrize(
    ("device", "remedy"),
    [
        ("rtsp://gate:open-sesame@camera/main", "credentials_file"),
        ("RTSP://gate@camera/main", "credentials_file"),
        ("http://camera/main", "rtsp://HOST"),
        ("rtsp:///main", "rtsp://HOST"),
        ("rtsp://camera:port/main", "rtsp://HOST"),
    ],
)
def test_addresses_that_cannot_be_used_are_refused_without_their_password(
    tmp_path: Path, device: str, remedy: str
) -> None:
    with pytest.raises(ConfigError, match="'c'") as raised:
        parsed(tmp_path, device=device)
    assert remedy in raised.value.hint
    assert "sesame" not in str(raised.value)
    with pytest.raises(ConfigError):
        camera_of(CameraSourceTable("c", device), lambda: 0)


def test_credentials_for_what_is_no_network_camera_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="credentials_file"):
        parsed(tmp_path, credentials_file="camera.secret")


def test_a_camera_that_has_all_that_is_wanted_is_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, exposure_ms=5, focus=20, power_line_hz=50) == []


def test_a_check_says_all_that_a_camera_lacks(tmp_path: Path) -> None:
    found = problems(tmp_path, zoom=3, gain=1000)
    assert [problem.where for problem in found] == ["lane[0].sources[0]"] * 2
    assert all("HD Webcam" in problem.what and problem.remedy for problem in found)
    assert "0 to 100" in found[0].what
    assert "zoom" in found[1].what


def test_a_metadata_device_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "appliance.camera_inspection.KernelControls", FakeKernel(captures=False).open
    )
    (problem,) = problems(tmp_path)
    assert "metadata" in problem.remedy


def test_what_is_no_camera_at_all_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    (problem,) = problems(tmp_path)
    assert "no video device" in problem.what


def test_a_network_camera_that_nobody_answers_for_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert problems(tmp_path, device=f"rtsp://127.0.0.1:{port}/") == []
    (problem,) = problems(tmp_path, device=f"rtsp://127.0.0.1:{port}/")
    assert f"127.0.0.1:{port}" in problem.what


def test_credentials_that_others_may_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "camera.secret").write_text("gate:open-sesame")
    (tmp_path / "camera.secret").chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as server:
        device = f"rtsp://127.0.0.1:{server.getsockname()[1]}/"
        (problem,) = problems(tmp_path, device=device, credentials_file="camera.secret")
    assert problem.where.endswith("credentials_file")
    assert "chmod 600" in problem.remedy


def test_folders_and_films_are_looked_for(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    assert "no pictures" in problems(tmp_path, device="pictures")[0].what
    (tmp_path / "pictures" / "a.png").write_bytes(encoded(scene("a"), ".png"))
    assert problems(tmp_path, device="pictures") == []
    assert "not there" in problems(tmp_path, device="film.mp4")[0].what
    (tmp_path / "film.mp4").write_bytes(b"")
    assert problems(tmp_path, device="film.mp4") == []
