"""Reading a CSV file row by row: bounded, with line numbers, in what spreadsheets write.

UTF-8 with or without a byte order mark; comma, semicolon or tab, whichever the header has; quotes
as RFC 4180 has them; lines end with LF, CR LF or, as "CSV Macintosh" has them, with CR. Rows that
cannot be read are told of like the others.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator, Sequence
from typing import BinaryIO

import msgspec

from hub.cells import MAX_CELL_LENGTH
from hub.errors import CellError, TableError

MAX_HEADER_BYTES = 16_384
SAVE_HINT = "save it in the spreadsheet as CSV UTF-8"
REJECTED = ("rejected_line", "rejected_column", "rejected_reason")
"""Columns of a rejects file, passed over when it is taken again."""

_LINE_END = re.compile(rb"[\r\n]")


class RawRow(msgspec.Struct, frozen=True):
    """One row as it stands in the file. `line` counts from 1; `problem` says why it has no cells.

    `cells` are in the order of the header.
    """

    line: int
    cells: tuple[str, ...]
    problem: str = ""


class Table:
    """An open CSV file. `columns` are the header's names in lower case, with underscores.

    :param file: seekable; read from its start.
    :raises TableError: if it is no text in UTF-8, or has no header, one that is too long or cannot
        be read, or one that names a column twice.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.seek(0)
        first = file.readline(MAX_HEADER_BYTES)
        if first[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            raise TableError("the file is in UTF-16", hint=SAVE_HINT)
        first_line = _LINE_END.split(first, maxsplit=1)[0]
        header = first_line.decode("utf-8-sig", "surrogateescape")
        if not "".join(header.split()).isprintable():
            raise TableError("the file is no CSV in UTF-8", hint=SAVE_HINT)
        if not header.strip() or len(first_line) == MAX_HEADER_BYTES:
            raise TableError("the file has no header", hint="--template shows one")
        self.delimiter = max(",;\t", key=header.count)
        try:
            names = next(csv.reader([header], delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            msg = "the header cannot be read: a quote in it is not closed"
            raise TableError(msg, hint=SAVE_HINT) from error
        self.columns = tuple("_".join(name.lower().split()) for name in names)
        twice = {name for name in self.columns if self.columns.count(name) > 1}
        if twice:
            msg = f"the header names a column twice: {min(twice)!r}"
            raise TableError(msg, hint="--template shows a header")

    @property
    def position(self) -> int:
        """Bytes read so far, for a progress bar."""
        return self._file.tell()

    def rows(self) -> Generator[RawRow, None, None]:
        """Yield the rows after the header; blank ones are passed over."""
        self._file.seek(0)
        text = io.TextIOWrapper(
            self._file, "utf-8-sig", errors="surrogateescape", newline="", write_through=True
        )
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        try:
            next(reader)
            line = reader.line_num + 1
            while True:
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    yield RawRow(line, (), "a quote that is not closed, or a cell that is too long")
                else:
                    if any(cell.strip() for cell in cells):
                        yield self._row(line, cells)
                line = reader.line_num + 1
        finally:
            text.detach()

    def _row(self, line: int, cells: Sequence[str]) -> RawRow:
        stripped = tuple(cell.strip() for cell in cells)
        if len(cells) != len(self.columns):
            msg = f"{len(cells)} cells where the header has {len(self.columns)}"
            return RawRow(line, stripped, msg)
        return RawRow(line, stripped)


def are_sound(cells: Sequence[str]) -> bool:
    """Return whether `check_cell` would let every cell through; cheaper than asking for each."""
    joined = "".join(cells)
    return joined.isprintable() and (
        len(joined) <= MAX_CELL_LENGTH or max(map(len, cells)) <= MAX_CELL_LENGTH
    )


def check_cell(text: str) -> None:
    """Return if a cell may be looked at.

    :raises CellError: if it is too long, no UTF-8, or holds what cannot be printed.
    """
    if len(text) > MAX_CELL_LENGTH:
        msg = f"longer than {MAX_CELL_LENGTH} characters"
        raise CellError(msg)
    if not text.isprintable():
        raise CellError("not UTF-8, or it holds what cannot be printed")
