"""How `chot scan` shows what it found: a table for people, JSON lines for programs.

What a code says is untrusted: nothing of it reaches the terminal as a control sequence or as
markup.
"""

from __future__ import annotations

import json
from typing import Protocol

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from admission.errors import ChotError

TEXT_SHOWN = 40
END_SHOWN = 10
"""Of them from the end: codes of one kind begin alike."""


class Found(msgspec.Struct, frozen=True):
    """One text that was read, by which rung, and its corners in pixels (empty off a cable)."""

    text: str
    symbology: str
    rung: str = ""
    quad: tuple[tuple[float, float], ...] = ()


class Finding(msgspec.Struct, frozen=True):
    """What one picture, frame or line gave. `ms`: decoding time, or since capture if live.

    `film` says that it comes from a video or a recording, whose frames are counted apart.
    """

    source: str
    found: tuple[Found, ...] = ()
    ms: float = 0.0
    frame: int | None = None
    error: str = ""
    hint: str = ""
    film: bool = False


class Report(Protocol):
    """Where findings go."""

    def add(self, finding: Finding) -> None:
        """Take one finding; live ones are shown at once."""
        ...

    def looked(self) -> None:
        """Count one frame of a film that was looked at."""
        ...

    def close(self) -> None:
        """Show what was not shown yet."""
        ...


def fault(source: str, error: ChotError) -> Finding:
    """Return the finding that `source` could not be read, and what to do about it."""
    return Finding(source, error=str(error), hint=error.hint)


def printable(message: str) -> str:
    """Return `message` without what a file's name could do to a terminal."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in message
    )


def shortened(text: str) -> str:
    r"""Return `text` without control characters, and cut in the middle to fit a table's column.

    >>> shortened("one\ntwo\x1b[2J")
    'one\\ntwo\\x1b[2J'
    """
    shown = printable(text[: TEXT_SHOWN + 1])
    if len(text) <= TEXT_SHOWN and len(shown) <= TEXT_SHOWN:
        return shown
    end = printable(text[-END_SHOWN:])[-END_SHOWN:]
    return f"{shown[: TEXT_SHOWN - END_SHOWN]}…{end} ({len(text)})"


class JsonReport:
    """One JSON object a line on standard output, each at once."""

    def add(self, finding: Finding) -> None:
        """Write one line. Everything outside ASCII is escaped."""
        click.echo(json.dumps(_as_map(finding)))

    def looked(self) -> None:
        """Frames are not counted: each finding says its own."""

    def close(self) -> None:
        """Nothing is left to show."""


def _as_map(finding: Finding) -> dict[str, object]:
    shown: dict[str, object] = {"source": finding.source}
    if finding.frame is not None:
        shown["frame"] = finding.frame
    if finding.error:
        return shown | {"error": finding.error, "hint": finding.hint}
    return shown | {
        "ms": round(finding.ms, 3),
        "readings": [msgspec.to_builtins(found) for found in finding.found],
    }


class TableReport:
    """A table on standard output at the end; live findings and errors line by line at once."""

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._console = Console(highlight=False)
        self._table = Table()
        self._table.add_column("source", overflow="fold", min_width=16)
        self._table.add_column("text", overflow="fold", min_width=16)
        for column in ("symbology", "rung"):
            self._table.add_column(column, no_wrap=True)
        self._table.add_column("ms", justify="right", no_wrap=True)
        self._pictures = self._read = self._frames = self._codes = self._failed = 0

    def add(self, finding: Finding) -> None:
        """Take one finding."""
        if finding.error:
            self._failed += 1
            click.secho(f"error: {printable(finding.error)}", fg="red", err=True)
            if finding.hint:
                click.echo(f"  → {finding.hint}", err=True)
            return
        if finding.film:
            self._codes += len(finding.found)
        else:
            self._pictures += 1
            self._read += bool(finding.found)
        for cells in _rows(finding):
            if self._live:
                # Not through rich: it wraps at 80 columns where it does not know the width, and
                # leaves the program by itself when the pipe is closed.
                click.echo("  ".join(cells))
            else:
                self._table.add_row(*(Text(cell) for cell in cells))

    def looked(self) -> None:
        """Count one frame of a film that was looked at."""
        self._frames += 1

    def close(self) -> None:
        """Print the table and how many pictures and frames were read."""
        if self._live:
            return
        if self._table.row_count:
            self._console.print(self._table)
        self._console.print(", ".join(self._counts()))

    def _counts(self) -> list[str]:
        counts = []
        if self._pictures or not self._frames:
            unread = self._pictures - self._read
            counts += [_counted(self._pictures, "picture"), f"{self._read} read"]
            counts += [f"{unread} without a code that could be read"]
        if self._frames:
            counts += [_counted(self._frames, "frame"), f"{_counted(self._codes, 'code')} read"]
        return [*counts, _counted(self._failed, "error")]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _rows(finding: Finding) -> list[tuple[str, str, str, str, str]]:
    place = printable(finding.source)
    if finding.frame is not None:
        place = f"{place} #{finding.frame}"
    ms = f"{finding.ms:.1f}"
    if not finding.found:
        return [(place, "—", "", "", ms)]
    return [
        (place, shortened(found.text), found.symbology, found.rung, ms) for found in finding.found
    ]
