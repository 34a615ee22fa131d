"""`chot enrol`: this gate becomes a device of its hub."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from admission.enrolment import MAX_TOKEN_LENGTH, Token, fingerprint, is_serial, unpack_token
from appliance.certificates import Names
from appliance.clock import SystemClock
from appliance.config import Config, load_config
from appliance.enrolling import Enrolled, Enrolling
from appliance.errors import ConfigError
from appliance.hardware_serial import hardware_serial
from appliance.identity import identity_of, signing_key
from appliance.identity_keeping import keep
from appliance.token_scanning import scanned_token
from cache.core_dumps import forbid_core_dumps
from cache.errors import KeyFileError
from cache.replica.keys import read_secret

_MISSING_HINT = "`chot hub enrol token` at the hub makes it"
_STANDARD_INPUT = "-"
_SERIAL_HINT = "name it with --serial: letters, digits, dots and dashes"


@click.command()
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    required=True,
    help="The configuration, e.g. configs/supermarket.toml.",
)
@click.option(
    "--token-file",
    help="Where the token is, a file of mode 0600, or - for standard input; else it is asked for.",
)
@click.option(
    "--scan", is_flag=True, help="Read the token's code by this gate's own cameras and scanners."
)
@click.option("--serial", help="This device's serial number, where it knows none or another.")
@click.option(
    "--wait",
    "wait_min",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0, 1_440),
    help="Minutes to wait for the person at the hub.",
)
@click.option("--show", is_flag=True, help="Only say what the hub needs to know for a token.")
def enrol(
    *,
    path: Path,
    token_file: str | None,
    scan: bool,
    serial: str | None,
    wait_min: float,
    show: bool,
) -> None:
    """Enrol this gate: its key stays here, the hub gives it a certificate for it.

    Run it as the service's user. Ctrl-C leaves nothing half done: with the same token it goes on.
    """
    if scan and token_file is not None:
        raise click.UsageError("--scan and --token-file: the token comes from one of them")
    forbid_core_dumps()  # where the system allows that: keys and the token are in memory
    config = load_config(path)
    names = Names(config.appliance.device, config.site.id, _serial(serial))
    state = Path(config.appliance.state_dir)
    _require_owner(state)
    key = signing_key(identity_of(state))
    shown = fingerprint(key.public_key().public_bytes_raw())
    click.echo(f"device {names.device}, site {names.site}, serial {names.serial}", err=True)
    click.echo(f"fingerprint {shown}", err=True)
    if show:
        click.echo(f"At the hub: {_asked_for(config, names)}", err=True)
        return
    token = _scanned(config, wait_min * 60) if scan else _token(token_file)
    _require_meant(token, names)
    enrolling = Enrolling(
        token,
        names,
        key,
        SystemClock(),
        waiting=lambda number: _tell_waiting(number, shown),
        wait_s=wait_min * 60,
        proxy=config.hub.proxy,
    )
    keep(config, _enrolled(enrolling))
    _tell_next(config, token, path)


def _enrolled(enrolling: Enrolling) -> Enrolled:
    try:
        return asyncio.run(enrolling.enrol())
    except KeyboardInterrupt as error:
        click.echo("Nothing was changed. With the same token it goes on from here.", err=True)
        raise click.Abort from error


def _serial(named: str | None) -> str:
    serial = named if named is not None else hardware_serial()
    if not is_serial(serial):
        unknown = "the serial number of this device is not known"
        msg = unknown if named is None else f"{named!r} is not a serial number"
        raise ConfigError(msg, hint=_SERIAL_HINT)
    return serial


def _require_owner(state: Path) -> None:
    """Check that what is written will be the service's.

    :raises ConfigError: if root runs this over a folder of somebody else.
    """
    if os.geteuid() == 0 and state.exists() and state.stat().st_uid != 0:
        msg = f"{state} is another user's: the service could not read what root writes there"
        raise ConfigError(msg, hint="sudo -u chot …, the user of the service")


def _token(token_file: str | None) -> Token:
    if token_file is None and _at_a_terminal():
        return unpack_token(click.prompt("Token", hide_input=True, err=True))
    if (
        token_file is None or token_file == _STANDARD_INPUT
    ):  # what is no terminal cannot hide what is typed
        return unpack_token(sys.stdin.read(MAX_TOKEN_LENGTH + 1))
    try:
        data = read_secret(Path(token_file), missing_hint=_MISSING_HINT)
    except KeyFileError as error:
        raise ConfigError(str(error), hint=error.hint) from error
    return unpack_token(data.decode("ascii", "replace"))


def _scanned(config: Config, wait_s: float) -> Token:
    names = ", ".join(source.name for lane in config.lane for source in lane.sources)
    click.echo(f"Hold the token's code up to one of: {names}", err=True)
    reading = scanned_token(
        config,
        monotonic_ns=SystemClock().monotonic_ns,
        rng=random.Random(),  # noqa: S311 - spreads retries, no secret
        wait_s=wait_s,
    )
    try:
        return unpack_token(asyncio.run(reading))
    except KeyboardInterrupt as error:
        raise click.Abort from error


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _require_meant(token: Token, names: Names) -> None:
    """Check that a token is for this gate, before it is used up.

    :raises ConfigError: if it is not.
    """
    if token.site != names.site:
        msg = f"the token is for the site {token.site}, this gate is at {names.site}"
        raise ConfigError(msg, hint="correct site.id, or ask for a token for this site")
    if token.serial != names.serial:
        msg = f"the token is for serial number {token.serial}, this device has {names.serial}"
        raise ConfigError(msg, hint="ask for a token for this device")


def _tell_waiting(number: str, shown: str) -> None:
    click.echo(f"The hub has request {number}. A person there compares the fingerprint", err=True)
    click.secho(f"  {shown}", bold=True, err=True)
    click.echo(f"and says `chot hub enrol approve {number} --data DIR`. Waiting …", err=True)


def _tell_next(config: Config, token: Token, path: Path) -> None:
    click.secho(f"Enrolled as {config.appliance.device}.", fg="green", err=True)
    if _origin(config.hub.url) != _origin(token.url):
        click.echo(f'  → set url = "{token.url}" in [hub] of {path}', err=True)
    click.echo(f"  → chot check --config {path}", err=True)


def _asked_for(config: Config, names: Names) -> str:
    """Return the command that gives out a token for this gate."""
    asked = f"--device {names.device} --site {names.site} --serial {names.serial}"
    return f"chot hub enrol token --data DIR {asked} --url {config.hub.url}"


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default
