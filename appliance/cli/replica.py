"""`chot replica`: what this gate knows, whether it is sound, and how it travels by hand."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click

from admission.enquiry import Purpose
from admission.identity import Identifier, IdentifierKind
from appliance.cli.replica_files import (
    diff_command,
    export_command,
    import_command,
    verify_command,
)
from appliance.cli.replica_lines import standing_lines, status_lines
from appliance.cli.replica_options import as_json_option, config_option
from appliance.config import Config
from appliance.control import NotRunning, ask
from appliance.control_answers import MAX_NUMBER_LENGTH, number
from appliance.offline_replica import enquire, stored_status

_NUMBERS = (
    IdentifierKind.DOCUMENT,
    IdentifierKind.QID,
    IdentifierKind.TYPED_CODE,
    IdentifierKind.INSURANCE,
    IdentifierKind.BACKUP_NUMBER,
    IdentifierKind.WALLET_OBJECT,
    IdentifierKind.CERTIFICATE,
    IdentifierKind.PASS_NUMBER,
    IdentifierKind.FOREIGN,
)
_PURPOSES = [purpose.value for purpose in Purpose]


@click.group()
def replica() -> None:
    """Look into what this gate knows: state, soundness, single records, and copies of it."""


for command in (verify_command, diff_command, export_command, import_command):
    replica.add_command(command)


@replica.command()
@config_option
@as_json_option
def status(config: Config, as_json: bool) -> None:
    """Say which release answers here, how old it is, and what is missing or damaged.

    Asks the running daemon; where none runs, what lies on the disk is opened and looked at.
    """
    state = Path(config.appliance.state_dir)
    try:
        found = ask(state, {"ask": "status"}) | {"daemon": True}
    except NotRunning:
        found = stored_status(config) | {"daemon": False}
    if as_json:
        click.echo(json.dumps(found))
        return
    for line in status_lines(found):
        click.echo(line)


@replica.command()
@config_option
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in _NUMBERS]),
    default=IdentifierKind.DOCUMENT.value,
    show_default=True,
    help="Which register the number is from.",
)
@click.option(
    "--purpose",
    type=click.Choice(_PURPOSES),
    help="Stands in the journal beside the look-up. Asked for at a terminal.",
)
@as_json_option
def lookup(config: Config, kind: str, purpose: str | None, as_json: bool) -> None:
    """Show what is on record under one number. The look-up is journaled, with its purpose.

    The number is asked for, or read from standard input: on a command line it would stay in the
    shell's history.
    """
    if sys.stdin.isatty():
        purpose = purpose or click.prompt(
            "Why is this person looked up", type=click.Choice(_PURPOSES), err=True
        )
        typed = click.prompt("Number", err=True)
    else:
        typed = sys.stdin.buffer.readline(MAX_NUMBER_LENGTH + 2).decode(errors="replace")
    if purpose is None:  # what is piped is the number, and must not be shown as a wrong purpose
        msg = f"say why: --purpose {'|'.join(_PURPOSES)}"
        raise click.UsageError(msg)
    found = _looked_up(config, number(IdentifierKind(kind), typed), Purpose(purpose))
    if as_json:
        click.echo(json.dumps(found))
        return
    for line in standing_lines(found):
        click.echo(line)


def _looked_up(config: Config, identifier: Identifier, purpose: Purpose) -> dict[str, Any]:
    question = {
        "ask": "lookup",
        "kind": identifier.kind.value,
        "value": identifier.value,
        "purpose": purpose.value,
    }
    try:
        return ask(Path(config.appliance.state_dir), question)
    except NotRunning:
        return asyncio.run(enquire(config, identifier, purpose))
