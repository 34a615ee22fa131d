"""The QR on the front of the chip-based citizen card (CCCD gắn chip, 2021).

    CCCD|CMND or empty|Name|DDMMYYYY born|Nam or Nữ|Address|DDMMYYYY issued

Seven fields, unsigned, with diacritics. The contents are certain, the order comes from several
public readers of it; some of them describe six fields, without that of the CMND, and are believed
where the sex stands where it then must. The old CMND number is the second identifier; one of the
range that was issued twice is left out (`fields.document`). The address is bounded and unread; sex
and date of issue are compared with the number (`citizen_number`) and go no further.

The Căn cước card of 2024 has another code on its back. Its layout was not to be had, so it is
unrecognised rather than guessed at.
"""

from __future__ import annotations

import re
from datetime import date

from admission.credential import UNRECOGNISED, Credential, CredentialKind, Doubt, Holder
from admission.credentials import citizen_number, fields

FIELDS = 7
FIELDS_WITHOUT_CMND = 6
MAX_ADDRESS_LENGTH = 512

_CCCD = re.compile(r"[0-9]{12}", re.ASCII)
_CMND = re.compile(r"(?:[0-9*]{9})?", re.ASCII)


def parse(text: str) -> Credential:
    """Return what the card's code claims, or `UNRECOGNISED`. Linear in the text, never raises.

    `text` is clean and bounded (`fields`).
    """
    parts = [part.strip() for part in text.split(fields.SEPARATOR, FIELDS)]
    if len(parts) == FIELDS_WITHOUT_CMND and fields.sex(parts[3]) is not None:
        parts.insert(1, "")
    if len(parts) != FIELDS:
        return UNRECOGNISED
    cccd, cmnd, name, born, sex, address, issued = parts
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
    birth_date = fields.day_first(born)
    doubts = citizen_number.doubts(
        cccd, born=birth_date, sex=fields.sex(sex), issued=fields.day_first(issued)
    )
    found = (fields.document(cccd), fields.document(cmnd))
    return Credential(
        CredentialKind.CITIZEN_CARD,
        tuple(identifier for identifier in found if identifier is not None),
        None if fields.MASK in name else Holder(name, birth_date),
        doubts=(*doubts, Doubt.NUMBER_NOT_UNIQUE) if fields.issued_twice(cmnd) else doubts,
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
    text = fields.SEPARATOR.join(
        (cccd, cmnd, name, _day_first(born), sex, address, _day_first(issued)),
    )
    if not fields.is_clean(text) or not parse(text).identifiers:
        raise ValueError("these parts make no citizen card")
    return text


def _day_first(day: date) -> str:
    return f"{day.day:02}{day.month:02}{day.year:04}"
