"""What this machine and a camera itself can tell of the camera's table."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from appliance.camera_table import CameraSourceTable
from appliance.cameras import CameraKind, credentials_of, kind_of, settings_of
from appliance.decoding import models_of
from appliance.errors import ConfigError
from appliance.problem import Problem
from scanner.camera.control_device import KernelControls
from scanner.camera.controls import lacks
from scanner.camera.files import pictures_in
from scanner.errors import CameraError

_PORTS = {"rtsp": 554, "rtsps": 322}  # IANA
_CONNECT_S = 2.0


def camera_problems(where: str, table: CameraSourceTable) -> Iterator[Problem]:
    """Yield what would keep this camera from working as configured. It is asked, not streamed.

    :param where: the table's place in the configuration.
    """
    path = Path(table.device)
    try:
        models_of(table)
    except ConfigError as error:
        yield Problem(f"{where}.wechat_models", str(error), error.hint)
    match kind_of(table):
        case CameraKind.NETWORK:
            yield from _network(where, table)
        case CameraKind.FOLDER:
            yield from _folder(f"{where}.device", path)
        case CameraKind.VIDEO if not path.is_file():
            yield Problem(f"{where}.device", f"{path} is not there", "check the path")
        case CameraKind.DEVICE:
            yield from _device(where, table)


def _device(where: str, table: CameraSourceTable) -> Iterator[Problem]:
    try:
        with KernelControls(Path(table.device)) as device:
            plate = device.nameplate()
            if not plate.captures:
                yield Problem(
                    f"{where}.device",
                    f"{table.device} gives no pictures",
                    "it is the camera's metadata device: name the other, most often …-index0",
                )
                return
            missing = lacks(settings_of(table), device.ranges())
    except CameraError as error:
        yield Problem(f"{where}.device", str(error), error.hint)
        return
    for lack in missing:
        yield Problem(where, f"{plate.card}: {lack}", lack.hint)


def _network(where: str, table: CameraSourceTable) -> Iterator[Problem]:
    try:
        credentials_of(table)
    except ConfigError as error:
        yield Problem(f"{where}.credentials_file", str(error), error.hint)
    address = urlsplit(table.device)
    place = (address.hostname or "", address.port or _PORTS[address.scheme])
    try:
        socket.create_connection(place, _CONNECT_S).close()
    except OSError as error:
        yield Problem(
            f"{where}.device",
            f"nobody answers at {place[0]}:{place[1]}: {error.strerror or error}",
            "check the camera's power, the network, and the address",
        )


def _folder(where: str, folder: Path) -> Iterator[Problem]:
    try:
        if not pictures_in(folder):
            yield Problem(where, f"{folder} holds no pictures", "put JPEG or PNG files into it")
    except CameraError as error:
        yield Problem(where, str(error), error.hint)
