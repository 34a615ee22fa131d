"""The operations of CertLogic 1.3.3 as closures over their compiled operands (see `certlogic`)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from admission import datetimes
from admission.errors import RuleError

Rule = Callable[[Any], Any]
"""A compiled expression: data context in, value out. Raises `RuleError` on a type mismatch."""

MAX_REDUCE_ITEMS = 256
"""Items that one `reduce` folds over."""

_FIXED = {"day": timedelta(days=1), "hour": timedelta(hours=1)}
"""Units of one length always, which needs no calendar."""
_UVCI_PREFIX = "URN:UVCI:"
_UVCI_SEPARATORS = re.compile(r"[/#:]")


def truth(value: Any) -> bool:
    """Return whether a value is truthy.

    :raises RuleError: if it is neither truthy nor falsy (a date-time, a fraction).
    """
    if value is True:
        return True
    if value is False:
        return False
    if value is None or isinstance(value, str | int | list | dict):
        return bool(value)
    if isinstance(value, float) and value.is_integer():
        return value != 0
    msg = f"a {type(value).__name__} is neither truthy nor falsy"
    raise RuleError(msg)


def same(left: Any, right: Any) -> bool:
    """Return whether two values are strictly equal (`===`)."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if left is None or right is None:
        return left is right
    if isinstance(left, list | dict):
        return False
    return bool(left == right)


def constant(value: Any) -> Rule:
    """Return the rule of a literal."""
    return lambda _data: value


def array(items: Sequence[Rule]) -> Rule:
    """Return the rule of an array: every item evaluated separately."""
    return lambda data: [item(data) for item in items]


def var(path: str) -> Rule:
    """Return the rule of a data access. `path` is valid; nothing there evaluates to None."""
    if not path:
        return lambda data: data
    steps = [(name, _index(name)) for name in path.split(".")]

    def read(data: Any) -> Any:
        for name, index in steps:
            if isinstance(data, dict):
                data = data.get(name)
            elif isinstance(data, list) and index is not None and index < len(data):
                data = data[index]
            else:
                return None
        return data

    if len(steps) != 2:
        return read
    (outer, _), (inner, _) = steps

    def member(data: Any) -> Any:
        # What nearly every rule asks for, a fact: found without the loop and its checks.
        if type(data) is dict:
            found = data.get(outer)
            if type(found) is dict:
                return found.get(inner)
        return read(data)

    return member


def _index(name: str) -> int | None:
    return int(name) if name.isascii() and name.isdigit() and len(name) < 10 else None


def if_(operands: Sequence[Rule]) -> Rule:
    """`if`: guard, then, else; only the branch that is taken is evaluated."""
    guard, then, otherwise = operands

    def choice(data: Any) -> Any:
        value = guard(data)
        # A comparison's own truth needs no asking; the same in `and_`.
        return then(data) if value is True or truth(value) else otherwise(data)

    return choice


def and_(operands: Sequence[Rule]) -> Rule:
    """`and`: the first falsy operand's value, or the last one's; lazily, in order."""

    def conjunction(data: Any) -> Any:
        value: Any = None
        for operand in operands:
            value = operand(data)
            if value is not True and not truth(value):
                return value
        return value

    return conjunction


def not_(operands: Sequence[Rule]) -> Rule:
    """`!`: whether the operand is falsy."""
    (operand,) = operands
    return lambda data: not truth(operand(data))


def equal(operands: Sequence[Rule]) -> Rule:
    """`===`: equality without coercion."""
    left, right = operands
    return lambda data: same(left(data), right(data))


def in_(operands: Sequence[Rule]) -> Rule:
    """`in`: whether the first operand is a member of the second, an array."""
    left, right = operands

    def contained(data: Any) -> bool:
        value, items = left(data), right(data)
        if not isinstance(items, list):
            raise RuleError("the second operand of 'in' is not an array")
        if value is None or type(value) is str:
            return value in items
        return any(same(value, item) for item in items)

    return contained


def plus(operands: Sequence[Rule]) -> Rule:
    """`+`: the sum of two integers."""
    left, right = operands
    return lambda data: _integer(left(data)) + _integer(right(data))


def comparison(
    compare: Callable[[Any, Any], bool], exact: type, typed: Callable[[Any], Any]
) -> Callable[[Sequence[Rule]], Rule]:
    """Return the builder of a comparison with two or three operands.

    :param exact: the type that needs no look by `typed`, which checks or converts all others.
    """

    def build(operands: Sequence[Rule]) -> Rule:
        if len(operands) == 2:
            left, right = operands

            def compared(data: Any) -> bool:
                a = left(data)
                if type(a) is not exact:
                    a = typed(a)
                b = right(data)
                return compare(a, b if type(b) is exact else typed(b))

            return compared
        low, middle, high = operands

        def between(data: Any) -> bool:
            a, b, c = typed(low(data)), typed(middle(data)), typed(high(data))
            return compare(a, b) and compare(b, c)

        return between

    return build


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    msg = f"an integer is needed, not {_named(value)}"
    raise RuleError(msg)


def _date_time(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    msg = f"a date-time is needed, not {_named(value)}"
    raise RuleError(msg)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    msg = f"a string is needed, not {_named(value)}"
    raise RuleError(msg)


def _named(value: Any) -> str:
    return "null" if value is None else type(value).__name__


def date_of_birth(operands: Sequence[Rule]) -> Rule:
    """`dccDateOfBirth`: the last date that a partial date allows."""
    (operand,) = operands
    return lambda data: datetimes.date_of_birth(_text(operand(data)))


def reduce(operands: Sequence[Rule]) -> Rule:
    """`reduce`: a left fold; null counts as an empty array."""
    operand, step, initial = operands

    def fold(data: Any) -> Any:
        items, accumulator = operand(data), initial(data)
        if items is None:
            return accumulator
        if not isinstance(items, list) or len(items) > MAX_REDUCE_ITEMS:
            msg = f"'reduce' folds an array of at most {MAX_REDUCE_ITEMS} items"
            raise RuleError(msg)
        for item in items:
            accumulator = step({"current": item, "accumulator": accumulator})
        return accumulator

    return fold


def plus_time(operand: Rule, amount: int, unit: str) -> Rule:
    """`plusTime`: a date-time from text, moved by a literal amount of a literal unit."""
    if amount == 0:
        return lambda data: datetimes.parse(_text(operand(data)))
    if unit not in _FIXED:
        return lambda data: datetimes.plus(datetimes.parse(_text(operand(data))), amount, unit)
    offset = amount * _FIXED[unit]

    def moved(data: Any) -> datetime:
        moment = datetimes.parse(_text(operand(data)))
        try:
            return moment + offset
        except OverflowError:
            return datetimes.plus(moment, amount, unit)

    return moved


def extract_from_uvci(operand: Rule, index: int) -> Rule:
    """`extractFromUVCI`: one fragment of a certificate identifier, or null."""

    def extract(data: Any) -> str | None:
        value = operand(data)
        if value is None:
            return None
        fragments = _UVCI_SEPARATORS.split(_text(value).removeprefix(_UVCI_PREFIX))
        return fragments[index] if 0 <= index < len(fragments) else None

    return extract


OPERATIONS: dict[str, tuple[range, Callable[[Sequence[Rule]], Rule]]] = {
    "if": (range(3, 4), if_),
    "and": (range(2, 1 << 16), and_),
    "!": (range(1, 2), not_),
    "===": (range(2, 3), equal),
    "in": (range(2, 3), in_),
    "+": (range(2, 3), plus),
    ">": (range(2, 4), comparison(operator.gt, int, _integer)),
    "<": (range(2, 4), comparison(operator.lt, int, _integer)),
    ">=": (range(2, 4), comparison(operator.ge, int, _integer)),
    "<=": (range(2, 4), comparison(operator.le, int, _integer)),
    "after": (range(2, 4), comparison(operator.gt, datetime, _date_time)),
    "before": (range(2, 4), comparison(operator.lt, datetime, _date_time)),
    "not-after": (range(2, 4), comparison(operator.le, datetime, _date_time)),
    "not-before": (range(2, 4), comparison(operator.ge, datetime, _date_time)),
    "dccDateOfBirth": (range(1, 2), date_of_birth),
    "reduce": (range(3, 4), reduce),
}
"""Operator → how many operands it takes, and how it is built from them."""
