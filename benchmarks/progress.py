"""What a benchmark says while it runs, and the bar that shows it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar


class Progress(Protocol):
    """Told what is being done, and which share of it is."""

    def __call__(self, step: str, share: float = 0.0) -> None:
        """Show it."""


@contextlib.contextmanager
def shown() -> Iterator[Progress]:
    """Show on standard error what is being done, and for how long."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)

        def show(step: str, share: float = 0.0) -> None:
            bar.update(task, description=step, completed=share)

        yield show
