"""Date-times of CertLogic 1.3.3: parsing, partial dates, and offsets as ECMAScript's `Date` makes.

Every result is in UTC with millisecond precision; finer decimals are cut off, not rounded.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from admission.errors import RuleError

MAX_TEXT_LENGTH = 64
"""Characters of the longest date-time text that is looked at."""
MAX_AMOUNT = 1_000_000
"""Largest offset either way, in any unit: hours of a century."""

UNITS = frozenset({"year", "month", "day", "hour"})

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", re.ASCII)
# What nearly every date is: the library reads these several times as fast as their parts are.
_COMMON = re.compile(
    r"\d{4}-\d\d-\d\d(?:T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{3})?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d))?",
    re.ASCII,
)
_MIDNIGHT = "T00:00:00Z"
_FULL = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})"
    r"(?:\.(\d+))?(?:Z|([+-])(\d{1,2}):?(\d{2})?)?",
    re.ASCII,
)


def date_of_birth(text: str) -> datetime:
    """Return the last date that `YYYY`, `YYYY-MM` or `YYYY-MM-DD` allows, at 00:00 UTC.

    :raises RuleError: if the text has another form or names no date.

    >>> date_of_birth("2004-02").isoformat()
    '2004-02-29T00:00:00+00:00'
    """
    found = _PARTIAL.fullmatch(text) if len(text) <= MAX_TEXT_LENGTH else None
    if found is None:
        msg = f"not a date: {text[:MAX_TEXT_LENGTH]!r}"
        raise RuleError(msg)
    year, month, day = found.groups()
    try:
        if day is not None:
            return datetime(int(year), int(month), int(day), tzinfo=UTC)
        last_month = datetime(int(year), 12 if month is None else int(month), 1, tzinfo=UTC)
        return _first_of(last_month.year, last_month.month + 1) - timedelta(days=1)
    except (ValueError, OverflowError) as error:
        msg = f"not a date: {text!r}"
        raise RuleError(msg) from error


def parse(text: str) -> datetime:
    """Return the date-time of a text in one of the formats that `plusTime` allows.

    Partial dates count as `date_of_birth` says; a missing time is midnight, a missing offset UTC.

    :raises RuleError: if the text has another form or names no date-time.

    >>> parse("2021-06-02T23:59:59.1239+0700").isoformat(timespec="milliseconds")
    '2021-06-02T16:59:59.123+00:00'
    """
    if _COMMON.fullmatch(text):
        try:
            if text[-1] == "Z":
                return datetime.fromisoformat(text)
            if len(text) == len("YYYY-MM-DD"):
                return datetime.fromisoformat(text + _MIDNIGHT)
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            msg = f"not a date-time: {text!r}"
            raise RuleError(msg) from error
    return _parsed(text)


def _parsed(text: str) -> datetime:
    """Return what `parse` does, for every form that it allows."""
    found = _FULL.fullmatch(text) if len(text) <= MAX_TEXT_LENGTH else None
    if found is None:
        return date_of_birth(text)
    year, month, day, hour, minute, second, decimals, sign, hours, minutes = found.groups()
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            int(second),
            int((decimals or "0").ljust(3, "0")[:3]) * 1_000,
            UTC if sign is None else _offset(sign, int(hours), int(minutes or "0")),
        )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        msg = f"not a date-time: {text!r}"
        raise RuleError(msg) from error


def plus(moment: datetime, amount: int, unit: str) -> datetime:
    """Return `moment` (UTC) moved by `amount` of `unit` (one of `UNITS`).

    A day that the month reached does not have runs over into the next one: 31 January plus one
    month is 2 or 3 March, as ECMAScript's `setUTCMonth` has it.

    :raises RuleError: if the result is outside the years 1 to 9999.

    >>> plus(parse("2020-02-29"), 1, "year").date().isoformat()
    '2021-03-01'
    """
    try:
        if unit == "day":
            return moment + timedelta(days=amount)
        if unit == "hour":
            return moment + timedelta(hours=amount)
        if amount == 0:
            return moment
        months = amount * 12 if unit == "year" else amount
        into_month = moment - _first_of(moment.year, moment.month)
        return _first_of(moment.year, moment.month + months) + into_month
    except (ValueError, OverflowError) as error:
        msg = f"{moment.isoformat()} plus {amount} {unit} is no date"
        raise RuleError(msg) from error


def _first_of(year: int, month: int) -> datetime:
    """Return midnight of a month's first day, `month` counting on over the ends of the year."""
    years, index = divmod(month - 1, 12)
    return datetime(year + years, index + 1, 1, tzinfo=UTC)


def _offset(sign: str, hours: int, minutes: int) -> timezone:
    east = timedelta(hours=hours, minutes=minutes)
    return timezone(east if sign == "+" else -east)
