"""What somebody who writes a rulebook can do about a mistake: the right spelling, what is allowed.

The types of the form itself know what may stand where; nothing is listed here a second time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import inspect

MANUAL = "docs/rulebooks.md lists every key and what it may hold"
MOMENT = "write a moment with seconds and its offset: 2021-10-01T00:00:00+07:00"
DAY = "write a day as 2021-10-01"

_AT = re.compile(r" - at (?:`(key)` in )?`(\$[^`]*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[([0-9]+|\.\.\.)\]")
_VALUE = re.compile(r"^Invalid enum value '(.*)'$", re.DOTALL)
_FIELD = re.compile(r"^Object contains unknown field `(.*)`$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(.*)`$", re.DOTALL)


def choose(word: str, allowed: Iterable[str]) -> str:
    """Return the hint for a word that is none of those allowed: the nearest one, and all of them.

    >>> choose("yelow", ["green", "yellow"])
    "did you mean 'yellow'? There are: green, yellow"
    >>> choose("blue", ["green", "yellow"])
    'there are: green, yellow'
    """
    words = list(allowed)
    near = get_close_matches(word[:64], words, 1)
    listed = f"here are: {', '.join(words)}"
    return f"did you mean {near[0]!r}? T{listed}" if near else f"t{listed}"


def explained(error: msgspec.ValidationError, form: Any) -> tuple[str, str, str]:
    """Return what a validation of `form` refused: the JSON path, what is wrong, what to do."""
    text = str(error)
    found = _AT.search(text)
    text = _AT.sub("", text)
    path = found[2] if found else "$"
    here = _type_at(inspect.type_info(form), path, key=bool(found and found[1]))
    return path, text, _hint(text, here)


def _hint(text: str, here: inspect.Type | None) -> str:
    if (value := _VALUE.match(text)) and (allowed := _allowed(here)):
        return choose(value[1], allowed)
    if (field := _FIELD.match(text)) and isinstance(here, inspect.StructType):
        return choose(field[1], [one.encode_name for one in here.fields])
    if missing := _MISSING.match(text):
        return f"write the key {missing[1]!r} there: {MANUAL}"
    if "datetime" in text:
        return MOMENT
    if "date" in text:
        return DAY
    return MANUAL


def _allowed(here: inspect.Type | None) -> list[str]:
    if isinstance(here, inspect.EnumType):
        return [str(member.value) for member in here.cls]
    if isinstance(here, inspect.LiteralType):
        return [str(value) for value in here.values]
    return []


def _type_at(here: inspect.Type | None, path: str, *, key: bool) -> inspect.Type | None:
    """Return the type that belongs at a path as msgspec writes it, None where it has none."""
    for name, _ in _STEP.findall(path):
        here = _member(_solid(here), name)
    here = _solid(here)
    if key:
        return here.key_type if isinstance(here, inspect.DictType) else None
    return here


def _member(here: inspect.Type | None, name: str) -> inspect.Type | None:
    if isinstance(here, inspect.StructType):
        return next((one.type for one in here.fields if one.encode_name == name), None)
    if isinstance(here, inspect.DictType):
        return here.value_type
    if isinstance(here, inspect.ListType | inspect.VarTupleType):
        return here.item_type
    return None


def _solid(here: inspect.Type | None) -> inspect.Type | None:
    """Return the one type of a union that holds others, or the only one that is not null."""
    while isinstance(here, inspect.Metadata | inspect.UnionType):
        if isinstance(here, inspect.Metadata):
            here = here.type
            continue
        solid = [one for one in here.types if not isinstance(one, inspect.NoneType)]
        structs = [one for one in solid if isinstance(one, inspect.StructType)]
        here = (structs or solid)[0]
    return here
