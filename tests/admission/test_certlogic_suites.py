"""Protects the promise that rules written for other CertLogic engines mean the same here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from admission.certlogic import compile_rule, evaluate
from admission.errors import RuleError
from tests.worlds import chot_data

pytestmark = pytest.mark.data


def _assertions(folder: Path) -> Iterator[tuple[str, Any, Any, Any]]:
    for file in sorted(folder.glob("*.json")):
        suite = json.loads(file.read_text())
        for case in suite["cases"]:
            for assertion in case["assertions"]:
                directives = (x.get("directive") for x in (suite, case, assertion))
                if "skip" not in directives:
                    expression = assertion.get(
                        "certLogicExpression", case.get("certLogicExpression")
                    )
                    name = f"{file.stem}: {case['name']}"
                    yield name, expression, assertion["data"], assertion["expected"]


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        text = value.astimezone(UTC).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")
    return value


def test_the_official_suite_passes() -> None:
    checked = 0
    for name, expression, data, expected in _assertions(
        chot_data("certlogic", "testsuite", "testSuite")
    ):
        got = _as_json(evaluate(expression, data))
        assert (type(got), got) == (type(expected), expected), f"{name}: {expression} on {data}"
        checked += 1
    assert checked >= 169


def test_the_official_validation_suite_is_judged_alike() -> None:
    checked = 0
    for file in sorted(chot_data("certlogic", "testsuite", "validation-testSuite").glob("*.json")):
        for case in json.loads(file.read_text())["cases"]:
            expression = case["certLogicExpression"]
            if case["issues"]:
                with pytest.raises(RuleError):
                    compile_rule(expression)
            else:
                compile_rule(expression)
            checked += 1
    assert checked >= 23


def test_the_eu_acceptance_rules_answer_as_their_own_tests_expect() -> None:
    rules = tests = 0
    for file in sorted(chot_data("certlogic", "eu-rules").glob("*/*/rule.json")):
        rule = compile_rule(json.loads(file.read_text())["Logic"])
        rules += 1
        for case in sorted((file.parent / "tests").glob("*.json")):
            content = json.loads(case.read_text())
            data = {"payload": content["payload"], "external": content["external"]}
            assert rule(data) is content["expected"], case
            tests += 1
    assert (rules, tests) == (104, 655)
