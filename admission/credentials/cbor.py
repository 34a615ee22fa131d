"""CBOR (RFC 8949) from strangers: one item, bounded, of nothing but plain values.

What comes out is None, a boolean, an integer of 64 bits, a finite float, text, bytes, a list, or a
dict whose keys are text, bytes or integers. Everything that makes a decoder work or allocate
beyond the input's own size is refused: big numbers, decimals, rationals, regular expressions,
shared references, sets, addresses, and every other tag that the caller has not asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from math import isfinite
from typing import Any

import cbor2

from admission.errors import MalformedError

MAX_BYTES = 16_384
"""Length of the longest item. The codes of the field hold less than a thousandth of a megabyte."""
MAX_DEPTH = 12
"""Containers and tags within one another. A DCC has six, its COSE message two."""

_TRANSPARENT = (0, 1004, 55799)
"""Tags that say nothing the value does not: date-time text, date text (RFC 8943), self-described
CBOR. Issuers put them around values that should be plain."""
_EPOCH_SECONDS, _EPOCH_DAYS = 1, 100
"""Tags of a number that is a date-time, or a date (RFC 8943). They become the text of tag 0."""
_REFUSED = (
    2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 256, 258, 260, 261, 43000,
)  # fmt: skip
"""Tags that cbor2 would build values from by itself. `tag_hook` sees all others."""
_SENTINEL_BYTES = 16
_KEYS = frozenset({str, int, bytes})
_LEAVES = _KEYS | {bool, type(None)}
"""Types of which nothing is to be checked."""
_EPOCH = date(1970, 1, 1)


def _refuse(_value: Any, _immutable: bool) -> Any:
    raise MalformedError("a CBOR tag that has no place here")


def _value_alone(value: Any, _immutable: bool) -> Any:
    return value


def _date_time(value: Any, _immutable: bool) -> str:
    moment = datetime.fromtimestamp(_number(value), UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _date(value: Any, _immutable: bool) -> str:
    return (_EPOCH + timedelta(days=_number(value))).isoformat()


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedError("a CBOR date that is no number")
    return value


def _kept(tag: int, value: Any, _immutable: bool) -> cbor2.CBORTag:
    return cbor2.CBORTag(tag, value)


_SEMANTIC_DECODERS: dict[int, Callable[[Any, bool], Any]] = {
    **dict.fromkeys(_REFUSED, _refuse),
    **dict.fromkeys(_TRANSPARENT, _value_alone),
    _EPOCH_SECONDS: _date_time,
    _EPOCH_DAYS: _date,
}


@cache
def _decoders(tags: frozenset[int]) -> dict[int, Callable[[Any, bool], Any]]:
    return {**_SEMANTIC_DECODERS, **{tag: partial(_kept, tag) for tag in tags}}


def decode(data: bytes, *, tags: frozenset[int] = frozenset()) -> Any:
    """Return the one item that `data` is. Linear in its length.

    A tag of `tags` is returned as a `cbor2.CBORTag`; undefined and every absent value is None.

    :raises MalformedError: if `data` is no CBOR, longer than `MAX_BYTES`, deeper than `MAX_DEPTH`,
        followed by anything, or holds a duplicate key or a value outside this module's list.

    >>> decode(bytes.fromhex("a2010261618103"))
    {1: 2, 'a': [3]}
    """
    if not 0 < len(data) <= MAX_BYTES:
        raise MalformedError("not the length of a CBOR item that is read here")
    # cbor2 ignores what follows the item. A digest of all of it can only stand behind its end.
    sentinel = hashlib.sha256(data).digest()[:_SENTINEL_BYTES]
    try:
        item, end = cbor2.loads(
            b"\x82" + data + b"\x50" + sentinel,
            tag_hook=_refuse,
            semantic_decoders=_decoders(tags),
            max_depth=MAX_DEPTH + 1,
            allow_duplicate_keys=False,
        )
    except (cbor2.CBORError, MalformedError, ValueError, TypeError, ArithmeticError) as error:
        raise MalformedError("not CBOR of plain values") from error
    if end != sentinel:
        raise MalformedError("something follows the CBOR item")
    return _plain(item)


def _plain(value: Any) -> Any:
    """Return `value` with undefined as None, its containers changed in place."""
    # Most members are leaves: they are looked at where they stand, without a call for each.
    kind = type(value)
    if kind in _LEAVES:
        return value
    if kind is dict:
        for key, member in value.items():
            if type(key) not in _KEYS:
                raise MalformedError("a CBOR map key that is no text, bytes or integer")
            if type(member) not in _LEAVES:
                value[key] = _plain(member)
        return value
    if kind is list:
        for place, member in enumerate(value):
            if type(member) not in _LEAVES:
                value[place] = _plain(member)
        return value
    return _rarely_plain(value)


def _rarely_plain(value: Any) -> Any:
    if isinstance(value, float) and isfinite(value):
        return value
    if value is cbor2.undefined:
        return None
    if isinstance(value, cbor2.CBORTag):
        return cbor2.CBORTag(value.tag, _plain(value.value))
    raise MalformedError("a CBOR value that is not plain")


def encode(value: Any) -> bytes:
    """Return the deterministic form of a value (RFC 8949, clause 4.2.1).

    :raises MalformedError: if it is not made of what `decode` returns.

    >>> encode({4: b"k", 1: -8}).hex()
    'a2012704416b'
    """
    try:
        return cbor2.dumps(value, canonical=True)
    except (cbor2.CBORError, ValueError, TypeError) as error:
        raise MalformedError("not a value that CBOR has a form for") from error


def rewritten(value: Any) -> bytes:
    """Return what `decode` returned with the members in the order they have, all else as `encode`.

    Floats excepted, which stay eight bytes long. It costs a third of `encode`.

    :raises MalformedError: as `encode`.
    """
    try:
        return cbor2.dumps(value)
    except (cbor2.CBORError, ValueError, TypeError) as error:
        raise MalformedError("not a value that CBOR has a form for") from error
