"""Tables of what gates have sent: for people, and harmless to their terminals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone

from rich.console import Console
from rich.table import Table

VIETNAM = timezone(timedelta(hours=7))
_FILE_COLUMNS = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(wall_ns: int) -> str:
    """Return a wall time in Vietnam's time zone to the second, "?" for one that is none.

    >>> moment(1_632_100_000_000_000_000)
    '2021-09-20T08:06:40+07:00'
    """
    try:
        at = _EPOCH + timedelta(microseconds=wall_ns // 1000)
        return at.astimezone(VIETNAM).isoformat(timespec="seconds")
    except OverflowError:
        return "?"


def short(moment_text: str) -> str:
    """Return a moment as it stands in a table: without its time zone.

    >>> short("2021-09-20T08:06:40+07:00")
    '2021-09-20 08:06:40'
    """
    return moment_text[:19].replace("T", " ")


def counted(number: int, noun: str) -> str:
    """Return a number of things, in words that fit it.

    >>> counted(1, "journal"), counted(2_000, "day")
    ('1 journal', '2,000 days')
    """
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def printable(text: str) -> str:
    """Return a gate's text with nothing in it that could steer a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table to standard output, as wide as the terminal, or as a file may be."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:  # a file or a pipe has no edge
        console.width = _FILE_COLUMNS
    table = Table(box=None, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(printable, row))
    console.print(table)
