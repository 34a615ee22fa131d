"""Protects the manual of rulebooks: who has nothing else can write one that works."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from admission import rulebook_examples, rulebook_format, texts
from admission.certlogic_operations import OPERATIONS
from admission.credential import CredentialKind, PassKind
from admission.facts import EXTERNAL, PAYLOAD
from admission.rulebook_examples import run_example
from admission.rulebook_loading import load_rulebook
from admission.rulebook_reach import combinations, reach
from admission.site import Place
from admission.standing import Product
from admission.verdict import Card, Outcome, Reason
from tests.worlds import ROOT

MANUAL = (ROOT / "docs/rulebooks.md").read_text()


def _named(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def _table(heading: str) -> list[list[str]]:
    """Return the cells of the table with this head, row by row."""
    _, _, after = MANUAL.partition(f"\n{heading}\n|---|---|\n")
    rows = after.split("\n\n")[0].splitlines()
    assert rows, heading
    return [[cell.strip() for cell in row.strip("|").split("|", 1)] for row in rows]


def _keys(heading: str) -> list[str]:
    return [name for first, _ in _table(heading) for name in _named(first)]


def _fields(form: Any) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(form)]


@pytest.mark.parametrize(
    ("of", "names"),
    [
        ("places", Place),
        ("cards", Card),
        ("products", [p.name.lower() for p in Product if p is not Product.NONE]),
        ("`expect`", Outcome),
        ("`except_passes`", PassKind),
        ("`except_kinds`", CredentialKind),
    ],
)
def test_every_name_stands_in_the_manual(of: str, names: Iterable[str]) -> None:
    rows = dict(_table("| of | names |"))
    assert _named(rows[of]) == [str(name) for name in names]


def test_every_reason_stands_there_with_its_sentence() -> None:
    rows = [(first.strip("`"), sentence) for first, sentence in _table("| reason | sentence |")]
    assert rows == [(reason.value, texts.sentence(reason).en) for reason in Reason]


@pytest.mark.parametrize(
    ("heading", "form"),
    [
        ("| key | content |", rulebook_format.RulebookForm),
        (
            "| key of `facts` | content; what is left out is as in a record that says nothing |",
            rulebook_examples._Facts,
        ),
        ("| key of `situation` | content |", rulebook_examples._Situation),
    ],
)
def test_every_key_stands_there(heading: str, form: Any) -> None:
    assert sorted(_keys(heading)) == sorted(_fields(form))


def test_every_fact_and_every_operator_stands_there() -> None:
    facts = {f"payload.{n}" for n in PAYLOAD} | {f"external.{n}" for n in EXTERNAL}
    assert set(_keys("| path | value |")) == facts | {"terms.<name>"}
    operators = MANUAL.partition("The operators are ")[2].partition("There is no")[0]
    assert set(OPERATIONS) <= set(_named(operators))


def test_the_small_rulebook_of_the_manual_passes_every_check() -> None:
    data = MANUAL.partition("```json\n")[2].partition("```")[0].encode()
    form, book = rulebook_format.read(data), load_rulebook(data)
    people = combinations(form)
    report = reach(form, book, people)
    assert (report.unreachable, report.gaps) == ((), ())
    assert [text.partition(":")[0] for _, text in report.notes] == [
        "closed for everybody under directive 15"
    ]
    assert len(form.examples) == 2
    assert all(run_example(book, example).holds for example in form.examples)
