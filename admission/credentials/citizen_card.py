"""The QR on the front of the chip-based citizen card (CCCD gắn chip, 2021).

    CCCD|CMND or empty|Name|DDMMYYYY born|Nam or Nữ|Address|DDMMYYYY issued

Seven fields, unsigned, with diacritics. The contents are certain, the order comes from several
public readers of it. The old CMND number is the second identifier; one of the range that was
issued twice is left out (`fields.document`). Sex, address and date of issue are bounded and unread:
the gate needs none of them.
"""

from __future__ import annotations

import re
from datetime import date

from admission.credential import UNRECOGNISED, Credential, CredentialKind, Holder
from admission.credentials import fields

SEPARATOR = "|"
FIELDS = 7
MAX_ADDRESS_LENGTH = 512

_CCCD = re.compile(r"[0-9]{12}", re.ASCII)
_CMND = re.compile(r"(?:[0-9]{9})?", re.ASCII)


def parse(text: str) -> Credential:
    """Return what the card's code claims, or `UNRECOGNISED`. Linear in the text, never raises.

    `text` is clean and bounded (`fields`).
    """
    parts = text.split(SEPARATOR, FIELDS)
    if len(parts) != FIELDS:
        return UNRECOGNISED
    cccd, cmnd, name, born, sex, address, issued = (part.strip() for part in parts)
    well_formed = (
        _CCCD.fullmatch(cccd)
        and _CMND.fullmatch(cmnd)
        and 0 < len(name) <= fields.MAX_NAME_LENGTH
        and len(born) <= 10
        and len(sex) <= 10
        and len(address) <= MAX_ADDRESS_LENGTH
        and len(issued) <= 10
    )
    if not well_formed:
        return UNRECOGNISED
    found = (fields.document(cccd), fields.document(cmnd))
    return Credential(
        CredentialKind.CITIZEN_CARD,
        tuple(identifier for identifier in found if identifier is not None),
        None if fields.MASK in name else Holder(name, _birth_date(born)),
    )


def render(
    *, cccd: str, name: str, born: date, sex: str, address: str, issued: date, cmnd: str = ""
) -> str:
    """Return the text of the card's code.

    :raises ValueError: if the parts would not read back as a card.

    >>> render(cccd="000087000017", name="Trần Thị B", born=date(1987, 1, 18), sex="Nữ",
    ...        address="Phường 1, Quận 3, TP. Hồ Chí Minh", issued=date(2021, 7, 1))
    '000087000017||Trần Thị B|18011987|Nữ|Phường 1, Quận 3, TP. Hồ Chí Minh|01072021'
    """
    text = SEPARATOR.join(
        (cccd, cmnd, name, _day_first(born), sex, address, _day_first(issued)),
    )
    if not fields.is_clean(text) or not parse(text).identifiers:
        raise ValueError("these parts make no citizen card")
    return text


def _birth_date(born: str) -> date | None:
    return fields.calendar_date(born[4:], born[2:4], born[:2]) if len(born) == 8 else None


def _day_first(day: date) -> str:
    return f"{day.day:02}{day.month:02}{day.year:04}"
