"""Progress bars for the commands: on a terminal only, and moved from any thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

_STEP = 1_000

T = TypeVar("T")


class Bar:
    """One task of a progress display, moved from any thread."""

    def __init__(self, progress: Progress, label: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(label, total=total)
        self._total = total

    def reached(self, done: int) -> None:
        """Show how much is done. An estimated total gives way to what is more than it."""
        if self._total is not None and done > self._total:
            self._total = done
        self._progress.update(self._task, completed=done, total=self._total)

    def counted(self, items: Iterable[T]) -> Iterator[T]:
        """Pass items on, counting them."""
        done = 0
        for done, item in enumerate(items, start=1):
            yield item
            if done % _STEP == 0:
                self.reached(done)
        self.reached(done)


@contextmanager
def progress_bar(label: str, total: int | None, *, in_bytes: bool = False) -> Iterator[Bar]:
    """Show a bar for the length of a context; `total` None for work of unknown size."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn() if in_bytes else MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield Bar(progress, label, total)
