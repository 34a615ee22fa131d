"""Taking a CSV file in: good rows in one transaction, each bad one put aside with its reason."""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Protocol, TextIO, TypeVar

import msgspec

from hub.errors import CellError, TableError
from hub.forms import Form, RowError
from hub.store.registers import Change, RegisterStore
from hub.table import REJECTED, RawRow, Table, are_sound, check_cell

CHUNK_ROWS = 2_000
_PRIVATE = 0o600

Record = TypeVar("Record")
Record_contra = TypeVar("Record_contra", contravariant=True)


class Reject(msgspec.Struct, frozen=True):
    """Why a row was not taken. `reason` repeats nothing of the row; `column` may be empty.

    Of several faults, `column` is the first one's and `reason` names the others' columns.
    """

    row: RawRow
    column: str
    reason: str

    def __str__(self) -> str:
        at = f", {self.column}" if self.column else ""
        return f"line {self.row.line}{at}: {self.reason}"


class Taken(msgspec.Struct, frozen=True):
    """What became of a file. `shown` are the first of the rejected rows."""

    rows: int
    rejected: int
    shown: tuple[Reject, ...]


class Desk(Protocol[Record_contra]):
    """Who puts records of one kind into the store."""

    async def check_room(self, store: RegisterStore) -> None:
        """Return if the store may hold such records.

        :raises StoreError: if a release could not name them any more.
        """
        ...

    async def clear(self, change: Change) -> None:
        """Take out all that is there: the file is the whole."""
        ...

    async def take(
        self, change: Change, records: Sequence[tuple[RawRow, Record_contra]]
    ) -> Sequence[Reject]:
        """Put records in; return those that contradict what is on record."""
        ...


class RejectsFile:
    """Rejected rows as they were, each with line, column and reason. There if there are any."""

    def __init__(self, path: Path, columns: Sequence[str], delimiter: str) -> None:
        self._path = path
        self._header = [*(c for c in columns if c not in REJECTED), *REJECTED]
        self._kept = [n for n, c in enumerate(columns) if c not in REJECTED]
        self._delimiter = delimiter
        self._file: TextIO | None = None

    def add(self, reject: Reject) -> None:
        """Write one rejected row.

        :raises TableError: if the file cannot be written.
        """
        cells = reject.row.cells
        kept = [cells[n] if n < len(cells) else "" for n in self._kept]
        try:
            if self._file is None:
                self._path.unlink(missing_ok=True)
                self._path.touch(_PRIVATE, exist_ok=False)
                self._file = self._path.open(
                    "w", encoding="utf-8", errors="surrogateescape", newline=""
                )
                self._write(self._header)
            self._write([*kept, str(reject.row.line), reject.column, reject.reason])
        except OSError as error:
            msg = f"cannot write {self._path}: {error.strerror}"
            raise TableError(msg, hint="name another place with --rejects") from error

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _write(self, cells: Sequence[str]) -> None:
        assert self._file is not None  # noqa: S101 what `add` has just opened
        csv.writer(self._file, delimiter=self._delimiter, lineterminator="\n").writerow(cells)


class Import(Generic[Record]):
    """One file on its way into the store.

    :param rejects: where rejected rows go.
    """

    def __init__(self, table: Table, form: Form[Record], desk: Desk[Record], rejects: Path) -> None:
        check_header(table.columns, form)
        self._table = table
        self._form = form
        self._desk = desk
        self._rejects = rejects
        columns = [form.column(name) for name in table.columns]
        self._readers = [None if one is None else (one.name, one.reader()) for one in columns]
        self._required = [c.name for c in form.columns if c.required]
        self._count = 0
        self._shown: list[Reject] = []

    async def run(
        self,
        store: RegisterStore,
        *,
        replace: bool = False,
        strict: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Taken:
        """Take the file; whatever ends this early leaves the store as it was.

        :param replace: the file is the whole: what it does not name goes.
        :param strict: take nothing if one row is bad.
        :param progress: called with the bytes read so far.
        :raises TableError: if `strict` and a row was bad, if nothing but bad rows came, or if
            `replace` would leave nobody on record.
        """
        with self._writing() as rejects, closing(self._table.rows()) as rows:
            await self._desk.check_room(store)
            changing = store.change()
            change = await changing.__aenter__()
            try:
                taken = await self._all(change, rows, rejects, replace=replace, progress=progress)
                self._judge(taken, strict=strict, replace=replace)
            except BaseException:  # Ctrl-C, too: nothing of the file may stay
                await changing.__aexit__(*sys.exc_info())
                raise
            await _to_its_end(changing.__aexit__(None, None, None))
        return Taken(taken, self._count, tuple(self._shown))

    async def _all(
        self,
        change: Change,
        rows: Iterator[RawRow],
        rejects: RejectsFile,
        *,
        replace: bool,
        progress: Callable[[int], None] | None,
    ) -> int:
        taken = 0
        if replace:
            await self._desk.clear(change)
        while chunk := list(islice(rows, CHUNK_ROWS)):
            records, refused = self._read(chunk)
            refused += await self._desk.take(change, records)
            for reject in sorted(refused, key=lambda reject: reject.row.line):
                self._put_aside(reject, rejects)
            taken += len(chunk) - len(refused)
            if progress is not None:
                progress(self._table.position)
        return taken

    def _judge(self, taken: int, *, strict: bool, replace: bool) -> None:
        if replace and not taken and not self._count and not self._form.may_be_empty:
            raise TableError("the file holds nobody", hint="nothing was changed")
        if not self._count or (taken and not strict):
            return
        first = "; ".join(str(reject) for reject in self._shown[:3])
        msg = f"nothing was taken, {rows_in_words(self._count)} put aside: {first}"
        raise TableError(msg, hint=f"mend what is in {self._rejects}, and take that")

    def _read(self, chunk: Sequence[RawRow]) -> tuple[list[tuple[RawRow, Record]], list[Reject]]:
        records: list[tuple[RawRow, Record]] = []
        refused: list[Reject] = []
        for row in chunk:
            try:
                records.append((row, self._record(row)))
            except RowError as error:
                refused.append(Reject(row, error.column, str(error)))
        return records, refused

    def _record(self, row: RawRow) -> Record:
        if row.problem:
            raise RowError("", row.problem)
        values: dict[str, Any] = {}
        faults: list[tuple[str, str]] = []
        sound = are_sound(row.cells)
        for reader, cell in zip(self._readers, row.cells, strict=True):
            if cell and reader is not None:
                name, read = reader
                try:
                    if not sound:
                        check_cell(cell)
                    values[name] = read(cell)
                except CellError as error:
                    faults.append((name, str(error)))
        wrong = {name for name, _ in faults}
        faults += [(n, "is empty") for n in self._required if n not in values and n not in wrong]
        if faults:
            (column, reason), *more = faults
            raise RowError(column, "; ".join([reason, *(f"{n}: {why}" for n, why in more)]))
        return self._form.build(values)

    def _put_aside(self, reject: Reject, rejects: RejectsFile) -> None:
        self._count += 1
        if len(self._shown) < 10:
            self._shown.append(reject)
        rejects.add(reject)

    @contextmanager
    def _writing(self) -> Iterator[RejectsFile]:
        rejects = RejectsFile(self._rejects, self._table.columns, self._table.delimiter)
        try:
            yield rejects
        finally:
            rejects.close()


def rows_in_words(count: int) -> str:
    """Return how many rows these are.

    >>> rows_in_words(1), rows_in_words(2_000)
    ('1 row', '2,000 rows')
    """
    return "1 row" if count == 1 else f"{count:,} rows"


async def _to_its_end(commit: Awaitable[object]) -> None:
    """Wait for the commit, even if Ctrl-C comes now: it is not undone, and has to be told of."""
    ending = asyncio.ensure_future(commit)
    while not ending.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(ending)
    ending.result()


def check_header(columns: Sequence[str], form: Form[Any]) -> None:
    """Return if a file with this header can be taken.

    :raises TableError: if a column is unknown or one that must be there is missing.
    """
    hint = f"chot hub import {form.name} --template shows a header"
    for name in columns:
        if name not in REJECTED and form.column(name) is None:
            msg = f"{form.name} have no column {name!r}"
            raise TableError(msg, hint=hint)
    for column in form.columns:
        if column.required and column.name not in columns:
            msg = f"the column {column.name!r} is missing"
            raise TableError(msg, hint=hint)
    if form.any_of and not set(form.any_of) & set(columns):
        msg = f"one of the columns {', '.join(form.any_of)} must be there"
        raise TableError(msg, hint=hint)
