"""What the fields of unsigned Vietnamese codes share: clean text, numbers, dates, masks."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from admission.identity import Identifier, IdentifierKind, normalise

MAX_CODE_LENGTH = 2_048
"""Characters of the longest unsigned code. The fields of both national formats together stay under
600; the rest is room for the optional e-signature in EXT."""
MAX_NAME_LENGTH = 128

MASK = "*"
"""Stands for a character that the holder's application hides."""

_DOCUMENT = re.compile(r"[0-9A-Z]{6,12}", re.ASCII)

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
    if any(unicodedata.combining(c) for c in text):
        return False
    return unicodedata.is_normalized("NFC", text)


def document(number: str) -> Identifier | None:
    """Return the identifier of a CCCD, CMND or passport number; None where it can identify nobody.

    That is: masked, not 6 to 12 letters and digits, or a CMND of the range that was issued twice
    (271450001 to 271500000).

    >>> document("b 1234567")
    Identifier(kind=<IdentifierKind.DOCUMENT: 'document'>, value='B1234567')
    >>> document("001093******") is None
    True
    """
    identifier = normalise(IdentifierKind.DOCUMENT, number)
    value = identifier.value
    if not _DOCUMENT.fullmatch(value):
        return None
    if len(value) == 9 and value.isdigit() and int(value) in _ISSUED_TWICE:
        return None
    return identifier


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
