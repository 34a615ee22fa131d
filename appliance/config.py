"""The configuration of one appliance: TOML, typed, every unknown key refused.

`load_config` judges the text alone. What only this machine can tell (a device that is missing, a
port that is taken) is judged by `appliance.inspection`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec

from admission.site import Direction, Site
from appliance import camera_table, site_table, sound_table
from appliance.bridge_checks import WiredLane, faults_in
from appliance.bridge_opening import check_local, local_tables
from appliance.bridge_tables import BridgeTable, OsdpBridgeTable, SeveralBridgeTable
from appliance.camera_table import CameraSourceTable
from appliance.config_hints import removed_hint, values_hint
from appliance.errors import ConfigError
from appliance.gate_table import GateTable
from appliance.hub_table import HubTable
from appliance.identity import identity_of
from appliance.journal_table import (
    JournalTable,
)
from appliance.serial_table import SerialSourceTable
from appliance.site_table import SiteTable, site_from
from appliance.sound_table import SoundTable
from appliance.table import Name, Seconds, Table, unknown_keys
from appliance.wedge_table import WedgeSourceTable

MAX_CONFIG_BYTES = 1 << 20
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class ApplianceTable(Table, frozen=True):
    """[appliance]: this device. `state_dir` holds the replica, the journal and its keys."""

    device: Name
    state_dir: str = "/var/lib/chot"


class KioskTable(Table, frozen=True):
    """[kiosk]: the page for the screen, `/metrics` and `/healthz`.

    `preview` shows people themselves, small, before the camera: whoever can open the page sees
    them, too. Nothing of it is stored.
    """

    host: str = "127.0.0.1"
    port: Port = 8080
    preview: bool = False


class CredentialsTable(Table, frozen=True):
    """[credentials]: formats that need something of this gate. `rotating_file` holds secrets.

    Keys of issuers come with the release. `plugins` are the integrators' parsers that are
    installed here (entry points `chot.credentials`).
    """

    rotating_file: str = ""
    plugins: bool = True


class DeskTable(Table, frozen=True):
    """[desk]: the officer's page, `/desk` on the kiosk's server. Off unless the site wants it.

    `origin` is how browsers name it behind a proxy that terminates TLS. An officer who touches
    nothing for `idle_s` is signed out; `override_s` after a verdict nobody changes it any more.
    """

    enabled: bool = False
    origin: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s/]+)?$")] = ""
    idle_s: Seconds = 600.0
    override_s: Seconds = 120.0


class KeypadSourceTable(Table, frozen=True, tag="keypad", tag_field="kind"):
    """A numeric keypad (an input device), for codes that people type."""

    name: Name
    device: str


class ScenesSourceTable(Table, frozen=True, tag="scenes", tag_field="kind"):
    """A camera that films rendered people, for demonstration and training.

    `samples` is a file of JSON lines with a key `text`, as `chot hub synthesize --samples` writes.
    """

    name: Name
    samples: str
    seed: int = 1
    width_px: Annotated[int, msgspec.Meta(ge=320, le=1920)] = 1280
    height_px: Annotated[int, msgspec.Meta(ge=240, le=1080)] = 720
    fps: Annotated[float, msgspec.Meta(gt=0, le=60)] = 15.0


SourceTable = (
    CameraSourceTable | SerialSourceTable | KeypadSourceTable | WedgeSourceTable | ScenesSourceTable
)


class LaneTable(Table, frozen=True):
    """[[lane]]: one stream of people, with what reads their codes and what answers them.

    `direction` is which way it lets them pass: all lanes of one appliance share one zone.
    """

    name: Name
    sources: Annotated[tuple[SourceTable, ...], msgspec.Meta(min_length=1, max_length=8)]
    bridge: BridgeTable
    rearm_s: Seconds = 2.0
    """A code out of sight for so long counts as presented anew."""
    direction: Direction = Direction.IN
    gate: GateTable = GateTable()
    sound: SoundTable = SoundTable()


class Config(Table, frozen=True, kw_only=True):
    """One configuration file."""

    site: SiteTable
    appliance: ApplianceTable
    hub: HubTable
    journal: JournalTable = JournalTable()
    kiosk: KioskTable = KioskTable()
    credentials: CredentialsTable = CredentialsTable()
    desk: DeskTable = DeskTable()
    lane: Annotated[tuple[LaneTable, ...], msgspec.Meta(min_length=1, max_length=16)]


def load_config(path: Path) -> Config:
    """Return the configuration in `path`, with every path in it made absolute.

    :raises ConfigError: naming the file, the key and what to do, for the first fault found.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError(msg, hint="name a configuration file, e.g. configs/kiosk.toml") from error
    if len(data) > MAX_CONFIG_BYTES:
        msg = f"{path}: larger than {MAX_CONFIG_BYTES} bytes"
        raise ConfigError(msg, hint="this is not a configuration file")
    try:
        tree = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        msg = f"{path}: not TOML: {error}"
        raise ConfigError(msg, hint="correct the line; strings stand in double quotes") from error
    return parse_config(tree, path)


def parse_config(tree: dict[str, Any], path: Path) -> Config:
    """Return the configuration in a parsed TOML `tree` that came from `path`.

    :raises ConfigError: as `load_config`.
    """
    stray = [(key, removed_hint(key) or hint) for key, hint in unknown_keys(tree, Config)]
    if stray:
        named = "; ".join(key for key, _ in stray)
        hints = "; ".join(hint for _, hint in stray if hint)
        msg = f"{path}: unknown key: {named}"
        raise ConfigError(msg, hint=hints or "remove it, or see the comments in configs/*.toml")
    try:
        config = msgspec.convert(tree, Config)
    except msgspec.ValidationError as error:
        msg = f"{path}: {error}"
        raise ConfigError(msg, hint=values_hint(str(error))) from error
    _check_names(config, path)
    _check_site(config, path)
    _check_lanes(config, path)
    return _absolute(config, path.resolve().parent)


def _check_names(config: Config, path: Path) -> None:
    names = [lane.name for lane in config.lane]
    sources = [source for lane in config.lane for source in lane.sources]
    names += [source.name for source in sources]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"{path}: used twice as the name of a lane or source: {', '.join(twice)}"
        raise ConfigError(msg, hint="give each lane and each source a name of its own")
    for source in sources:
        fault = camera_table.fault_in(source) if isinstance(source, CameraSourceTable) else None
        if fault is not None:
            msg = f"{path}: {fault[0]} - in the source '{source.name}'"
            raise ConfigError(msg, hint=fault[1])


def _check_site(config: Config, path: Path) -> None:
    fault = site_table.fault_in(config.site)
    if fault is not None:
        msg = f"{path}: {fault.what} - at `$.site.{fault.key}`"
        raise ConfigError(msg, hint=fault.hint)
    limit = "capacity" if config.site.capacity is not None else "headcount"
    if getattr(config.site, limit) is None:
        return
    if all(lane.direction is Direction.IN for lane in config.lane):
        msg = f"{path}: no lane lets people out, so nobody would ever leave - at `$.site.{limit}`"
        raise ConfigError(
            msg, hint=f'give the way out a lane with direction = "out", or remove {limit}'
        )


def _check_lanes(config: Config, path: Path) -> None:
    lanes = [WiredLane(one.name, one.direction, one.gate, one.bridge) for one in config.lane]
    for one in config.lane:
        unheard = sound_table.fault_in(one.sound)
        if unheard is not None:
            msg = f"{path}: {unheard.what} - at `sound.{unheard.key}` of the lane '{one.name}'"
            raise ConfigError(msg, hint=unheard.hint)
        for table in local_tables(one.bridge):
            try:
                check_local(table, one.gate)
            except ValueError as error:
                msg = f"{path}: {error} - in the bridge of the lane '{one.name}'"
                raise ConfigError(msg, hint="see docs/bridges.md for what it can be") from error
    for lane, fault in faults_in(lanes):
        msg = f"{path}: {fault.what} - in the lane '{lane}'"
        raise ConfigError(msg, hint=fault.hint)


def _absolute(config: Config, folder: Path) -> Config:
    def placed(text: str) -> str:
        return str(folder / text)

    replace = msgspec.structs.replace
    hub, credentials = config.hub, config.credentials
    identity = identity_of(folder / config.appliance.state_dir)

    def with_paths(source: SourceTable) -> SourceTable:
        match source:
            case ScenesSourceTable():
                return replace(source, samples=placed(source.samples))
            case CameraSourceTable():
                return camera_table.placed(source, folder)
            case _:
                return source

    lanes = tuple(
        replace(
            lane,
            sources=tuple(with_paths(source) for source in lane.sources),
            bridge=_with_key(lane.bridge, placed),
        )
        for lane in config.lane
    )
    return replace(
        config,
        site=replace(config.site, rulebook=placed(config.site.rulebook)),
        appliance=replace(config.appliance, state_dir=placed(config.appliance.state_dir)),
        hub=replace(
            hub,
            root_file=placed(hub.root_file) if hub.root_file else str(identity.root),
            hash_key_file=placed(hub.hash_key_file)
            if hub.hash_key_file
            else str(identity.hash_key),
            ca_file=placed(hub.ca_file) if hub.ca_file else "",
        ),
        credentials=replace(
            credentials,
            rotating_file=placed(credentials.rotating_file) if credentials.rotating_file else "",
        ),
        lane=lanes,
    )


def _with_key(table: BridgeTable, placed: Callable[[str], str]) -> BridgeTable:
    replace = msgspec.structs.replace
    if isinstance(table, OsdpBridgeTable) and table.key_file:
        return replace(table, key_file=placed(table.key_file))
    if isinstance(table, SeveralBridgeTable):
        members = tuple(_with_key(member, placed) for member in table.members)
        return replace(table, members=members)
    return table


def site_of(config: Config) -> Site:
    """Return the site as the law knows it."""
    return site_from(config.site)
