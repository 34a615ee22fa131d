"""What a Chốt pass says, as a CWT claims set (RFC 8392) in deterministic CBOR (RFC 8949, 4.2.1).

    {4: exp, 5: nbf, 6: iat, 7: cti, -65537: {1: kind, 2: subject, ...}}

`docs/pass.md` has the registry of the private claims. Reading is strict: an unknown claim, an empty
list, an order other than ascending or an encoding other than the deterministic one is refused, so
that no gate grants more than was meant, and one content has one form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import msgspec

from admission.credential import Holder, Pass, PassKind
from admission.credentials import cbor
from admission.credentials.pass_content import (
    MAX_LIST,
    SUBJECT_BYTES,
    PassClaims,
    fault_of,
    hours_order,
)
from admission.errors import IssueError, MalformedError
from admission.hours import Hours
from admission.identity import PersonKey
from admission.site import Place

EXPIRES, NOT_BEFORE, ISSUED, NUMBER = 4, 5, 6, 7
"""Registered claims `exp`, `nbf`, `iat`, `cti` (RFC 8392, clause 4)."""
PASS = -65537
"""Our claim: below -65536 is for private use (RFC 8392, clause 9.1)."""
KIND, SUBJECT, PLACES, DISTRICTS, SITES, HOURS, NAME, BORN, OFFICER = range(1, 10)
"""Members of the map under `PASS`."""


_PLACES = tuple(Place)
_KINDS = (PassKind.CARD, PassKind.PERMIT, PassKind.VISITOR, PassKind.OFFICER)
_EPOCH = date(1970, 1, 1)
_REQUIRED = frozenset({EXPIRES, ISSUED, NUMBER, PASS})
_KNOWN = _REQUIRED | {NOT_BEFORE}
_ORDER = (EXPIRES, NOT_BEFORE, ISSUED, NUMBER, PASS)
"""As their encoded forms ascend (RFC 8949, clause 4.2.1)."""


def encode(claims: PassClaims) -> bytes:
    """Return the claims set. Places, districts, sites and hours are sorted, and named once.

    :raises IssueError: if these claims make no pass that would read back.
    """
    granted = msgspec.structs.replace(
        claims.granted,
        places=tuple(place for place in _PLACES if place in claims.granted.places),
        districts=tuple(sorted(set(claims.granted.districts))),
        sites=tuple(sorted(set(claims.granted.sites))),
        hours=tuple(sorted(set(claims.granted.hours), key=hours_order)),
    )
    claims = msgspec.structs.replace(claims, granted=granted)
    fault = fault_of(claims)
    if fault is not None:
        raise IssueError(fault[0], hint=fault[1])
    content: dict[int, Any] = {
        EXPIRES: claims.expires_s,
        ISSUED: claims.issued_s,
        NUMBER: granted.number,
        PASS: _private(granted, claims.holder),
    }
    if claims.not_before_s is not None:
        content[NOT_BEFORE] = claims.not_before_s
    return cbor.encode(content)


def decode(payload: bytes) -> PassClaims:
    """Return what a claims set says.

    :raises MalformedError: if it is anything but what `encode` writes.
    """
    content = cbor.decode(payload)
    if not isinstance(content, dict) or not _REQUIRED <= content.keys() <= _KNOWN:
        raise MalformedError("not the claims of a pass")
    private = content[PASS]
    if not isinstance(private, dict) or not private.keys() <= _READERS.keys():
        raise MalformedError("a pass with a claim that is not known here")
    # Written again in the order that was read it is the same, and that order is the ascending one:
    # together the deterministic form, for a third of the cost of making that.
    ordered = [*content] == [label for label in _ORDER if label in content]
    if not ordered or [*private] != sorted(private) or cbor.rewritten(content) != payload:
        raise MalformedError("not in deterministic CBOR")
    granted, holder = _granted(_typed(bytes, content[NUMBER]), private)
    claims = PassClaims(
        granted,
        _typed(int, content[ISSUED]),
        _typed(int, content[EXPIRES]),
        _typed(int, content[NOT_BEFORE]) if NOT_BEFORE in content else None,
        holder,
    )
    fault = fault_of(claims)
    if fault is not None:
        raise MalformedError(fault[0])
    return claims


def place_bits(places: tuple[Place, ...]) -> int:
    """Return one bit per place, in the order of `site.Place`.

    >>> place_bits((Place.CONTROL_STATION, Place.HOSPITAL))
    17
    """
    return sum(1 << _PLACES.index(place) for place in places)


def _private(granted: Pass, holder: Holder | None) -> dict[int, Any]:
    """Return the map under `PASS`: only what is said, no empty list."""
    claims: dict[int, Any] = {KIND: _KINDS.index(granted.kind) + 1}
    if granted.subject is not None:
        claims[SUBJECT] = granted.subject.to_bytes(SUBJECT_BYTES, "little")
    if granted.places:
        claims[PLACES] = place_bits(granted.places)
    if granted.districts:
        claims[DISTRICTS] = list(granted.districts)
    if granted.sites:
        claims[SITES] = list(granted.sites)
    if granted.hours:
        claims[HOURS] = [list(hours_order(hours)) for hours in granted.hours]
    if holder is not None:
        claims[NAME] = holder.name
        if holder.born is not None:
            claims[BORN] = (holder.born - _EPOCH).days
    if granted.officer is not None:
        claims[OFFICER] = granted.officer
    return claims


def _granted(number: bytes, private: Mapping[int, Any]) -> tuple[Pass, Holder | None]:
    said = {label: _READERS[label](value) for label, value in private.items()}
    if KIND not in said:
        raise MalformedError("a pass of no kind")
    if BORN in said and NAME not in said:
        raise MalformedError("a birth date of nobody")
    granted = Pass(
        said[KIND],
        number,
        said.get(SUBJECT),
        said.get(PLACES, ()),
        said.get(DISTRICTS, ()),
        said.get(SITES, ()),
        said.get(HOURS, ()),
        said.get(OFFICER),
    )
    return granted, Holder(said[NAME], said.get(BORN)) if NAME in said else None


def _typed(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise MalformedError("a claim of another type")
    return value


def _text(value: Any) -> str:
    return str(_typed(str, value))


def _integer(value: Any) -> int:
    return int(_typed(int, value))


def _kind(value: Any) -> PassKind:
    if not 1 <= _integer(value) <= len(_KINDS):
        raise MalformedError("a kind of pass that is not known here")
    return _KINDS[value - 1]


def _subject(value: Any) -> PersonKey:
    if len(_typed(bytes, value)) != SUBJECT_BYTES:
        raise MalformedError("a subject has eight bytes")
    return PersonKey(int.from_bytes(value, "little"))


def _place_set(value: Any) -> tuple[Place, ...]:
    if not 0 < _integer(value) < 1 << len(_PLACES):
        raise MalformedError("a kind of place that is not known here")
    return tuple(place for bit, place in enumerate(_PLACES) if value >> bit & 1)


def _listed(member: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def read(value: Any) -> tuple[Any, ...]:
        if not 0 < len(_typed(list, value)) <= MAX_LIST:
            raise MalformedError("a list that is empty or too long")
        return tuple(member(item) for item in value)

    return read


def _hours(value: Any) -> Hours:
    if len(_typed(list, value)) != 3:
        raise MalformedError("hours have three members")
    try:
        return Hours(*(_integer(item) for item in value))
    except ValueError as error:
        raise MalformedError("hours outside the week") from error


def _date(value: Any) -> date:
    try:
        return _EPOCH + timedelta(days=_integer(value))
    except OverflowError as error:
        raise MalformedError("a day outside the calendar") from error


_READERS: dict[Any, Callable[[Any], Any]] = {
    KIND: _kind,
    SUBJECT: _subject,
    PLACES: _place_set,
    DISTRICTS: _listed(_integer),
    SITES: _listed(_text),
    HOURS: _listed(_hours),
    NAME: _text,
    BORN: _date,
    OFFICER: _integer,
}
