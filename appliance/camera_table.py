"""The table of one camera, and the camera that it names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from appliance.table import Name, Table

SymbologyName = Literal["qr_code", "micro_qr", "rmqr", "aztec", "data_matrix", "pdf417", "code_128"]
Level = Annotated[int, msgspec.Meta(ge=-(1 << 31), lt=1 << 31)]
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class CameraSourceTable(Table, frozen=True, tag="camera", tag_field="kind"):
    """One camera: what it is, what frames it shall give, and how its lens and sensor are set.

    `device` is a V4L2 device by its stable name, the address of a network camera (`rtsp://…`,
    without user and password), or for trials a folder of pictures or a video file. Keys that are
    left out leave the camera as it is; levels count in the camera's own units, which
    `chot camera controls DEVICE` shows.
    """

    name: Name
    device: str
    width_px: Annotated[int, msgspec.Meta(ge=160, le=4096)] = 1280
    height_px: Annotated[int, msgspec.Meta(ge=120, le=4096)] = 720
    fps: Annotated[float, msgspec.Meta(gt=0, le=240)] = 30.0
    format: Literal["mjpeg", "yuyv", "grey"] = "mjpeg"
    """How the frames come over the cable; a camera without it gives the nearest that it has."""
    credentials_file: str = ""
    """For a network camera: a file of the owner's alone (0600) with one line `user:password`."""
    exposure_ms: Annotated[float, msgspec.Meta(gt=0, le=1000)] | Literal["auto"] | None = None
    gain: Level | None = None
    focus: Level | Literal["auto"] | None = None
    zoom: Level | None = None
    power_line_hz: Literal[0, 50, 60, "auto"] | None = None
    """Against the flicker of lamps: 50 in Viet Nam; 0 where daylight alone falls in."""
    brightness: Level | None = None
    contrast: Level | None = None
    sharpness: Level | None = None
    symbologies: Annotated[tuple[SymbologyName, ...], msgspec.Meta(min_length=1)] = ("qr_code",)
    """What is read; nothing else is reported. Each costs time on every frame."""
    slow_lane: bool = True
    """Whether what is not read at once is tried again on another core; not for single cores."""
    wechat_models: str = ""
    """A folder with WeChat's four model files, for the slow lane: needs another OpenCV."""


def is_address(device: str) -> bool:
    """Return whether `device` is a network camera's address rather than a path."""
    return _URL.match(device) is not None


def without_credentials(device: str) -> str:
    """Return `device` as it may be shown: an address without user and password, if it has any."""
    return re.sub(r"(?<=//)[^/]*@", "", device, count=1) if is_address(device) else device


def fault_in(table: CameraSourceTable) -> tuple[str, str] | None:
    """Return what contradicts itself in the table, and the remedy; never repeats a password."""
    if not is_address(table.device):
        if table.credentials_file:
            return "credentials_file is for rtsp:// cameras", "remove it"
        return None
    try:
        address = urlsplit(table.device)
        known = address.scheme in ("rtsp", "rtsps") and bool(address.hostname)
        _ = address.port
    except ValueError:
        return "device is no address", "write it as rtsp://HOST[:PORT]/PATH"
    if "@" in address.netloc:
        return (
            "device holds a user or password, which configurations must not",
            "put one line `user:password` into a file (chmod 600) and name it in credentials_file",
        )
    if not known:
        return "device is no address of a network camera", "write it as rtsp://HOST[:PORT]/PATH"
    return None


def placed(table: CameraSourceTable, folder: Path) -> CameraSourceTable:
    """Return the table with its files taken from `folder`, the configuration's own."""
    device = table.device if is_address(table.device) else str(folder / table.device)
    secret = table.credentials_file and str(folder / table.credentials_file)
    models = table.wechat_models and str(folder / table.wechat_models)
    return msgspec.structs.replace(
        table, device=device, credentials_file=secret, wechat_models=models
    )
