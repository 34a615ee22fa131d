"""CertLogic, specification 1.3.3: rules as data, compiled once and evaluated without surprises.

`compile_rule` checks the whole expression first (unknown operators, wrong operands, depth, size,
steps: `RuleError`) and returns one closure; the gate then only calls it. An evaluation is pure and
takes a bounded number of steps; it raises `RuleError` where the specification makes a type mismatch
an error.

Values are those of JSON, plus date-times (`datetime`, UTC), which only `plusTime` and
`dccDateOfBirth` make. A float with an integral value counts as that integer, as in ECMAScript;
other numbers are neither truthy nor falsy. `===` and `in` compare strings, integers, booleans, null
and date-times by type and value; arrays and objects are equal to nothing, as the specification
promises nothing for them.

The operations themselves are in `certlogic_operations`, date-times in `datetimes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from admission import certlogic_operations as operations
from admission import datetimes
from admission.certlogic_operations import MAX_REDUCE_ITEMS, Rule, truth
from admission.errors import RuleError

__all__ = ["Rule", "compile_rule", "evaluate", "paths", "truth"]

MAX_DEPTH = 64
"""Levels of operations and arrays inside one another."""
MAX_NODES = 4_096
"""Operations, arrays and literals of one expression."""
MAX_TEXT_LENGTH = 1_024
"""Characters of one string literal or path."""
MAX_STEPS = 100_000
"""Default limit of `compile_rule` on the nodes that one evaluation may visit."""
MAX_INTEGER = (1 << 53) - 1
"""Largest integer literal either way: what every JSON implementation carries exactly."""

_OTHERS = {
    "or": '{"if": [a, true, b]}',
    "||": '{"if": [a, true, b]}',
    "&&": '{"and": [a, b]}',
    "not": '{"!": [a]}',
    "==": '{"===": [a, b]}',
    "!=": '{"!": [{"===": [a, b]}]}',
    "!==": '{"!": [{"===": [a, b]}]}',
    "-": '{"+": [a, -5]} for a number less 5',
}
_PATH = re.compile(r"[^.]+(?:\.[^.]+)*")


def evaluate(expression: Any, data: Any) -> Any:
    """Return the value of `expression` over `data`.

    :raises RuleError: if the expression is invalid or an operand has the wrong type.

    >>> evaluate({"and": [{">=": [{"var": "doses"}, 2]}, "enough"]}, {"doses": 2})
    'enough'
    """
    return compile_rule(expression)(data)


def compile_rule(expression: Any, max_steps: int = MAX_STEPS, at: str = "$") -> Rule:
    """Return the expression as a function of its data context.

    :param max_steps: nodes that one evaluation may visit, every `reduce` at its full length.
    :param at: JSON path at which the expression itself stands.

    :raises RuleError: if any part of it is invalid, or a limit of this module is passed. The
        message names the place as a JSON path.
    """
    rule, _ = _Compiler(max_steps).compile(expression, at, 0)
    return rule


def paths(expression: Any) -> Iterator[str]:
    """Yield the data paths of a valid expression that start at its own data context.

    Those inside the lambda of a `reduce` start elsewhere and are left out.
    """
    if isinstance(expression, list):
        for item in expression:
            yield from paths(item)
    elif isinstance(expression, dict):
        for name, operands in expression.items():
            if name == "var":
                yield operands
            elif name == "reduce":
                yield from paths([operands[0], operands[2]])
            else:
                yield from paths(operands)


class _Compiler:
    """Walks one expression once. Its methods return a closure and the steps it may take."""

    def __init__(self, max_steps: int) -> None:
        self._max_steps = max_steps
        self._nodes = 0

    def compile(self, expression: Any, at: str, depth: int) -> tuple[Rule, int]:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            msg = f"the expression has over {MAX_DEPTH} levels or over {MAX_NODES} parts"
            raise RuleError(msg, hint="split the rule")
        if isinstance(expression, dict):
            rule, steps = self._operation(expression, at, depth)
        elif isinstance(expression, list):
            items = self._each(expression, at, depth)
            rule, steps = operations.array([item for item, _ in items]), _sum(items)
        else:
            rule, steps = operations.constant(_literal(expression, at)), 0
        if steps >= self._max_steps:
            msg = f"one evaluation could take over {self._max_steps} steps, at {at}"
            raise RuleError(msg, hint="a 'reduce' inside another one multiplies")
        return rule, steps + 1

    def _each(self, expressions: list[Any], at: str, depth: int) -> list[tuple[Rule, int]]:
        return [self.compile(e, f"{at}[{i}]", depth + 1) for i, e in enumerate(expressions)]

    def _operation(self, expression: dict[Any, Any], at: str, depth: int) -> tuple[Rule, int]:
        if len(expression) != 1:
            msg = f"an operation has exactly one key, not {len(expression)}, at {at}"
            raise RuleError(msg)
        ((name, operands),) = expression.items()
        if name == "var":
            path = _path(operands, at)
            return operations.var(path), path.count(".")
        if not isinstance(operands, list):
            msg = f"the operands of {str(name)[:32]!r} are not an array, at {at}"
            raise RuleError(msg)
        inside = f"{at}.{str(name)[:32]}"
        if name == "plusTime":
            return self._plus_time(operands, inside, depth)
        if name == "extractFromUVCI":
            return self._extract_from_uvci(operands, inside, depth)
        arity, build = operations.OPERATIONS.get(name, (None, None))
        if arity is None or build is None:
            msg = f"unknown operator {str(name)[:32]!r} at {at}"
            raise RuleError(msg, hint=_instead(str(name)))
        _check_count(operands, arity, inside)
        compiled = self._each(operands, inside, depth)
        steps = _sum(compiled)
        if name == "reduce":
            steps += (MAX_REDUCE_ITEMS - 1) * compiled[1][1]
        return build([rule for rule, _ in compiled]), steps

    def _plus_time(self, operands: list[Any], at: str, depth: int) -> tuple[Rule, int]:
        _check_count(operands, range(3, 4), at)
        amount, unit = _literal(operands[1], f"{at}[1]"), operands[2]
        if type(amount) is not int or abs(amount) > datetimes.MAX_AMOUNT:
            msg = f"the amount is not an integer up to {datetimes.MAX_AMOUNT}, at {at}[1]"
            raise RuleError(msg)
        if not isinstance(unit, str) or unit not in datetimes.UNITS:
            msg = f"the unit is none of {', '.join(sorted(datetimes.UNITS))}, at {at}[2]"
            raise RuleError(msg)
        rule, steps = self.compile(operands[0], f"{at}[0]", depth + 1)
        return operations.plus_time(rule, amount, unit), steps

    def _extract_from_uvci(self, operands: list[Any], at: str, depth: int) -> tuple[Rule, int]:
        _check_count(operands, range(2, 3), at)
        index = _literal(operands[1], f"{at}[1]")
        if type(index) is not int:
            msg = f"the index is not an integer, at {at}[1]"
            raise RuleError(msg)
        rule, steps = self.compile(operands[0], f"{at}[0]", depth + 1)
        return operations.extract_from_uvci(rule, index), steps


def _instead(name: str) -> str:
    """Return what to write for an operator that other languages have and CertLogic has not."""
    known = [*operations.OPERATIONS, "plusTime", "extractFromUVCI", "var"]
    return f"write {_OTHERS[name]}" if name in _OTHERS else f"there are: {' '.join(known)}"


def _sum(compiled: list[tuple[Rule, int]]) -> int:
    return sum(steps for _, steps in compiled)


def _check_count(operands: list[Any], arity: range, at: str) -> None:
    if len(operands) not in arity:
        few, many = arity[0], arity[-1]
        wanted = f"{few}" if few == many else f"at least {few}" if many > 3 else f"{few} or {many}"
        msg = f"{len(operands)} operands where {wanted} belong, at {at}"
        raise RuleError(msg)


def _path(path: Any, at: str) -> str:
    if not isinstance(path, str) or len(path) > MAX_TEXT_LENGTH:
        msg = f"a data path is a string of at most {MAX_TEXT_LENGTH} characters, at {at}.var"
        raise RuleError(msg)
    if path and not _PATH.fullmatch(path):
        msg = f"data path {path[:64]!r} has an empty part, at {at}.var"
        raise RuleError(msg)
    return path


def _literal(value: Any, at: str) -> Any:
    """Return a literal: a boolean, an integer or a string. An integral float becomes an integer."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= MAX_INTEGER):
        return value
    if isinstance(value, str) and len(value) <= MAX_TEXT_LENGTH:
        return value
    msg = f"a literal is a boolean, an integer or a string within the limits, at {at}"
    raise RuleError(msg, hint="null, fractions and objects cannot be written literally")
