"""What the commands share: the folder's option, running, and reading moments."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import uvloop

from hub.folder import DataFolder

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

AT_ONCE = "A hub that serves publishes it within seconds; where none does: chot hub publish."


class Moment(click.ParamType[int]):
    """A moment with its time zone, as seconds since the Unix epoch."""

    name = "moment"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds, or end the command saying how a moment is written."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail("write a moment as 2021-09-16T00:00+07:00", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"the time zone is missing: write {value}+07:00", param, ctx)
        return int((moment - _EPOCH).total_seconds())


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
