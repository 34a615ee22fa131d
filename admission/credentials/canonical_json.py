"""JSON in and out again in one form only: I-JSON (RFC 7493) and its canonicalisation (RFC 8785).

`read` takes JSON whose meaning is not in doubt: no duplicate names, no lone surrogates, no numbers
beyond a double. `canonical` writes it as RFC 8785 wants the signed form: members in the order of
their UTF-16 code units, no white space, numbers and strings as ECMAScript's `JSON.stringify`.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import Any

from admission.errors import MalformedError

MAX_DEPTH = 16
"""Arrays and objects inside one another."""

_WORDS = {None: "null", True: "true", False: "false"}
_EXACT = (1 << 53) - 1
"""Up to this every integer is a double, and ECMAScript writes its digits as they are."""


def read(text: str) -> Any:
    """Return the value of a JSON text. Numbers are floats or, where written so, integers.

    :raises MalformedError: if it is not JSON, or JSON that two readers may take differently.
    """
    try:
        value = _DECODER.decode(text)
        # An escape may spell half of a surrogate pair too: only the value shows it.
        (json.dumps(value, ensure_ascii=False) if "\\u" in text else text).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise MalformedError("not JSON") from error
    return value


def canonical(value: Any) -> bytes:
    r"""Return the canonical form of a JSON value, in UTF-8.

    :raises MalformedError: if it is nested over `MAX_DEPTH` levels, holds a number beyond a double
        or a lone surrogate, or is no JSON value.

    >>> canonical({"numbers": [1e30, 4.50, 2e-3, 1e-27], "b": "\x0f\n€", "a": None})
    b'{"a":null,"b":"\\u000f\\n\xe2\x82\xac","numbers":[1e+30,4.5,0.002,1e-27]}'
    """
    try:
        return _text(value, 0).encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedError("a lone surrogate") from error


def _text(value: Any, depth: int) -> str:
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is dict or kind is list:
        if depth == MAX_DEPTH:
            msg = f"over {MAX_DEPTH} levels"
            raise MalformedError(msg)
        if kind is list:
            return f"[{','.join([_text(item, depth + 1) for item in value])}]"
        members = []
        for name in _ordered(value):
            member = value[name]
            is_text = type(member) is str  # as most are: written without a call for each
            text = encode_basestring(member) if is_text else _text(member, depth + 1)
            members.append(f"{encode_basestring(name)}:{text}")
        return f"{{{','.join(members)}}}"
    if value is None or kind is bool:
        return _WORDS[value]
    if kind is int and -_EXACT <= value <= _EXACT:
        return str(value)
    if kind is int or kind is float:
        return number(value)
    msg = f"a {kind.__name__} is no JSON value"
    raise MalformedError(msg)


def _ordered(members: dict[Any, Any]) -> list[str]:
    """Return the names in the order of their UTF-16 code units (RFC 8785 3.2.3)."""
    try:
        names = list(members)
        # Of ASCII the order is the same, and costs no second form of each name.
        return sorted(names) if "".join(names).isascii() else sorted(names, key=_code_units)
    except TypeError as error:
        raise MalformedError("a member's name is no string") from error


def _code_units(name: str) -> bytes:
    return name.encode("utf-16-be")


def number(value: float) -> str:
    """Return a number as ECMAScript writes it (ECMA-262, Number::toString; RFC 8785 3.2.2.3).

    The shortest digits that read back as the same double; `repr` finds them, in another layout.

    :raises MalformedError: if it is not finite as a double.

    >>> number(1e21), number(333333333.33333329), number(-0.0), number(1e-7)
    ('1e+21', '333333333.3333333', '0', '1e-7')
    """
    try:
        double = float(value)
    except OverflowError as error:
        raise MalformedError("a number beyond a double") from error
    if double != double or double in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN
        raise MalformedError("a number beyond a double")
    if double == 0:
        return "0"
    sign = "-" if double < 0 else ""
    mantissa, _, exponent = repr(abs(double)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    written = whole + fraction
    digits = written.lstrip("0")
    point = len(whole) + int(exponent or "0") - (len(written) - len(digits))
    return sign + _laid_out(digits.rstrip("0"), point)


def _laid_out(digits: str, point: int) -> str:
    """Return the digits with the decimal point after the first `point` of them."""
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if count > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+d}"


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _no_constant(name: str) -> Any:
    msg = f"{name} is no JSON"
    raise ValueError(msg)


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_no_constant)
"""Made once: `json.loads` would make one for each text."""
