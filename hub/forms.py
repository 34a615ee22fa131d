"""What each kind of CSV file holds: its columns, and how a row becomes a record.

One form a kind. Adding a column here adds it to the command's help and to its template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar

import msgspec

from admission.identity import Identifier, IdentifierKind
from admission.standing import (
    CredentialStatus,
    Officer,
    Permit,
    RosterEntry,
    WatchEntry,
)
from hub import cells
from hub.errors import CellError
from hub.store.registers import Row

PERMIT_VALID_H = 72
"""Hours from issue for which a movement permit counts (policy), where none are stated."""

_REMEMBERED = 4_096
"""Different cells of one column whose meaning is remembered while a file is read."""

Values = Mapping[str, Any]
"""What a row's filled cells say, by column."""
Record = TypeVar("Record")


class Column(msgspec.Struct, frozen=True):
    """One column: how its cells are read, and what `--help` and `--template` show of it.

    `repeats` says that few different cells are to be expected: what was read is then remembered.
    """

    name: str
    read: Callable[[str], Any]
    example: str
    meaning: str
    required: bool = False
    repeats: bool = True

    def reader(self) -> Callable[[str], Any]:
        """Return what reads this column of one file."""
        return lru_cache(_REMEMBERED)(self.read) if self.repeats else self.read


class Form(msgspec.Struct, Generic[Record], frozen=True):
    """One kind of file. `build` makes the record of a row and raises `RowError`.

    `any_of` are columns of which the header has at least one. `may_be_empty` says that a file
    without rows may stand for the whole.
    """

    name: str
    columns: tuple[Column, ...]
    build: Callable[[Values], Record]
    any_of: tuple[str, ...] = ()
    may_be_empty: bool = True

    def column(self, name: str) -> Column | None:
        """Return the column of this name."""
        return next((column for column in self.columns if column.name == name), None)


class RowError(CellError):
    """What a row's cells say together makes no record. `column` is where to look."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


IDENTIFIERS: tuple[Column, ...] = (
    Column(
        "document",
        cells.document,
        "000190123456",
        "number of the citizen card (CCCD), identity card (CMND) or passport",
        repeats=False,
    ),
    Column(
        "qid",
        cells.identifier(IdentifierKind.QID),
        "900000000000000017",
        "identifier of the national QR platform",
        repeats=False,
    ),
    Column(
        "insurance",
        cells.identifier(IdentifierKind.INSURANCE),
        "0123456789",
        "health-insurance number, ten digits or an older card's fifteen characters",
        repeats=False,
    ),
    Column(
        "typed_code",
        cells.identifier(IdentifierKind.TYPED_CODE),
        "57213004864",
        "code sent by SMS, eleven digits",
        repeats=False,
    ),
    Column(
        "backup_number",
        cells.identifier(IdentifierKind.BACKUP_NUMBER),
        "57213004860016",
        "number printed on paper, fourteen digits",
        repeats=False,
    ),
    Column(
        "wallet_object",
        cells.identifier(IdentifierKind.WALLET_OBJECT),
        "",
        "object id of a wallet's rotating code",
        repeats=False,
    ),
    Column(
        "certificate",
        cells.identifier(IdentifierKind.CERTIFICATE),
        "",
        "identifier of a health certificate (UVCI)",
        repeats=False,
    ),
)
"""Whom a row is about: any number that a code may show."""
NUMBERS = tuple(column.name for column in IDENTIFIERS)
STATUS = Column("status", cells.status, "active", "active or revoked; active where it is empty")
DISTRICT = Column(
    "district",
    cells.whole(0, cells.MAX_DISTRICT),
    "760",
    "official district code; empty or 0 = any",
)


def named(values: Values) -> tuple[Identifier, ...]:
    """Return the numbers that a row names somebody by, in order of authority.

    :raises RowError: if it names nobody.
    """
    found = tuple(values[name] for name in NUMBERS if name in values)
    if not found:
        msg = f"names nobody: fill one of {', '.join(NUMBERS)}"
        raise RowError("document", msg)
    return found


def status_of(values: Values) -> CredentialStatus:
    """Return the row's status."""
    status: CredentialStatus = values.get("status", CredentialStatus.ACTIVE)
    return status


def key_of(identifier: Identifier) -> str:
    """Return the key of a row that has no number of its own."""
    return f"{identifier.kind.value}:{identifier.value}"


def _permit(values: Values) -> Row:
    from_h, until_h = values["from"], values.get("until")
    if until_h is None:
        until_h = from_h + PERMIT_VALID_H
    if until_h <= from_h:
        raise RowError("until", "not after its beginning")
    permit = Permit(
        status_of(values),
        from_h,
        until_h,
        values.get("places", 0),
        values.get("district", 0),
        values.get("hours"),
    )
    return Row(values["number"], named(values), permit)


def _worker(values: Values) -> Row:
    first, last = values.get("first_day"), values.get("last_day")
    if first is not None and last is not None and last < first:
        raise RowError("last_day", "before the first day")
    numbers = named(values)
    entry = RosterEntry(status_of(values), first, last, values.get("shift"))
    return Row(key_of(numbers[0]), numbers, entry)


def _watched(values: Values) -> Row:
    numbers = named(values)
    return Row(key_of(numbers[0]), numbers, WatchEntry(status_of(values), values.get("until")))


def _officer(values: Values) -> Row:
    number = values["number"]
    officer = Officer(status_of(values), number, values.get("last_day"), values.get("district", 0))
    return Row(str(number), named(values), officer)


def permits(valid_h: int = PERMIT_VALID_H) -> Form[Row]:
    """Return the form of movement permits, which count for `valid_h` where a row says no more."""

    def build(values: Values) -> Row:
        return _permit({"until": values["from"] + valid_h, **values})

    return Form(
        "permits",
        (
            Column("number", cells.plain, "GDD-2021-000017", "number of the permit", required=True,
                   repeats=False),
            *IDENTIFIERS,
            Column("from", cells.hour_down, "2021-09-16T06:00+07:00",
                   "moment of issue, with time zone; the full hour before counts", required=True),
            Column("until", cells.hour_up, "2021-09-19T06:00+07:00",
                   f"moment when it ends, to the full hour after; empty = {valid_h} h after issue"),
            Column("places", cells.places, "control_station|supermarket",
                   "kinds of place, parted by |; empty = any"),
            DISTRICT,
            Column("hours", cells.hours, "06:00-18:00 mon-fri", "hours of the day; empty = any"),
            STATUS,
        ),
        build,
        NUMBERS,
    )  # fmt: skip


ROSTER_FORM: Form[Row] = Form(
    "roster",
    (
        *IDENTIFIERS,
        Column("first_day", cells.a_date, "2021-09-16", "first day, inclusive; empty = open"),
        Column("last_day", cells.a_date, "2021-12-31", "last day, inclusive; empty = open"),
        Column("shift", cells.hours, "22:00-06:00 mon-sat", "hours of the shift; empty = any"),
        STATUS,
    ),
    _worker,
    NUMBERS,
)
WATCH_FORM: Form[Row] = Form(
    "watch",
    (
        *IDENTIFIERS,
        Column("until", cells.a_date, "2021-10-16", "last day, inclusive; empty = open"),
        STATUS,
    ),
    _watched,
    NUMBERS,
)
OFFICERS_FORM: Form[Row] = Form(
    "officers",
    (
        Column("number", cells.whole(0, 99_999_999), "4016",
               "number of the account, up to eight digits", required=True, repeats=False),
        *IDENTIFIERS,
        Column("last_day", cells.a_date, "2021-12-31", "last day, inclusive; empty = open"),
        DISTRICT,
        STATUS,
    ),
    _officer,
    NUMBERS,
)  # fmt: skip
