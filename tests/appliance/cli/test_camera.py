"""`chot camera` tells a technician what is there, in the words of the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli.main import main
from scanner.camera.control_device import KernelControls
from tests.scanner.camera.kernel import FakeKernel


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["camera", *arguments])


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of devices: a camera with a stable name, its metadata, and one that is broken."""
    kernels = {"video0": FakeKernel(), "video1": FakeKernel(captures=False)}
    (tmp_path / "by-id").mkdir()
    for name in ("video0", "video1", "video2"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "by-id" / "usb-HD-index0").symlink_to(tmp_path / "video0")

    def opened(path: Path) -> KernelControls:
        name = path.resolve().name
        return kernels[name].open(path) if name in kernels else KernelControls(path)

    monkeypatch.setattr("appliance.cli.camera.STABLE_NAMES", tmp_path / "by-id")
    monkeypatch.setattr("appliance.cli.camera.DEVICES", tmp_path)
    monkeypatch.setattr("scanner.camera.control_device.KernelControls", opened)
    return tmp_path


def test_cameras_are_listed_once_by_their_stable_names(devices: Path) -> None:
    result = call("list")
    assert result.exit_code == 0
    first, broken = result.output.splitlines()
    assert first == f"{devices}/by-id/usb-HD-index0: HD Webcam: HD Webcam (uvcvideo)"
    assert broken.startswith(f"{devices}/video2: ")
    assert "no video device" in broken


def test_no_camera_is_an_error_with_a_remedy(devices: Path) -> None:
    (devices / "by-id" / "usb-HD-index0").unlink()
    (devices / "video0").unlink()
    result = call("list")
    assert result.exit_code == 1
    assert "plug one in" in result.output


def test_controls_are_listed_in_the_units_of_the_configuration(devices: Path) -> None:
    result = call("controls", str(devices / "video0"))
    assert result.exit_code == 0
    rows = {line.split("│")[1].strip(): line for line in result.output.splitlines() if "│" in line}
    assert "0.3 to 204.7" in rows["exposure_ms"]
    assert "0 to 250 in steps of 5" in rows["focus"]
    assert "off, on" in rows['exposure_ms = "auto"']
    assert "0, 50, 60" in rows["power_line_hz"]
    assert "not on this camera" in rows["zoom"]


def test_what_is_no_camera_is_one_line_with_a_hint(devices: Path) -> None:
    result = call("controls", str(devices / "video2"))
    assert result.exit_code == 1
    assert "no video device" in result.output
    assert "→" in result.output
