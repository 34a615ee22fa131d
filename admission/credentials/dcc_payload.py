"""The content of a DCC in the terms of the law: what people carry, not what the schema asks for.

Follows eu-digital-green-certificates/dcc-quality-assurance, `SpecialCaseHandling.md`: white space
around values is dropped, so are nulls; dates of odd form, doses out of range, names with signs and
unknown values are read as not known, never as a reason to refuse. More than one event is refused.

What is not certain is read the cautious way. A birth date without day or month (or with 00 for
one) counts as the earliest that it can be (65 comes sooner), and is left out of the holder, whose
birth date is compared with records. A sample's time without a time of day counts from midnight UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from admission.credential import Certificate, Evidence, Holder
from admission.credentials.fields import MAX_NAME_LENGTH, year_first
from admission.standing import PersonFacts, Product, TestResult

MAX_UCI_LENGTH = 128
MAX_DOSES = 99

_GROUPS = {"v": Evidence.VACCINATION, "t": Evidence.TEST, "r": Evidence.RECOVERY}
_PARTIAL_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?(?![0-9])")
_MIN_YEAR = 1850

_DETECTED, _NOT_DETECTED = "260373001", "260415000"
_RESULTS = {_DETECTED: TestResult.POSITIVE, _NOT_DETECTED: TestResult.NEGATIVE}

_PRODUCTS = {
    "EU/1/20/1528": Product.PFIZER,
    "EU/1/20/1507": Product.MODERNA,
    "EU/1/21/1529": Product.ASTRAZENECA,
    "EU/1/20/1525": Product.JANSSEN,
    "COVISHIELD": Product.ASTRAZENECA,
    "COVID-19-RECOMBINANT": Product.ASTRAZENECA,
    "R-COVI": Product.ASTRAZENECA,
    "BBIBP-CORV": Product.SINOPHARM,
    "WIBP-CORV": Product.SINOPHARM,
    "INACTIVATED-SARS-COV-2-VERO-CELL": Product.SINOPHARM,
    "CORONAVAC": Product.SINOVAC,
    "SPUTNIK-V": Product.SPUTNIK_V,
    "ABDALA": Product.ABDALA,
}
"""EU value set `vaccine-medicinal-product` 2.x, in capitals; all others are `Product.OTHER`."""


class Content(msgspec.Struct, frozen=True):
    """What a payload says. `uci` is the certificate's own identifier, `country` who gave the event.

    Both are empty where they are missing or no text.
    """

    certificate: Certificate
    holder: Holder | None
    uci: str
    country: str


def read(payload: object) -> Content | None:
    """Return what a decoded payload says, None unless it holds exactly one event. Never raises.

    `payload` is changed in place and becomes the certificate's `data`: nulls and empty groups
    leave it, texts lose the white space around them, whole floats become integers.
    """
    data = _cleaned(payload)
    if not isinstance(data, dict):
        return None
    groups = [group for group in _GROUPS if data.get(group)]
    if len(groups) != 1:
        return None
    for group in _GROUPS:
        if group in data and group not in groups:
            del data[group]
    entries = data[groups[0]]
    if not (isinstance(entries, list) and len(entries) == 1):
        return None
    if not (isinstance(entries[0], dict) and entries[0]):
        return None
    evidence, entry = _GROUPS[groups[0]], entries[0]
    born, earliest = _birth_date(data.get("dob"))
    uci = _text(entry.get("ci"))
    return Content(
        Certificate(
            evidence,
            _FACTS[evidence](entry, earliest),
            data,
            *((_date(entry.get("df")), _date(entry.get("du"))) if evidence in _DATED else ()),
        ),
        _holder(data.get("nam"), born),
        uci if len(uci) <= MAX_UCI_LENGTH else "",
        _text(entry.get("co")),
    )


def _cleaned(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return value.strip()
    if kind is dict:
        nulls = []
        for key, member in value.items():
            if member is None:
                nulls.append(key)
            elif type(member) is not int:
                value[key] = member.strip() if type(member) is str else _cleaned(member)
        for key in nulls:
            del value[key]
        return value
    if kind is list:
        return [_cleaned(member) for member in value if member is not None]
    if kind is float and value.is_integer():
        return int(value)
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _holder(names: object, born: date | None) -> Holder | None:
    if not isinstance(names, dict):
        return None
    printed = " ".join(filter(None, (_text(names.get("fn")), _text(names.get("gn")))))
    if not printed:
        standardised = (_text(names.get("fnt")), _text(names.get("gnt")))
        printed = " ".join(" ".join(standardised).replace("<", " ").split())
    if not 0 < len(printed) <= 2 * MAX_NAME_LENGTH or not printed.isprintable():
        return None
    return Holder(printed, born)


def _birth_date(value: object) -> tuple[date | None, date | None]:
    """Return the date if it is a whole one, and the earliest that it can be."""
    if not isinstance(value, str):
        return None, None
    whole = year_first(value)
    if whole is not None and whole.year >= _MIN_YEAR:  # as nearly all are written
        return whole, whole
    found = _PARTIAL_DATE.match(value)
    if found is None:
        return None, None
    year, month, day = (int(part or 0) for part in found.groups())
    try:
        earliest = date(year, month or 1, day or 1)
    except ValueError:
        return None, None
    if earliest.year < _MIN_YEAR:
        return None, None
    return (earliest if month and day else None), earliest


def _date(value: object) -> date | None:
    whole, _ = _birth_date(value)
    return whole


def _hours(value: object) -> int | None:
    """Return the hour since the Unix epoch (UTC) in which a moment lies."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return int(moment.timestamp() // 3600)
    except (ValueError, OverflowError):
        return None


def _doses(value: object) -> int:
    return value if type(value) is int and 0 < value <= MAX_DOSES else 0


def _vaccination(entry: dict[Any, Any], born: date | None) -> PersonFacts:
    product = _text(entry.get("mp")).upper()
    return PersonFacts(
        doses=_doses(entry.get("dn")),
        product=_PRODUCTS.get(product, Product.OTHER),
        last_dose=_date(entry.get("dt")),
        born=born,
    )


def _test(entry: dict[Any, Any], born: date | None) -> PersonFacts:
    result = _RESULTS.get(_text(entry.get("tr")), TestResult.NONE)
    return PersonFacts(tested_h=_hours(entry.get("sc")), test_result=result, born=born)


_DATED = frozenset({Evidence.RECOVERY})
"""Certificates that say from when and until when they count: `df` and `du` (DCC schema 1.3). The
first positive test, `fr`, is no recovery yet."""


def _recovery(entry: dict[Any, Any], born: date | None) -> PersonFacts:
    return PersonFacts(recovered=_date(entry.get("fr")), born=born)


_FACTS = {
    Evidence.VACCINATION: _vaccination,
    Evidence.TEST: _test,
    Evidence.RECOVERY: _recovery,
}
