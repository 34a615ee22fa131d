"""`chot`: finds its commands, and turns errors of ours into one line with what to do next."""

from __future__ import annotations

import importlib
import io
import sys
from importlib.metadata import entry_points, version
from typing import Any

import click

from admission.errors import ChotError
from appliance.house import check_house

COMMANDS = {
    "run": "appliance.cli.run:run",
    "check": "appliance.cli.check:check",
    "enrol": "appliance.cli.enrol:enrol",
    "demo": "appliance.cli.demo:demo",
    "bridge": "appliance.cli.bridge:bridge",
    "camera": "appliance.cli.camera:camera",
    "scan": "appliance.cli.scan:scan",
    "record": "appliance.cli.record:record",
    "journal": "appliance.cli.journal:journal",
    "replica": "appliance.cli.replica:replica",
    "rotating": "appliance.cli.rotating:rotating",
    "rulebook": "appliance.cli.rulebook:rulebook",
}
PLUGINS = "chot.commands"
"""Entry-point group by which other packages (the hub is one) add commands."""


class CommandError(click.ClickException):
    """One of our errors, as a person at a terminal should see it."""

    def __init__(self, error: ChotError) -> None:
        super().__init__(str(error) or type(error).__name__)
        self.hint = error.hint

    def show(self, file: Any = None) -> None:
        """Print the message, and under it what to do next."""
        click.secho(f"error: {self.format_message()}", fg="red", err=True, file=file)
        if self.hint:
            click.echo(f"  → {self.hint}", err=True, file=file)


class LazyGroup(click.Group):
    """Commands are imported when they are called, so that `chot --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of our commands and of those that packages add."""
        return sorted([*COMMANDS, *(p.name for p in entry_points(group=PLUGINS))])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command of this name, or None."""
        if cmd_name in COMMANDS:
            module, _, name = COMMANDS[cmd_name].partition(":")
            command: click.Command = getattr(importlib.import_module(module), name)
            return command
        for plugin in entry_points(group=PLUGINS):
            if plugin.name == cmd_name:
                loaded: click.Command = plugin.load()
                return loaded
        return None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error that carries a hint of ours becomes one line on stderr."""
        try:
            return super().invoke(ctx)
        except ChotError as error:
            raise CommandError(error) from error


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("chot"), prog_name="chot")
def main() -> None:
    """Chốt: an open checkpoint verification appliance."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What the terminal's encoding lacks is shown escaped.
            stream.reconfigure(errors="backslashreplace")
    check_house()


if __name__ == "__main__":
    main()
