"""Tables of passes that are to be issued or printed: CSV, UTF-8, with a line of column names.

Columns are the fields of an application (`application`), or `text` with passes that have been
issued; beside it may stand what `issued_table` writes. The form of the file is `hub.table`'s.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from hub.errors import PassError, TableError
from hub.passes import words
from hub.passes.application import FIELDS
from hub.passes.office import IssuedPass
from hub.table import SAVE_HINT, RawRow, Table

TEXT = "text"
ISSUED_COLUMNS = ("line", "number", "kind", "from", "until", "text")

_COLUMNS_HINT = f"either a column {TEXT}, or some of {', '.join(FIELDS)}, with kind among them"


class Row(msgspec.Struct, frozen=True):
    """One row: the number of its first line in the file, and its fields by column.

    `fault` says why it cannot be used, or is empty.
    """

    line: int
    fields: dict[str, str]
    fault: str = ""


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a table; empty lines are left out.

    :raises PassError: if the file cannot be read, or its columns are not those of this module.
    """
    try:
        with path.open("rb") as file:
            table = Table(file)
            _check_columns(path, table.columns)
            return [_row(table.columns, raw) for raw in table.rows()]
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise PassError(msg) from error
    except TableError as error:
        msg = f"{path}: {error}"
        hint = error.hint if error.hint == SAVE_HINT else _COLUMNS_HINT
        raise PassError(msg, hint=hint) from error


def issued_table(issued: Iterable[tuple[int, IssuedPass]]) -> bytes:
    """Return the record of what was issued, by line of the table it was asked for in."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(ISSUED_COLUMNS)
    for line, made in issued:
        claims = made.claims
        times = words.moment(claims.from_s), words.moment(claims.expires_s)
        number, kind = claims.granted.number.hex(), claims.granted.kind.value
        writer.writerow((line, number, kind, *times, made.text))
    return file.getvalue().encode()


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    if TEXT not in columns and "kind" not in columns:
        msg = f"{path}: the first line names no column {TEXT} or kind"
        raise PassError(msg, hint=_COLUMNS_HINT)
    known = {TEXT, *ISSUED_COLUMNS} if TEXT in columns else set(FIELDS)
    wrong = [name for name in columns if name not in known]
    if wrong:
        msg = f"{path}: no column of such a table: {', '.join(wrong)}"
        raise PassError(msg, hint=_COLUMNS_HINT)


def _row(columns: Sequence[str], raw: RawRow) -> Row:
    if raw.problem:
        return Row(raw.line, {}, raw.problem)
    return Row(raw.line, dict(zip(columns, raw.cells, strict=True)))
