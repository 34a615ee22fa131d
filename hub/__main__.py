"""`python -m hub` is `chot hub`, also in how it shows what went wrong."""

from __future__ import annotations

import sys

import click

from admission.errors import ChotError
from hub.cli import hub


def main() -> None:
    """Run the command line; one of our errors becomes a message, what to do, and status 1."""
    try:
        hub(prog_name="chot hub")
    except ChotError as error:
        click.secho(f"error: {error}", fg="red", err=True)
        if error.hint:
            click.echo(f"  → {error.hint}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
