"""`chot journal`: looks into a journal's folder, also while the daemon writes to it."""

from __future__ import annotations

import click

from appliance.cli.journal_count import count_command
from appliance.cli.journal_export import export_command
from appliance.cli.journal_find import find_command
from appliance.cli.journal_tail import tail_command
from appliance.cli.journal_verify import verify_command


@click.group()
def journal() -> None:
    """Look into a journal's folder. Changes nothing there."""


for command in (verify_command, tail_command, find_command, count_command, export_command):
    journal.add_command(command)
