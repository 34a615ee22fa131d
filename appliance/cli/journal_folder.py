"""The folder that the journal's commands are told."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.errors import ApplianceError

folder_argument = click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path)
)


def require_journal(folder: Path) -> None:
    """Return if a journal's files are there.

    :raises ApplianceError: if there are none.
    """
    if not any(folder.glob("*.journal")):
        raise no_journal(folder)


def no_journal(folder: Path) -> ApplianceError:
    """Return the error for a folder in which no journal is."""
    return ApplianceError(
        f"{folder}: no journal here",
        hint="name the folder that holds *.journal files, e.g. /var/lib/chot/journal",
    )
