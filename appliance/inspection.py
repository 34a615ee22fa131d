"""What only this machine can tell of a configuration: every fault found, each with its remedy."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from admission.errors import AdmissionError
from admission.rulebook import Rulebook
from admission.rulebook_format import MAX_RULEBOOK_BYTES
from admission.rulebook_loading import load_rulebook
from appliance.bridge_inspection import bridge_problems, cable_of
from appliance.bridge_tables import BridgeTable, SeveralBridgeTable
from appliance.camera_inspection import camera_problems
from appliance.camera_table import CameraSourceTable
from appliance.cameras import CameraKind, kind_of
from appliance.config import (
    Config,
    KeypadSourceTable,
    KioskTable,
    ScenesSourceTable,
    SourceTable,
)
from appliance.errors import ConfigError
from appliance.identity_inspection import identity_problems, readable
from appliance.problem import Problem
from appliance.rotating_secret import load_schemes
from appliance.serial_table import SerialSourceTable, contradictions
from appliance.wedge_table import WedgeSourceTable
from cache.errors import KeyFileError
from cache.replica.keys import read_secret
from scanner.input_events import is_keyboard


def inspect(config: Config) -> list[Problem]:
    """Return all that would keep this configuration from running here, in the file's order."""
    return [
        *_rulebook(config),
        *_state(Path(config.appliance.state_dir)),
        *identity_problems(config),
        *_rotating(config.credentials.rotating_file),
        *address_problems(config.kiosk),
        *_lanes(config),
    ]


def read_rulebook(path: Path) -> Rulebook:
    """Return the rulebook in `path`.

    :raises ConfigError: if it cannot be read.
    :raises admission.errors.RulebookError: if it cannot be used, or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_RULEBOOK_BYTES + 1)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError(msg, hint="name a file from configs/rulebooks/ in [site]") from error
    return load_rulebook(data)


def _rulebook(config: Config) -> Iterator[Problem]:
    try:
        rulebook = read_rulebook(Path(config.site.rulebook))
    except (ConfigError, AdmissionError) as error:
        yield Problem("site.rulebook", str(error), error.hint or "use one from configs/rulebooks/")
        return
    if config.site.directive not in rulebook.directives:
        known = ", ".join(str(d) for d in sorted(rulebook.directives))
        yield Problem(
            "site.directive",
            f"the rulebook has no directive {config.site.directive}",
            f"use one that it has: {known}",
        )


def _state(folder: Path) -> Iterator[Problem]:
    where = "appliance.state_dir"
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield Problem(
            where,
            f"{folder}: no permission to write in {existing}",
            "run as the service's user, or give state_dir to that user with chown",
        )
    elif existing == folder and stat.S_IMODE(folder.stat().st_mode) & 0o007:
        yield Problem(where, f"{folder}: everybody may look into it", f"chmod 700 {folder}")
    key = folder / "device.key"
    if os.access(key, os.R_OK):
        try:
            read_secret(key)
        except KeyFileError as error:
            yield Problem(where, str(error), error.hint)


def _rotating(name: str) -> Iterator[Problem]:
    if not name:
        return
    where = "credentials.rotating_file"
    made_by = "copy it from the wallets' issuer: `chot rotating secret` made it"
    missing = list(readable(where, name, made_by))
    yield from missing
    if not missing:
        try:
            load_schemes(Path(name))
        except ConfigError as error:
            yield Problem(where, str(error), error.hint)


def address_problems(kiosk: KioskTable) -> Iterator[Problem]:
    """Yield why the kiosk's page cannot be served at its address, if it cannot."""
    with socket.socket(socket.AF_INET6 if ":" in kiosk.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((kiosk.host, kiosk.port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            what = "is in use by another program" if taken else f"cannot be used: {error.strerror}"
            remedy = (
                "stop that program (`ss -ltnp` names it), or choose another [kiosk] port"
                if taken
                else "choose an address of this machine and a port from 1024 to 65535"
            )
            yield Problem("kiosk.port", f"{kiosk.host}:{kiosk.port} {what}", remedy)


def _lanes(config: Config) -> Iterator[Problem]:
    used: dict[str, str] = {}
    for i, lane in enumerate(config.lane):
        for j, source in enumerate(lane.sources):
            yield from _source(f"lane[{i}].sources[{j}]", source, used)
        yield from _bridge(f"lane[{i}].bridge", lane.bridge, used)


def _bridge(where: str, table: BridgeTable, used: dict[str, str]) -> Iterator[Problem]:
    if isinstance(table, SeveralBridgeTable):
        for i, member in enumerate(table.members):
            yield from _bridge(f"{where}.members[{i}]", member, used)
    elif cable := cable_of(table):
        yield from _device(f"{where}.{cable.key}", cable.device, "/dev/serial/by-id", used)
    yield from bridge_problems(where, table)


def _source(where: str, source: SourceTable, used: dict[str, str]) -> Iterator[Problem]:
    match source:
        case CameraSourceTable():
            if kind_of(source) is CameraKind.DEVICE:
                missing = list(_device(f"{where}.device", source.device, "/dev/v4l/by-id", used))
                yield from missing
                if missing:
                    return
            yield from camera_problems(where, source)
        case SerialSourceTable():
            yield from _device(f"{where}.port", source.port, "/dev/serial/by-id", used)
            for key, what, remedy in contradictions(source):
                yield Problem(f"{where}.{key}", what, remedy)
        case KeypadSourceTable() | WedgeSourceTable():
            folder = "/dev/input/by-id"
            yield from _device(f"{where}.device", source.device, folder, used)
            if isinstance(source, WedgeSourceTable) and not is_keyboard(source.device):
                yield Problem(
                    f"{where}.device",
                    f"{source.device}: has no keys to type with",
                    f"a scanner may be several devices: name another from `ls {folder}`",
                )
        case ScenesSourceTable():
            yield from readable(
                f"{where}.samples",
                source.samples,
                "copy it from the hub: the file of `chot hub synthesize --samples`",
            )


GROUPS = {"/dev/v4l/by-id": "video", "/dev/serial/by-id": "dialout", "/dev/input/by-id": "input"}
"""Which group may use the devices of each folder, on Debian and Raspberry Pi OS."""
_INPUT_MAJOR = 13
"""Of Documentation/admin-guide/devices.txt."""


def _device(where: str, name: str, folder: str, used: dict[str, str]) -> Iterator[Problem]:
    path = Path(name)
    if not path.exists():
        near = sorted(p.name for p in Path(folder).glob("*")) if Path(folder).is_dir() else []
        have = f"; there are: {', '.join(near[:4])}" if near else ""
        yield Problem(where, f"{name}: no such device", f"plug it in, or see `ls {folder}`{have}")
    elif not stat.S_ISCHR(path.stat().st_mode):
        yield Problem(where, f"{name}: not a device", f"name one from `ls {folder}`")
    elif folder == "/dev/input/by-id" and os.major(path.stat().st_rdev) != _INPUT_MAJOR:
        yield Problem(where, f"{name}: not an input device", f"name one from `ls {folder}`")
    elif not os.access(path, os.R_OK | os.W_OK):
        yield Problem(
            where,
            f"{name}: no permission",
            f"add the service's user to the group {GROUPS[folder]}, then start it anew",
        )
    other = used.setdefault(os.path.realpath(name), where)
    if other != where:
        yield Problem(where, f"{name}: used by {other} already", "give each its own device")
