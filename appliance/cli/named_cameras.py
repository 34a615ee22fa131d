"""The cameras that a command's options name: a device, or a source of a configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from appliance.camera_table import CameraSourceTable, SymbologyName, without_credentials
from appliance.config import ScenesSourceTable, load_config
from appliance.errors import ConfigError


def camera_at(device: str) -> CameraSourceTable:
    """Return the table of a camera that nothing configures, named as it is to be shown."""
    return CameraSourceTable(without_credentials(device), device)


def camera_named(config: Path, source: str) -> CameraSourceTable | ScenesSourceTable:
    """Return the table of the camera that `config` names so.

    :raises ConfigError: the configuration cannot be used, or names no camera so.
    """
    cameras = cameras_of(config)
    named = cameras.get(source)
    if named is None:
        msg = f"{config}: no camera is named '{source}'"
        raise ConfigError(msg, hint=f"its cameras: {', '.join(cameras) or 'none'}")
    return named


def cameras_of(config: Path) -> dict[str, CameraSourceTable | ScenesSourceTable]:
    """Return the tables of the cameras of `config` by their names.

    :raises ConfigError: the configuration cannot be used.
    """
    return {
        each.name: each
        for lane in load_config(config).lane
        for each in lane.sources
        if isinstance(each, CameraSourceTable | ScenesSourceTable)
    }


def camera_tables(
    devices: Sequence[str],
    symbologies: tuple[SymbologyName, ...],
    config: Path | None,
    sources: Sequence[str],
) -> Iterator[CameraSourceTable]:
    """Yield the tables of `devices`, which read `symbologies`, and of `sources` of `config`.

    :raises ConfigError: as `camera_named`, or a source films rendered people.
    """
    for device in devices:
        yield msgspec.structs.replace(camera_at(device), symbologies=symbologies)
    if config is None:
        return
    for source in sources:
        table = camera_named(config, source)
        if not isinstance(table, CameraSourceTable):
            msg = f"{config}: '{source}' is no camera but a scene"
            raise ConfigError(msg, hint="`chot scan --camera demo` films one")
        yield table
