"""Protects the gate from rules: what cannot be evaluated within bounds is refused at load."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission import certlogic
from admission.certlogic import MAX_DEPTH, MAX_NODES, compile_rule, evaluate, paths
from admission.certlogic_operations import MAX_REDUCE_ITEMS
from admission.errors import RuleError

SUM = {"+": [{"var": "current"}, {"var": "accumulator"}]}


@pytest.mark.parametrize(
    "expression",
    [
        None,
        3.14,
        float("inf"),
        1 << 60,
        "x" * 1_025,
        b"bytes",
        {},
        {"or": [True, False]},
        {"==": [1, 1]},
        {1: [1]},
        {"if": [True, 1]},
        {"and": [True]},
        {"!": []},
        {"===": [1]},
        {"<": [1, 2, 3, 4]},
        {"in": "abc"},
        {"var": ["x", "default"]},
        {"var": 0},
        {"var": ".x"},
        {"var": "x..y"},
        {"var": "x" * 1_025},
        {"plusTime": ["2021-01-01", 1, "week"]},
        {"plusTime": ["2021-01-01", "1", "day"]},
        {"plusTime": ["2021-01-01", True, "day"]},
        {"plusTime": ["2021-01-01", 10**7, "day"]},
        {"plusTime": ["2021-01-01", 1, ["day"]]},
        {"extractFromUVCI": ["a", None]},
        {"extractFromUVCI": ["a"]},
        {"if": [True, 1, {"and": [True, {"nonsense": []}]}]},
    ],
)
def test_invalid_expressions_are_refused_when_they_are_compiled(expression: Any) -> None:
    with pytest.raises(RuleError):
        compile_rule(expression)


def test_the_refusal_names_the_place() -> None:
    with pytest.raises(RuleError, match=r"unknown operator 'or' at \$\.if\[1\]\.and\[0\]"):
        compile_rule({"if": [True, {"and": [{"or": []}, True]}, False]})


def _nested(levels: int) -> Any:
    expression: Any = True
    for _ in range(levels):
        expression = {"!": [expression]}
    return expression


def test_depth_is_bounded() -> None:
    assert evaluate(_nested(MAX_DEPTH), {}) is (MAX_DEPTH % 2 == 0)
    for levels in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(RuleError, match="levels"):
            compile_rule(_nested(levels))


def test_size_is_bounded() -> None:
    assert evaluate([1] * (MAX_NODES - 1), {}) == [1] * (MAX_NODES - 1)
    with pytest.raises(RuleError, match="parts"):
        compile_rule([1] * MAX_NODES)


def test_a_reduce_inside_a_reduce_cannot_multiply_without_end() -> None:
    inner = {"reduce": [{"var": "current"}, SUM, 0]}
    folded = {"reduce": [{"var": "lists"}, {"+": [inner, {"var": "accumulator"}]}, 0]}
    with pytest.raises(RuleError, match="steps"):
        compile_rule(folded)


def test_a_long_path_costs_its_parts() -> None:
    far = {"var": "accumulator" + ".0" * 500}
    compile_rule({"reduce": [{"var": "list"}, [far, {"var": "accumulator"}], 0]}, 200_000)
    with pytest.raises(RuleError, match="steps"):
        compile_rule({"reduce": [{"var": "list"}, [far, {"var": "accumulator"}], 0]}, 100_000)


def test_a_reduce_folds_no_more_than_its_limit() -> None:
    rule = compile_rule({"reduce": [{"var": ""}, SUM, 0]})
    assert rule([1] * MAX_REDUCE_ITEMS) == MAX_REDUCE_ITEMS
    with pytest.raises(RuleError, match="at most"):
        rule([1] * (MAX_REDUCE_ITEMS + 1))


@pytest.mark.parametrize(
    ("expression", "data"),
    [
        ({"<": [{"var": "x"}, 1]}, {}),
        ({"<": [{"var": "x"}, 1]}, {"x": True}),
        ({"+": [{"var": "x"}, 1]}, {"x": "1"}),
        ({"+": [{"var": "x"}, 1]}, {"x": 1.5}),
        ({"in": [1, {"var": "x"}]}, {"x": "abc"}),
        ({"!": [{"var": "x"}]}, {"x": 0.5}),
        ({"!": [{"plusTime": ["2021-01-01", 0, "day"]}]}, {}),
        ({"after": ["2021-01-01", "2021-01-01"]}, {}),
        ({"plusTime": [{"var": "x"}, 0, "day"]}, {"x": None}),
        ({"plusTime": [{"plusTime": ["2021", 0, "day"]}, 0, "day"]}, {}),
        ({"dccDateOfBirth": [{"var": "x"}]}, {"x": 2004}),
        ({"extractFromUVCI": [{"var": "x"}, 0]}, {"x": 7}),
        ({"reduce": [{"var": "x"}, 1, 0]}, {"x": "abc"}),
    ],
)
def test_type_mismatches_are_errors_of_the_rule(expression: Any, data: Any) -> None:
    rule = compile_rule(expression)
    with pytest.raises(RuleError):
        rule(data)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (1, True, False),
        (0, False, False),
        (None, None, True),
        (None, False, False),
        (1, 1.0, True),
        ("1", 1, False),
        ([], [], False),
        ({}, {}, False),
    ],
)
def test_equality_does_not_coerce(left: Any, right: Any, expected: bool) -> None:
    assert evaluate({"===": [{"var": "0"}, {"var": "1"}]}, [left, right]) is expected
    assert evaluate({"in": [{"var": "0"}, {"var": "1"}]}, [left, [right]]) is expected


@pytest.mark.parametrize(
    ("uci", "index", "expected"),
    [
        ("URN:UVCI:01:NL:187/37512422923", 0, "01"),
        ("01:NL:187/37512422923", 3, "37512422923"),
        ("a::c/#/f", 1, ""),
        ("a::c/#/f", 5, "f"),
        ("a::c/#/f", 6, None),
        ("a", -1, None),
        ("", 0, ""),
        (None, 0, None),
    ],
)
def test_fragments_of_certificate_identifiers(
    uci: str | None, index: int, expected: str | None
) -> None:
    assert evaluate({"extractFromUVCI": [{"var": ""}, index]}, uci) == expected


def test_the_last_date_that_a_partial_birth_date_allows() -> None:
    born = compile_rule({"dccDateOfBirth": [{"var": ""}]})
    assert born("2004") == datetime(2004, 12, 31, tzinfo=UTC)
    assert born("2004-02") == datetime(2004, 2, 29, tzinfo=UTC)
    assert born("2004-02-01") == datetime(2004, 2, 1, tzinfo=UTC)


def test_paths_are_those_of_the_rules_own_context() -> None:
    expression = {
        "if": [{"var": "a.b"}, {"reduce": [{"var": "c"}, SUM, {"var": "d"}]}, [{"var": ""}]]
    }
    assert sorted(paths(expression)) == ["", "a.b", "c", "d"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
names = st.sampled_from(
    ["var", "if", "and", "!", "===", "in", "+", "<", "after", "plusTime", "reduce",
     "dccDateOfBirth", "extractFromUVCI", "or"]
)  # fmt: skip
expressions = st.recursive(
    json_values,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(names, st.lists(inner, max_size=3) | inner, min_size=1, max_size=1)
    ),
    max_leaves=12,
)


@given(expressions, json_values)
def test_any_expression_over_any_data_gives_a_value_or_a_rule_error(
    expression: Any, data: Any
) -> None:
    with contextlib.suppress(RuleError):
        certlogic.evaluate(expression, data)
