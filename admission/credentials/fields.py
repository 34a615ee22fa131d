"""What the fields of unsigned Vietnamese codes share: clean text, numbers, dates, masks."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from admission.credentials.citizen_number import Sex
from admission.identity import Identifier, IdentifierKind, normalise

MAX_CODE_LENGTH = 2_048
"""Characters of the longest unsigned code. The fields of both national formats together stay under
600; the rest is room for the optional e-signature in EXT."""
MAX_NAME_LENGTH = 128

SEPARATOR = "|"
"""Between the fields of all national formats."""
MASK = "*"
"""Stands for a character that the holder's application hides."""

_DOCUMENT = re.compile(r"[0-9A-Z]{6,12}", re.ASCII)
_INSURANCE = re.compile(r"[0-9]{10}", re.ASCII)
# Latin letters, those of Vietnamese among them, and the punctuation around them: no mark combines.
_WITHOUT_MARKS = re.compile("[\u0020-\u02ff\u1e00-\u1eff\u2010-\u2027]*")
_SEX = {"nam": Sex.MALE, "nữ": Sex.FEMALE, "nu": Sex.FEMALE}

# CMND numbers of this range were issued twice: they would find one person for another's code.
_ISSUED_TWICE = range(271_450_001, 271_500_001)


def is_clean(text: str) -> bool:
    """Return whether `text` is printable and in Unicode normal form C. Linear, never raises.

    Control characters, lone surrogates, private use and unassigned code points are not printable.
    Combining marks are refused by themselves: every Vietnamese letter has a composed form, and
    normalising a long run of marks would take quadratic time.
    """
    if not text.isprintable():
        return False
    if text.isascii():
        return True
    if not _WITHOUT_MARKS.fullmatch(text) and any(unicodedata.combining(c) for c in text):
        return False
    return unicodedata.is_normalized("NFC", text)


def document(number: str) -> Identifier | None:
    """Return the identifier of a CCCD, CMND or passport number; None where it can identify nobody.

    That is: masked, not 6 to 12 letters and digits, or a CMND of the range that was issued twice
    (271450001 to 271500000). Foreign passports have letters at any place; ICAO 9303 part 4 gives
    their numbers nine characters, and some states write longer ones.

    >>> document("b 1234567")
    Identifier(kind=<IdentifierKind.DOCUMENT: 'document'>, value='B1234567')
    >>> document("001093******") is None
    True
    """
    identifier = normalise(IdentifierKind.DOCUMENT, number)
    if not _DOCUMENT.fullmatch(identifier.value) or _is_issued_twice(identifier.value):
        return None
    return identifier


def issued_twice(number: str) -> bool:
    """Return whether this is a CMND number of the range that was issued twice. Never raises."""
    if len(number) != 9 and number.isascii() and number.isalnum():
        return False  # nothing that normalising would drop: most numbers are a CCCD's
    value = normalise(IdentifierKind.DOCUMENT, number).value
    return _is_issued_twice(value)


def _is_issued_twice(value: str) -> bool:
    return len(value) == 9 and value.isascii() and value.isdigit() and int(value) in _ISSUED_TWICE


def insurance(number: str) -> Identifier | None:
    """Return the identifier of a health-insurance number; None where it is masked or is none.

    The old card's fifteen characters and the new one's ten digits are one (`normalise`).

    >>> insurance("DN 4 79 0123456789") == insurance("0123456789")
    True
    """
    if not number:
        return None
    identifier = normalise(IdentifierKind.INSURANCE, number)
    sound = _INSURANCE.fullmatch(identifier.value) and identifier.value.strip("0")
    return identifier if sound else None


def sex(word: str) -> Sex | None:
    """Return the sex that a card's word names (Nam, Nữ), None for any other. Never raises."""
    return _SEX.get(word.lower())


def day_first(text: str) -> date | None:
    """Return the date of `DDMMYYYY` or `DD/MM/YYYY`, None for anything else. Never raises.

    >>> day_first("18011987") == day_first("18/01/1987") == date(1987, 1, 18)
    True
    """
    if len(text) == 10 and text[2] == text[5] == "/":
        text = text[:2] + text[3:5] + text[6:]
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return None
    try:
        return date.fromisoformat(text[4:] + text[2:4] + text[:2])
    except ValueError:
        return None


def year_first(text: str) -> date | None:
    """Return the date of `YYYY-MM-DD`, None for anything else. Never raises.

    >>> year_first("1987-01-18"), year_first("1987-W03-7"), year_first("19870118")
    (datetime.date(1987, 1, 18), None, None)
    """
    if len(text) != 10 or text[4] != "-" or text[7] != "-":  # ISO 8601 has weeks too
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def calendar_date(year: str, month: str, day: str) -> date | None:
    """Return the date, or None where the digits name no day of the calendar. Never raises.

    >>> calendar_date("1987", "01", "18"), calendar_date("1987", "02", "30")
    (datetime.date(1987, 1, 18), None)
    """
    digits = year + month + day
    if not (digits.isascii() and digits.isdigit()):
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
