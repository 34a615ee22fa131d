"""The national personal QR, Decision 1405/QĐ-BTTTT v1.1 (11 September 2021).

    SoGiayTo|HoTen|NgaySinh|LoaiDinhDanh|QID|EXT

| field | content | here |
|---|---|---|
| SoGiayTo | CCCD (12 digits), CMND (9 digits) or passport | second identifier |
| HoTen | upper case, no diacritics, single spaces | holder |
| NgaySinh | `YYYY-MM-DD` | holder |
| LoaiDinhDanh | 0 declared by oneself, 1 by another | checked |
| QID | identifier of the national QR platform | first identifier: it names one person, for life |
| EXT | `<`-separated: declarer's QID, sex, insurance number, phone, e-signature | see below |

Of EXT the sex is compared with the citizen number, and the insurance number is the third
identifier. The declarer's QID names another person and is no key to this one; the phone is shared
in families; both are bounded and unread, and so is the e-signature, whose form was not to be had.

The code is unsigned, static and readable by anyone: it claims an identity and proves nothing, so
eligibility comes from the replica only. Applications may mask characters with `*`: a masked number
identifies nobody, a masked name, date or item of EXT is not known. The number's own birth year may
contradict NgaySinh, as in the Decision's own sample: a doubt, and nothing is refused for it.
"""

from __future__ import annotations

import re
from datetime import date

from admission.credential import UNRECOGNISED, Credential, CredentialKind, Doubt, Holder
from admission.credentials import citizen_number, fields
from admission.credentials.citizen_number import Sex
from admission.identity import Identifier, IdentifierKind, normalise, without_diacritics

FIELDS = 6
EXT_SEPARATOR = "<"
MAX_EXT_ITEMS = 16

_DOCUMENT_FIELD = re.compile(r"[0-9A-Za-z*. -]{0,24}", re.ASCII)
_QID_FIELD = re.compile(r"[0-9A-Za-z*-]{0,36}", re.ASCII)
_DECLARED = frozenset({"0", "1"})
_SEX = {"1": Sex.MALE, "2": Sex.FEMALE}


def parse(text: str) -> Credential:
    """Return what the code claims, or `UNRECOGNISED`. Linear in the text, never raises.

    `text` is clean and bounded (`fields`). A well-formed code whose numbers are all masked or
    ambiguous is recognised and names nobody: `identifiers` is empty.
    """
    parts = text.split(fields.SEPARATOR, FIELDS)
    if len(parts) != FIELDS:
        return UNRECOGNISED
    number, name, born, declared, qid, ext = (part.strip() for part in parts)
    well_formed = (
        _DOCUMENT_FIELD.fullmatch(number)
        and _QID_FIELD.fullmatch(qid)
        and (number or qid)
        and 0 < len(name) <= fields.MAX_NAME_LENGTH
        and len(born) <= 10
        and declared in _DECLARED
        and ext.count(EXT_SEPARATOR) < MAX_EXT_ITEMS
    )
    if not well_formed:
        return UNRECOGNISED
    sex, insurance = _extension(ext)
    birth_date = fields.year_first(born)
    found = (_platform_identifier(qid), fields.document(number), fields.insurance(insurance))
    doubts = citizen_number.doubts(number, born=birth_date, sex=sex)
    return Credential(
        CredentialKind.PERSONAL_QR,
        tuple(identifier for identifier in found if identifier is not None),
        None if fields.MASK in name else Holder(name, birth_date),
        doubts=(*doubts, Doubt.NUMBER_NOT_UNIQUE) if fields.issued_twice(number) else doubts,
    )


def render(
    *, document: str, name: str, born: date, qid: str, declared_by_another: bool = False
) -> str:
    """Return the code's text as the national platform writes it, with an empty EXT.

    :raises ValueError: if the parts would not read back as a code that names somebody.

    >>> render(document="001093029317", name="Nguyễn Văn A", born=date(1987, 1, 18), qid="16297938")
    '001093029317|NGUYEN VAN A|1987-01-18|0|16297938|'
    """
    plain = without_diacritics(name)
    text = fields.SEPARATOR.join(
        (document, plain, born.isoformat(), "1" if declared_by_another else "0", qid, "")
    )
    if not fields.is_clean(text) or not parse(text).identifiers:
        raise ValueError("these parts make no personal QR that names somebody")
    return text


def _platform_identifier(qid: str) -> Identifier | None:
    if not qid or fields.MASK in qid:
        return None
    identifier = normalise(IdentifierKind.QID, qid)
    return identifier if identifier.value else None


def _extension(ext: str) -> tuple[Sex | None, str]:
    """Return the sex and the insurance number in EXT; None and empty where they are not there."""
    if not ext:  # as most applications leave it
        return None, ""
    items = [*(item.strip() for item in ext.split(EXT_SEPARATOR)), "", "", ""]
    return _SEX.get(items[1]), items[2]
