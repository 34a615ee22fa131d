"""How a record's fields are read: from an unsigned integer to a date, an hour or an enum, and back.

`docs/replica-format.md` says the same for other languages.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import IntEnum, StrEnum
from typing import Any

from admission.hours import Hours
from admission.standing import CredentialStatus, Product, TestResult

DATE_EPOCH = date(2019, 12, 31)
"""Day 0 of `FieldForm.DATE`: day 1 is 2020-01-01."""
BIRTH_EPOCH = date(1899, 12, 31)
"""Day 0 of `FieldForm.BIRTH`: day 1 is 1900-01-01."""
BIRTH_YEAR_EPOCH = 1869
"""Year 0 of `FieldForm.BIRTH_YEAR`: 1 is 1870."""
HOUR_EPOCH_H = 438_287
"""Hour 0 of `FieldForm.HOUR`, since the Unix epoch: hour 1 is 2020-01-01T00:00Z."""
_MINUTE_BITS = 11
_MINUTE_MASK = (1 << _MINUTE_BITS) - 1
HOURS_BITS = 2 * _MINUTE_BITS + 7
"""Width of `FieldForm.HOURS`."""
_REMEMBERED_HOURS = 1_024


class FieldForm(StrEnum):
    """How a field's unsigned integer is read."""

    NUMBER = "number"
    FLAG = "flag"
    STATUS = "status"
    PRODUCT = "product"
    TEST_RESULT = "test_result"
    DATE = "date"
    """Days since `DATE_EPOCH`; 0 = none."""
    BIRTH = "birth"
    """Days since `BIRTH_EPOCH`; 0 = none."""
    BIRTH_YEAR = "birth_year"
    """Years since `BIRTH_YEAR_EPOCH`; 0 = none. Read as 1 January of the year."""
    HOUR = "hour"
    """Hours since `HOUR_EPOCH_H`; 0 has no meaning."""
    HOUR_OR_NONE = "hour_or_none"
    """Hours since `HOUR_EPOCH_H`; 0 = none."""
    HOURS = "hours"
    """Minutes of the day `from` (lowest 11 bits) and `until` (11), weekdays (7); 0 = none."""


_EPOCHS = {FieldForm.DATE: DATE_EPOCH, FieldForm.BIRTH: BIRTH_EPOCH}
_ENUMS: dict[FieldForm, type[IntEnum]] = {
    FieldForm.STATUS: CredentialStatus,
    FieldForm.PRODUCT: Product,
    FieldForm.TEST_RESULT: TestResult,
}


def encoder(form: FieldForm) -> Callable[[Any], int]:
    """Return the function from a value to its integer; negative where the form has none for it."""
    if form in _EPOCHS:
        return _days_since(_EPOCHS[form])
    if form is FieldForm.BIRTH_YEAR:
        return _birth_year
    if form in {FieldForm.HOUR, FieldForm.HOUR_OR_NONE}:
        return _hour
    if form is FieldForm.HOURS:
        return _hours
    return int


def decoder(form: FieldForm) -> Callable[[int], Any]:
    """Return the function from an integer to its value.

    It raises `LookupError` or `ValueError` for an integer that has no meaning.
    """
    # Look-ups rather than calls: this runs for every person at the gate.
    if form is FieldForm.FLAG:
        return (False, True).__getitem__
    if form in _ENUMS:
        return {member.value: member for member in _ENUMS[form]}.__getitem__
    if form in _EPOCHS:
        return _Days(_EPOCHS[form].toordinal()).__getitem__
    if form is FieldForm.BIRTH_YEAR:
        return _BIRTH_YEARS.__getitem__
    if form is FieldForm.HOURS:
        return _Hours().__getitem__
    if form is FieldForm.HOUR:
        return _set_hour
    if form is FieldForm.HOUR_OR_NONE:
        return _hour_or_none
    return int


def _days_since(epoch: date) -> Callable[[date | None], int]:
    origin = epoch.toordinal()

    def days(day: date | None) -> int:
        if day is None:
            return 0
        # Day 0 means none: the epoch itself is out of range, as is every day before it.
        return day.toordinal() - origin or -1

    return days


_BIRTH_YEARS = (None, *(date(BIRTH_YEAR_EPOCH + year, 1, 1) for year in range(1, 256)))


def _birth_year(born: date | None) -> int:
    return 0 if born is None else born.year - BIRTH_YEAR_EPOCH or -1


def _hour(hour: int | None) -> int:
    return 0 if hour is None else hour - HOUR_EPOCH_H or -1


def _hour_or_none(packed: int) -> int | None:
    return packed + HOUR_EPOCH_H if packed else None


def _set_hour(packed: int) -> int:
    if not packed:
        raise ValueError("an hour must be stated")
    return packed + HOUR_EPOCH_H


def _hours(hours: Hours | None) -> int:
    if hours is None:
        return 0
    return hours.from_min | hours.until_min << _MINUTE_BITS | hours.weekdays << 2 * _MINUTE_BITS


class _Days(dict[int, date | None]):
    """Dates by day number, each made when first met: a third of the cost of making it anew."""

    def __init__(self, origin: int) -> None:
        super().__init__({0: None})
        self._origin = origin

    def __missing__(self, days: int) -> date:
        day = self[days] = date.fromordinal(self._origin + days)
        return day


class _Hours(dict[int, Hours | None]):
    """Hours by their bits: there are few different shifts, and each is made once."""

    def __init__(self) -> None:
        super().__init__({0: None})

    def __missing__(self, packed: int) -> Hours:
        hours = Hours(
            packed & _MINUTE_MASK,
            packed >> _MINUTE_BITS & _MINUTE_MASK,
            packed >> 2 * _MINUTE_BITS,
        )
        if len(self) < _REMEMBERED_HOURS:
            self[packed] = hours
        return hours
