"""What the commands share: the folder's option, running, and reading moments."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click
import uvloop

from hub.folder import DataFolder

T = TypeVar("T")

AT_ONCE = "A hub that serves publishes it within seconds; where none does: chot hub publish."


def data_option(command: Any) -> Any:
    """Add `--data`, passed on as `folder`."""
    return click.option(
        "--data",
        "folder",
        required=True,
        type=click.Path(file_okay=False, path_type=Path),
        callback=lambda _ctx, _param, path: DataFolder(path),
        help="The hub's folder: database, keys, published files.",
    )(command)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end. Ctrl-C cancels it, so that it can clean up."""
    return uvloop.run(work)
