"""`chot bridge`: lamps, buzzer and gate in a technician's hands, without the daemon."""

from __future__ import annotations

import click

from appliance.cli.bridge_flash import flash_command


@click.group()
def bridge() -> None:
    """Try, write, configure and inspect the boards that drive lamps, buzzer and gate.

    The daemon has its boards' ports open: stop it first (sudo systemctl stop chot).
    """


for command in (flash_command,):
    bridge.add_command(command)
