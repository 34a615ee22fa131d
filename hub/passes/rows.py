"""Tables of passes that are to be issued or printed: CSV, UTF-8, with a line of column names.

Columns are the fields of an application (`application`), or `text` with passes that have been
issued; beside it may stand what `issued_table` writes. Separated by commas, or by semicolons if the
first line has no comma.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import msgspec

from hub.errors import PassError
from hub.passes import words
from hub.passes.application import FIELDS
from hub.passes.office import IssuedPass

TEXT = "text"
MAX_TABLE_BYTES = 64 << 20
ISSUED_COLUMNS = ("line", "number", "kind", "from", "until", "text")


class Row(msgspec.Struct, frozen=True):
    """One row: the number of its (last) line in the file, and its fields by column.

    `fault` says why it cannot be used, or is empty.
    """

    line: int
    fields: dict[str, str]
    fault: str = ""


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a table; empty lines are left out.

    :raises PassError: if the file cannot be read, or its columns are not those of this module.
    """
    text = _text(path)
    first_line = text.partition("\n")[0]
    delimiter = "," if "," in first_line or ";" not in first_line else ";"
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        _check_columns(path, columns)
        return [
            _row(reader.line_num, columns, values)
            for values in reader
            if any(value.strip() for value in values)
        ]
    except csv.Error as error:
        msg = f"{path}, line {reader.line_num}: no CSV: {error}"
        raise PassError(msg, hint="save the table as CSV in UTF-8") from error


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


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TABLE_BYTES + 1)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise PassError(msg) from error
    if len(data) > MAX_TABLE_BYTES:
        msg = f"{path} is longer than {MAX_TABLE_BYTES >> 20} MiB"
        raise PassError(msg, hint="split the table")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path} is not in UTF-8"
        raise PassError(msg, hint="save the table as 'CSV UTF-8'") from error


def _check_columns(path: Path, columns: list[str]) -> None:
    hint = f"either a column {TEXT}, or some of {', '.join(FIELDS)}, with kind among them"
    if TEXT not in columns and "kind" not in columns:
        msg = f"{path}: the first line names no column {TEXT} or kind"
        raise PassError(msg, hint=hint)
    known = {TEXT, *ISSUED_COLUMNS} if TEXT in columns else set(FIELDS)
    wrong = [name for name in columns if name not in known]
    if wrong or len(set(columns)) != len(columns):
        msg = f"{path}: {', '.join(wrong) or 'a column'} " + (
            "is no column of such a table" if wrong else "stands there twice"
        )
        raise PassError(msg, hint=hint)


def _row(line: int, columns: list[str], values: list[str]) -> Row:
    if len(values) > len(columns):
        return Row(line, {}, "more values than columns")
    return Row(line, dict(zip(columns, values, strict=False)))
