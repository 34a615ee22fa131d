"""What somebody asks a pass for, in words: options of a command or the columns of a table.

| field | content |
|---|---|
| `kind` | card, permit, visitor or officer |
| `document` | CCCD, CMND or passport number of the holder; needs the region's hash key |
| `person_key` | in its place: the 16 hex digits of the subject's key, as they stand in the pass |
| `name`, `born` | the holder's name, and birth date as `1987-01-18` or `18/01/1987` |
| `from` | from when it counts, `YYYY-MM-DD HH:MM` in Vietnam; at once if left out |
| `valid_for` | for how long: `90m`, `72h`, `30d`; by kind if left out |
| `place`, `district`, `site` | where it counts, several separated by `;`; anywhere if left out |
| `hours` | when it counts: `05:00-21:00`, several separated by `;`; at any time if left out |
| `days` | on which days of the week: `mon-fri` or `mon,wed,sat`; every day if left out |
| `officer_number` | the number on an officer's badge |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar

from admission.credential import Holder, Pass, PassKind
from admission.credentials import fields
from admission.credentials.pass_content import SUBJECT_BYTES, PassClaims
from admission.hours import EVERY_DAY, Hours
from admission.identity import Identifier, PersonKey
from admission.site import Place
from hub.cells import a_date, document
from hub.errors import CellError, PassError

VIETNAM = timezone(timedelta(hours=7))
FIELDS = (
    *("kind", "document", "person_key", "name", "born", "from", "valid_for"),
    *("place", "district", "site", "hours", "days", "officer_number"),
)
VALID_FOR = {
    PassKind.CARD: timedelta(days=365),
    PassKind.PERMIT: timedelta(days=3),
    PassKind.VISITOR: timedelta(days=1),
    PassKind.OFFICER: timedelta(days=365),
}
"""How long a pass counts if nothing is said; a permit three days, as the policy has it."""
LIST_SEPARATOR = ";"

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_DURATION = re.compile(r"([0-9]{1,6})([mhd])", re.ASCII)
_SPAN = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})", re.ASCII)

T = TypeVar("T", PassKind, Place)
Keyer = Callable[[Identifier], PersonKey]


def claims_for(
    application: Mapping[str, str], *, number: bytes, issued_s: int, keyer: Keyer | None = None
) -> PassClaims:
    """Return the claims of the pass that is asked for. Empty fields count as left out.

    :param number: 8 random bytes.
    :param issued_s: the present moment, seconds since the Unix epoch.
    :param keyer: the region's `identity.person_keyer`; None where there is no hash key.
    :raises PassError: if a field cannot be read; the message names it.
    """
    asked = {field: value.strip() for field, value in application.items() if value.strip()}
    unknown = sorted(asked.keys() - set(FIELDS))
    if unknown:
        msg = f"{', '.join(unknown)}: no field of an application"
        raise PassError(msg, hint=f"the fields are {', '.join(FIELDS)}")
    kind = _choice(PassKind, "kind", asked.get("kind", ""))
    begins_s = _moment_s(asked["from"]) if "from" in asked else issued_s
    lasts = _duration(asked["valid_for"]) if "valid_for" in asked else VALID_FOR[kind]
    granted = Pass(
        kind,
        number,
        _subject(asked, keyer),
        tuple(_choice(Place, "place", name) for name in _several(asked, "place")),
        tuple(_number("district", code) for code in _several(asked, "district")),
        tuple(_several(asked, "site")),
        _hours(asked),
        _number("officer_number", asked["officer_number"]) if "officer_number" in asked else None,
    )
    return PassClaims(
        granted,
        issued_s,
        begins_s + int(lasts.total_seconds()),
        None if begins_s == issued_s else begins_s,
        _holder(asked),
    )


def _subject(asked: Mapping[str, str], keyer: Keyer | None) -> PersonKey | None:
    if "document" in asked and "person_key" in asked:
        raise PassError("document and person_key both name somebody", hint="give one of them")
    if "person_key" in asked:
        return _person_key(asked["person_key"])
    if "document" not in asked:
        return None
    if keyer is None:
        msg = "a document number needs the region's hash key"
        raise PassError(msg, hint="give --hash-key, e.g. keys/hash.key in the hub's folder")
    hint = "12 digits of a CCCD, 9 of a CMND, or a passport number"
    if fields.document(asked["document"]) is None:
        raise PassError("document: no number that identifies one person", hint=hint)
    try:
        return keyer(document(asked["document"]))
    except CellError as error:
        msg = f"document: {error}"
        raise PassError(msg, hint=hint) from error


def _person_key(digits: str) -> PersonKey:
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        key = b""
    if len(key) != SUBJECT_BYTES:
        raise PassError("person_key: not 16 hex digits", hint="`chot pass verify --json` shows one")
    return PersonKey(int.from_bytes(key, "little"))


def _holder(asked: Mapping[str, str]) -> Holder | None:
    if "name" not in asked:
        if "born" in asked:
            raise PassError("born: a birth date without a name", hint="give the name, or neither")
        return None
    if "born" not in asked:
        return Holder(asked["name"])
    try:
        return Holder(asked["name"], a_date(asked["born"]))
    except CellError as error:
        msg = f"born: {error}"
        raise PassError(msg) from error


def _hours(asked: Mapping[str, str]) -> tuple[Hours, ...]:
    if "hours" not in asked and "days" not in asked:
        return ()
    weekdays = _weekdays(asked["days"]) if "days" in asked else EVERY_DAY
    spans = _several(asked, "hours") or ["00:00-00:00"]
    return tuple(_span(span, weekdays) for span in spans)


def _span(text: str, weekdays: int) -> Hours:
    hint = "write hours as 05:00-21:00; an end that is not after the beginning is on the next day"
    found = _SPAN.fullmatch(text)
    if found is None:
        msg = f"hours: {text!r} is no span of time"
        raise PassError(msg, hint=hint)
    from_h, from_min, until_h, until_min = (int(digits) for digits in found.groups())
    if from_min > 59 or until_min > 59:
        msg = f"hours: {text!r} is no span of time"
        raise PassError(msg, hint=hint)
    try:
        return Hours(from_h * 60 + from_min, until_h * 60 + until_min, weekdays)
    except ValueError as error:
        msg = f"hours: {text!r} is no span of time"
        raise PassError(msg, hint=hint) from error


def _weekdays(text: str) -> int:
    """Return the days as bits, Monday lowest: `mon-fri`, `sat-mon`, `mon,wed`, `mon-wed,sun`."""
    bits = 0
    for part in text.lower().replace(LIST_SEPARATOR, ",").split(","):
        first, dash, last = part.strip().partition("-")
        if not dash:
            last = first
        if first not in _DAYS or last not in _DAYS:
            msg = f"days: {text!r} names no days"
            raise PassError(msg, hint="write days as mon-fri or mon,wed,sat")
        start, end = _DAYS.index(first), _DAYS.index(last)
        for day in range(start, start + (end - start) % 7 + 1):
            bits |= 1 << day % 7
    return bits


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None or int(found[1]) == 0:
        msg = f"valid_for: {text!r} is no length of time"
        raise PassError(msg, hint="write it as 90m, 72h or 30d")
    return int(found[1]) * _UNITS[found[2]]


def _moment_s(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise PassError("from: no date and time", hint="write it as 2021-09-11 06:00") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=VIETNAM)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())


def _several(asked: Mapping[str, str], field: str) -> list[str]:
    return [part.strip() for part in asked.get(field, "").split(LIST_SEPARATOR) if part.strip()]


def _number(field: str, digits: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        msg = f"{field}: {digits!r} is no number"
        raise PassError(msg)
    return int(digits)


def _choice(kinds: type[T], field: str, value: str) -> T:
    try:
        return kinds(value)
    except ValueError as error:
        msg = f"{field}: {value!r} is none that is known"
        raise PassError(msg, hint=f"one of {', '.join(kinds)}") from error
