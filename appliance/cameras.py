"""The camera that a table of the configuration names."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from appliance.camera_table import CameraSourceTable, fault_in, is_address
from appliance.errors import ConfigError
from appliance.secret import read_credentials
from scanner.camera.capture import CaptureMode, V4L2Camera
from scanner.camera.controls import ControlSettings
from scanner.camera.files import VIDEO_SUFFIXES, FolderCamera, VideoFileCamera
from scanner.camera.network import Credentials, NetworkCamera
from scanner.camera.port import Camera


class CameraKind(StrEnum):
    """What a camera's `device` is."""

    DEVICE = "device"
    NETWORK = "network"
    FOLDER = "folder"
    VIDEO = "video"


_FOURCC = {"mjpeg": "MJPG", "yuyv": "YUYV", "grey": "GREY"}


def kind_of(table: CameraSourceTable) -> CameraKind:
    """Return what the table's `device` is; whatever is not there counts as a device."""
    path = Path(table.device)
    if is_address(table.device):
        return CameraKind.NETWORK
    if path.is_dir():
        return CameraKind.FOLDER
    return CameraKind.VIDEO if path.suffix.lower() in VIDEO_SUFFIXES else CameraKind.DEVICE


def camera_of(table: CameraSourceTable, monotonic_ns: Callable[[], int]) -> Camera:
    """Return the camera, not opened yet.

    :raises ConfigError: the table contradicts itself, or its credentials cannot be read.
    """
    fault = fault_in(table)
    if fault is not None:
        what, remedy = fault
        raise ConfigError(what, hint=remedy)
    path = Path(table.device)
    match kind_of(table):
        case CameraKind.NETWORK:
            return NetworkCamera(table.device, monotonic_ns, credentials=credentials_of(table))
        case CameraKind.FOLDER:
            return FolderCamera(path, monotonic_ns, interval_s=1 / table.fps, sleep=_pause)
        case CameraKind.VIDEO:
            return VideoFileCamera(path, monotonic_ns)
        case CameraKind.DEVICE:
            mode = CaptureMode(
                fourcc=_FOURCC[table.format],
                width_px=table.width_px,
                height_px=table.height_px,
                fps=max(1, round(table.fps)),
            )
            return V4L2Camera(path, monotonic_ns, mode, controls=settings_of(table))


def settings_of(table: CameraSourceTable) -> ControlSettings:
    """Return how the table wants the lens and the sensor set."""
    return ControlSettings(
        **{name: getattr(table, name) for name in ControlSettings.__struct_fields__}
    )


def credentials_of(table: CameraSourceTable) -> Credentials | None:
    """Return who asks the network camera, if it wants to know.

    :raises ConfigError: the file cannot be read, others may read it, or it holds something else.
    """
    if not table.credentials_file:
        return None
    return Credentials(*read_credentials(Path(table.credentials_file)))


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
