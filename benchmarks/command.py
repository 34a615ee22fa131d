"""What the commands of `chot bench` have in common: options, and how they answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table

Figures = TypeVar("Figures", bound=msgspec.Struct)

folder_option = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The medium to be measured. Default: the temporary folder.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object on standard output."
)


def answer(figures: Figures, table_of: Callable[[Figures], Table], *, as_json: bool) -> None:
    """Print figures for a program, or as a table for a person."""
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
    else:
        Console().print(table_of(figures))
