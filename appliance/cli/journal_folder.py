"""The folder that the journal's commands are told."""

from __future__ import annotations

import os
from pathlib import Path

import click

from appliance.errors import ApplianceError


def _readable(_context: click.Context, _parameter: click.Parameter, folder: Path) -> Path:
    """Return a folder that this user may list.

    :raises ApplianceError: if it is closed to him.
    :raises click.BadParameter: if it is none.
    """
    try:
        with os.scandir(folder):
            return folder
    except PermissionError as error:
        hint = "run it as the service's user: sudo -u chot …"
        msg = f"{folder} is closed to this user"
        raise ApplianceError(msg, hint=hint) from error
    except OSError as error:
        msg = f"{folder} cannot be read: {error.strerror}"
        raise click.BadParameter(msg) from error


folder_argument = click.argument("folder", type=click.Path(path_type=Path), callback=_readable)


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
