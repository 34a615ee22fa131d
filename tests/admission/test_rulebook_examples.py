"""Protects a rulebook's own examples: they ask the law itself, and the shipped ones all hold."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from admission import rulebook_format
from admission.errors import RulebookError
from admission.rulebook import Rulebook
from admission.rulebook_examples import run_example
from admission.rulebook_format import ExampleForm
from admission.verdict import Outcome, Reason
from tests.worlds import ROOT

FORM = rulebook_format.read((ROOT / "configs/rulebooks/hcmc-2021-09.json").read_bytes())


@pytest.mark.parametrize("example", FORM.examples, ids=lambda example: example.name)
def test_every_shipped_example_holds(rulebook: Rulebook, example: ExampleForm) -> None:
    assert run_example(rulebook, example).holds


def test_an_example_that_expects_something_else_does_not_hold(rulebook: Rulebook) -> None:
    example = FORM.examples[0]
    for change in ({"expect": Outcome.REFUSE}, {"reason": Reason.NO_CARD}):
        assert not run_example(rulebook, msgspec.structs.replace(example, **change)).holds


@pytest.mark.parametrize(
    "spoilt",
    [
        {"facts": {"dozes": 2}},
        {"facts": {"product": "aspirin"}},
        {"facts": {"last_dose": "yesterday"}},
        {"situation": {"at": "2021-09-20T08:00:00"}},
        {"situation": {"place": "moon"}},
        {"situation": {"opening_hours": [{"from_min": -1, "until_min": 3}]}},
    ],
)
def test_a_malformed_example_is_named(rulebook: Rulebook, spoilt: dict[str, Any]) -> None:
    data = json.dumps({"name": "spoilt", "expect": "admit"} | spoilt).encode()
    example = msgspec.json.decode(data, type=ExampleForm)
    with pytest.raises(RulebookError, match="spoilt") as caught:
        run_example(rulebook, example)
    assert caught.value.hint
