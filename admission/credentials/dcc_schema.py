"""Whether a DCC's payload keeps to its JSON schema, as an issuer must (ehn-dcc-schema 1.0.0–1.3.3).

This is the schemas' own meaning, stated as code: `format` is an annotation (JSON Schema 2020-12,
clause 7.2.1), so that a date-time may stand where a date is meant, and value sets are named but not
enforced. Gates read what people really carry, and do not ask this module (see `dcc_payload`).

What changed between versions:

| from | change |
|---|---|
| 1.0.0 | `dob` holds `YYYY-MM-DD`; texts up to 50 characters; doses 1 to 9; `tc` required |
| 1.1.0 | `dob` may leave out day, or month and day |
| 1.2.0 | `dr` is no longer described |
| 1.3.0 | `dob` may be empty; texts up to 80; doses from 1; `tc` optional; one entry, of one group |
| 1.3.2 | either standardised name is enough |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

GROUPS = ("v", "t", "r")

Version = tuple[int, int, int]

_VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})")
_STANDARDISED = re.compile(r"[A-Z<]*")
_COUNTRY = re.compile(r"[A-Z]")
_FULL_DATE_WITHIN = re.compile(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}")
_PARTIAL_DATE = re.compile(r"(19|20)[0-9]{2}(-[0-9]{2}){0,2}")

_TEXTS = {
    "v": ("tg", "vp", "mp", "ma", "dt"),
    "t": ("tg", "tt", "sc", "tr"),
    "r": ("tg", "fr", "df", "du"),
}
_COMMON_TEXTS = ("co", "is", "ci")
_OPTIONAL_TEXTS = {"v": (), "t": ("nm", "ma", "tc"), "r": ()}
_DOSES = ("dn", "sd")


class _Limits(msgspec.Struct, frozen=True):
    """What differs between the versions."""

    text_length: int
    max_doses: int | None
    test_centre_required: bool
    result_time_described: bool
    name_length_of_test: bool
    either_name: bool


def _limits_of(version: Version) -> _Limits:
    current = version >= (1, 3, 0)
    return _Limits(
        text_length=80 if current else 50,
        max_doses=None if current else 9,
        test_centre_required=not current,
        result_time_described=version < (1, 2, 0),
        name_length_of_test=current,
        either_name=version >= (1, 3, 2),
    )


def is_valid(payload: object) -> bool:
    """Return whether a decoded payload is one certificate of one group and keeps to its schema.

    It is held against the newest schema that is not newer than its `ver`. Two entries, or two
    groups, are refused in every version, as the specification wants it (eu-dcc-hcert-spec,
    clause 3.3.8: one event per certificate). Never raises; linear in the payload.
    """
    if not isinstance(payload, dict):
        return False
    version = _version(payload.get("ver"))
    groups = [group for group in GROUPS if group in payload]
    if version is None or len(groups) != 1:
        return False
    limits = _limits_of(version)
    entries = payload[groups[0]]
    return (
        _is_birth_date(payload.get("dob"), version)
        and _is_name(payload.get("nam"), limits)
        and isinstance(entries, list)
        and len(entries) == 1
        and _is_entry(groups[0], entries[0], limits)
    )


def _version(value: object) -> Version | None:
    found = _VERSION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    major, minor, patch = (int(part) for part in found.groups())
    return major, minor, patch


def _is_birth_date(value: object, version: Version) -> bool:
    if not isinstance(value, str):
        return False
    if version < (1, 1, 0):
        return _FULL_DATE_WITHIN.search(value) is not None
    if value == "":
        return version >= (1, 3, 0)
    return _PARTIAL_DATE.fullmatch(value) is not None


def _is_name(value: object, limits: _Limits) -> bool:
    if not isinstance(value, dict):
        return False
    if not ("fnt" in value or (limits.either_name and "gnt" in value)):
        return False
    plain = all(_is_text(value[key], limits) for key in ("fn", "gn") if key in value)
    return plain and all(
        _is_text(value[key], limits) and _STANDARDISED.fullmatch(value[key]) is not None
        for key in ("fnt", "gnt")
        if key in value
    )


def _is_entry(group: str, entry: object, limits: _Limits) -> bool:
    if not isinstance(entry, dict):
        return False
    texts = all(isinstance(entry.get(key), str) for key in (*_TEXTS[group], *_COMMON_TEXTS))
    if not texts or _COUNTRY.search(entry["co"]) is None:
        return False
    if not (_is_text(entry["is"], limits) and _is_text(entry["ci"], limits)):
        return False
    if not all(isinstance(entry[key], str) for key in _OPTIONAL_TEXTS[group] if key in entry):
        return False
    if group == "v":
        return all(_is_dose(entry.get(key), limits) for key in _DOSES)
    return group != "t" or _is_test(entry, limits)


def _is_test(entry: Mapping[str, Any], limits: _Limits) -> bool:
    if limits.test_centre_required and "tc" not in entry:
        return False
    if limits.result_time_described and not isinstance(entry.get("dr", ""), str):
        return False
    bounded = ("tc", "nm") if limits.name_length_of_test else ("tc",)
    return all(_is_text(entry[key], limits) for key in bounded if key in entry)


def _is_text(value: object, limits: _Limits) -> bool:
    return isinstance(value, str) and len(value) <= limits.text_length


def _is_dose(value: object, limits: _Limits) -> bool:
    """Return whether it is an integer in the schema's sense: 2.0 is one, true is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:
        return False
    return value >= 1 and (limits.max_doses is None or value <= limits.max_doses)
