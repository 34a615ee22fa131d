"""`chot bridge`: lamps, buzzer and gate in a technician's hands, without the daemon."""

from __future__ import annotations

import click

from appliance.cli.bridge_configure import configure_command
from appliance.cli.bridge_flash import flash_command
from appliance.cli.bridge_off import off_command
from appliance.cli.bridge_show import show_command
from appliance.cli.bridge_test import test_command


@click.group()
def bridge() -> None:
    """Try, write, configure and inspect the boards that drive lamps, buzzer and gate.

    The daemon has its boards' ports open: stop it first (sudo systemctl stop chot).
    """


for command in (flash_command, configure_command, show_command, test_command, off_command):
    bridge.add_command(command)
