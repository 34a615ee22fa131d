"""The QR of the health-insurance card (thẻ BHYT).

    card|name|born|sex|address|hospital|from|until|…

| field | content | here |
|---|---|---|
| card | 15 characters (before April 2021) or 10 digits | identifier: the ten digits that stay |
| name, address | UTF-8 in hexadecimal | holder; bounded, unread |
| born | `DD/MM/YYYY`, or the year alone | holder; a year alone is no date |
| sex | 1 male, 2 female | checked |
| hospital, from, until, … | registration, validity, more: up to 24 fields | bounded, unread |

The layout is likely, not certain: it is what public readers of the card expect, and no official
description was to be had. So it is read with tolerance, and what names somebody is the number
alone (`fields.insurance`). The code is unsigned, as the national ones are; the card's validity is
that of an insurance and says nothing about who may pass.
"""

from __future__ import annotations

import unicodedata
from datetime import date

from admission.credential import UNRECOGNISED, Credential, CredentialKind, Holder
from admission.credentials import fields

MIN_FIELDS = 8
MAX_FIELDS = 24
MAX_HEX_LENGTH = 8 * fields.MAX_NAME_LENGTH
"""Hexadecimal digits of a name: four bytes a character at most."""

_SEXES = frozenset({"1", "2"})


def parse(text: str) -> Credential:
    """Return what the card's code claims, or `UNRECOGNISED`. Linear in the text, never raises.

    `text` is clean and bounded (`fields`). A name that is no UTF-8 in hexadecimal, or is masked,
    leaves the holder unknown; a masked number names nobody.

    >>> parse("DN4790123456789|416E|18/01/1987|1||79-025|01/01/2021|31/12/2021").holder
    Holder(name='An', born=datetime.date(1987, 1, 18))
    """
    parts = [part.strip() for part in text.split(fields.SEPARATOR, MAX_FIELDS)]
    if not MIN_FIELDS <= len(parts) <= MAX_FIELDS:
        return UNRECOGNISED
    number, name, born, sex = parts[:4]
    identifier = fields.insurance(number)
    masked = fields.MASK in number and len(number) in {10, 15}
    if (identifier is None and not masked) or sex not in _SEXES or len(born) > 10:
        return UNRECOGNISED
    holder = _name(name)
    return Credential(
        CredentialKind.INSURANCE_CARD,
        (identifier,) if identifier is not None else (),
        Holder(holder, fields.day_first(born)) if holder else None,
    )


def render(
    *,
    number: str,
    name: str,
    born: date,
    female: bool,
    address: str,
    hospital: str,
    valid: tuple[date, date],
) -> str:
    """Return the text of the card's code, of eight fields.

    :param valid: first and last day.
    :raises ValueError: if the parts would not read back as a card that names somebody.

    >>> render(number="0123456789", name="An", born=date(1987, 1, 18), female=True, address="",
    ...        hospital="79-025", valid=(date(2021, 1, 1), date(2021, 12, 31)))
    '0123456789|416e|18/01/1987|2||79-025|01/01/2021|31/12/2021'
    """
    begins, ends = valid
    text = fields.SEPARATOR.join(
        (
            number,
            name.encode("utf-8", "replace").hex(),
            _day_first(born),
            "2" if female else "1",
            address.encode("utf-8", "replace").hex(),
            hospital,
            _day_first(begins),
            _day_first(ends),
        )
    )
    credential = parse(text)
    if not fields.is_clean(text) or not credential.identifiers or credential.holder is None:
        raise ValueError("these parts make no insurance card that names somebody")
    return text


def _name(digits: str) -> str:
    """Return the name, empty where it is not known. Bounded before it is normalised."""
    if len(digits) > MAX_HEX_LENGTH:
        return ""
    try:
        decoded = bytes.fromhex(digits).decode("utf-8")
    except ValueError:
        return ""
    name = unicodedata.normalize("NFC", decoded).strip()
    known = len(name) <= fields.MAX_NAME_LENGTH and fields.MASK not in name
    return name if known and fields.is_clean(name) else ""


def _day_first(day: date) -> str:
    return f"{day.day:02}/{day.month:02}/{day.year:04}"
