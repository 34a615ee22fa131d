"""What stands in one cell of a CSV file: numbers, dates, moments, hours, words.

Every reader takes the text without white space around it, never empty, and raises `CellError` with
a reason that does not repeat the cell: reasons are shown and kept, and cells are personal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import TypeVar

from admission.credentials import backup_number, fields, typed_code
from admission.credentials.fields import calendar_date
from admission.hours import EVERY_DAY, Hours
from admission.identity import Identifier, IdentifierKind, normalise
from admission.site import Place
from admission.standing import CredentialStatus, Product, TestResult
from hub.errors import CellError

MAX_CELL_LENGTH = 512
"""Characters of the longest cell that is looked at."""
MAX_IDENTIFIER_LENGTH = 128
MAX_DISTRICT = 16_383

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})|(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_MOMENT = re.compile(
    r"(\S{8,10})[T ](\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)? ?(Z|[+-]\d{2}:?\d{2})", re.ASCII
)
_HOURS = re.compile(
    r"(?:([^:]*)\s)?(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})(?:\s([^:]*))?", re.ASCII
)
_DAYS = {
    name: number
    for names in ("mon tue wed thu fri sat sun", "t2 t3 t4 t5 t6 t7 cn")
    for number, name in enumerate(names.split())
}
_YES, _NO = (
    frozenset({"yes", "y", "true", "1", "x", "co"}),
    frozenset({"no", "n", "false", "0", "khong"}),
)

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


def a_date(text: str) -> date:
    """Return the date of `YYYY-MM-DD` or `DD/MM/YYYY`."""
    found = _DATE.fullmatch(text)
    if found is not None:
        year, month, day = found.group(1, 2, 3) if found[1] else found.group(6, 5, 4)
        if (read := calendar_date(year, month, day)) is not None:
            return read
    raise CellError("not a date: write 2021-09-16 or 16/09/2021")


def hour_down(text: str) -> int:
    """Return the hour since the Unix epoch (UTC) in which a moment with its time zone lies."""
    return (_moment(text) - _EPOCH) // _HOUR


def hour_up(text: str) -> int:
    """Return the first full hour since the Unix epoch (UTC) at or after a moment."""
    return -((_EPOCH - _moment(text)) // _HOUR)


def _moment(text: str) -> datetime:
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise CellError("not a moment with its time zone: write 2021-09-16T07:00+07:00")
    day, zone = a_date(found[1]), "+00:00" if found[4] == "Z" else found[4]
    try:
        text = f"{day.isoformat()}T{int(found[2]):02}:{found[3]}:00{zone}"
        moment = datetime.fromisoformat(text)
        if moment < _EPOCH:
            raise CellError("a moment before 1970")
    except (ValueError, OverflowError) as error:
        raise CellError("no such time of day or time zone") from error
    return moment


def hours(text: str) -> Hours:
    """Return hours of the week: `07:00-18:00`, `07:00-18:00 mon-fri`, `T2-T6, CN 22:00-06:00`."""
    found = _HOURS.fullmatch(text)
    if found is None or (found[1] and found[6]):
        raise CellError("not hours: write 07:00-18:00 or 07:00-18:00 mon-fri")
    before, from_h, from_min, until_h, until_min, after = found.groups()
    days = before or after
    if int(from_min) > 59 or int(until_min) > 59:
        raise CellError("an hour has 60 minutes")
    try:
        return Hours(
            int(from_h) * 60 + int(from_min),
            int(until_h) * 60 + int(until_min),
            _weekdays(days) if days and days.strip() else EVERY_DAY,
        )
    except ValueError as error:
        raise CellError("hours lie between 00:00 and 24:00") from error


def _weekdays(text: str) -> int:
    days = 0
    for part in re.split(r"[\s,;+]+", re.sub(r"\s*-\s*", "-", text.strip().lower())):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last and last not in _DAYS):
            raise CellError("a day of the week is mon … sun or T2 … T7, CN")
        day, end = _DAYS[first], _DAYS[last or first]
        days |= 1 << day
        while day != end:
            day = (day + 1) % 7
            days |= 1 << day
    return days


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    """Return the reader of whole numbers in a range."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise CellError("not a whole number")
        number = int(text)
        if not lowest <= number <= highest:
            msg = f"not between {lowest} and {highest}"
            raise CellError(msg)
        return number

    return read


def yes_or_no(text: str) -> bool:
    """Return whether the word is a yes: yes, true, 1, x, có; no, false, 0, không."""
    word = folded(text)
    if word not in _YES | _NO:
        raise CellError("write yes or no")
    return word in _YES


def one_of(words: Mapping[str, T]) -> Callable[[str], T]:
    """Return the reader of a fixed choice of words, whatever their case, accents and spaces."""
    by_word = {folded(word): value for word, value in words.items()}
    known = ", ".join(word for word in words if word != "none")

    def read(text: str) -> T:
        try:
            return by_word[folded(text)]
        except KeyError:
            msg = f"not known: write one of {known}"
            raise CellError(msg) from None

    return read


def places(text: str) -> int:
    """Return one bit per `Place` in the order of that enumeration, for places parted by `|`."""
    bits = 0
    for name in re.split(r"[|,;+]", text):
        bits |= 1 << _place(name.strip())
    return bits


def place_bit(place: Place) -> int:
    """Return the bit that stands for one kind of place."""
    return 1 << list(Place).index(place)


def plain(text: str) -> str:
    """Return a name or number of up to 64 characters as it is, white space runs made one space."""
    if len(text) > 64:
        raise CellError("longer than 64 characters")
    return " ".join(text.split())


def person_name(text: str) -> str:
    """Return a person's name of up to 128 characters."""
    if len(text) > fields.MAX_NAME_LENGTH:
        raise CellError("longer than 128 characters")
    return text


def identifier(kind: IdentifierKind) -> Callable[[str], Identifier]:
    """Return the reader of one register's numbers, which gives their normal form."""
    read = _NUMBERS.get(kind)

    def checked(text: str) -> Identifier:
        found = read(text) if read is not None else normalise(kind, text)
        if found is None or not 0 < len(found.value) <= MAX_IDENTIFIER_LENGTH:
            msg = f"not a number of this kind: {_SHAPES.get(kind, 'at most 128 characters')}"
            raise CellError(msg)
        return found

    return checked


def document(text: str) -> Identifier:
    """Return the number of a citizen card (CCCD), identity card (CMND) or passport.

    Ten or eleven digits and no letter are neither: twelve of which a spreadsheet dropped the zeros
    in front, since it took them for a number.
    """
    found = _document(text)
    if len(found.value) in {10, 11} and found.value.isdigit():
        digits = f"{len(found.value)} digits where a citizen card has 12"
        msg = f"{digits}: did the spreadsheet drop the leading zeros?"
        raise CellError(msg)
    return found


def folded(text: str) -> str:
    """Return a word in lower case, letters and digits only, without accents.

    >>> folded("Dương tính"), folded("Control station")
    ('duongtinh', 'controlstation')
    """
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(c for c in decomposed if c.isalnum())


def _members(enumeration: type[E], **more: E) -> dict[str, E]:
    return {member.name.lower(): member for member in enumeration} | more


def _typed(text: str) -> Identifier | None:
    return next(iter(typed_code.parse(text).identifiers), None)


def _backup(text: str) -> Identifier | None:
    return next(iter(backup_number.parse(text).identifiers), None)


_NUMBERS: Mapping[IdentifierKind, Callable[[str], Identifier | None]] = {
    IdentifierKind.DOCUMENT: fields.document,
    IdentifierKind.INSURANCE: fields.insurance,
    IdentifierKind.TYPED_CODE: _typed,
    IdentifierKind.BACKUP_NUMBER: _backup,
}
_SHAPES: Mapping[IdentifierKind, str] = {
    IdentifierKind.DOCUMENT: "6 to 12 letters and digits, unmasked, none that was issued twice",
    IdentifierKind.INSURANCE: "ten digits, or the fifteen characters of an older card",
    IdentifierKind.TYPED_CODE: "eleven digits of which the last is the check digit",
    IdentifierKind.BACKUP_NUMBER: "fourteen digits of which the last is the check digit",
}
_document = identifier(IdentifierKind.DOCUMENT)
_place = one_of({place.value: bit for bit, place in enumerate(Place)})

status = one_of(
    {
        "active": CredentialStatus.ACTIVE,
        "revoked": CredentialStatus.REVOKED,
        "withdrawn": CredentialStatus.REVOKED,
    }
)
product = one_of(
    _members(
        Product,
        comirnaty=Product.PFIZER,
        pfizerbiontech=Product.PFIZER,
        spikevax=Product.MODERNA,
        vaxzevria=Product.ASTRAZENECA,
        covishield=Product.ASTRAZENECA,
        verocell=Product.SINOPHARM,
        sputnik=Product.SPUTNIK_V,
        coronavac=Product.SINOVAC,
    )
)
test_result = one_of(
    _members(TestResult, amtinh=TestResult.NEGATIVE, duongtinh=TestResult.POSITIVE)
)
