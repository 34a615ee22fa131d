"""Protects authorities from rules that nothing reaches and facts that nothing answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from admission import rulebook_format
from admission.rulebook_loading import load_rulebook
from admission.rulebook_reach import Reach, combinations, reach
from tests.worlds import ROOT

SHIPPED = json.loads((ROOT / "configs/rulebooks/hcmc-2021-09.json").read_bytes())
Change = Callable[[Any], None]


def found_in(change: Change) -> Reach:
    content = json.loads(json.dumps(SHIPPED))
    change(content)
    data = json.dumps(content).encode()
    form, book = rulebook_format.read(data), load_rulebook(data)
    people = combinations(form)
    return reach(form, book, people[:: max(1, len(people) // 6_000)])


def test_the_shipped_rulebook_is_reached_in_every_row() -> None:
    report = found_in(lambda content: None)
    assert (report.unreachable, report.gaps) == ((), ())
    assert report.combinations > 5_000


def _shadow(content: Any) -> None:
    content["cards"].insert(1, {"card": "yellow", "when": {"!": [False]}})


def _contradict(content: Any) -> None:
    content["terms"][3]["when"] = {"and": [{"<": [{"var": "payload.doses"}, 0]}, True]}


def _close(content: Any) -> None:
    for row in content["access"]:
        row["places"] = [place for place in row["places"] if place != "clinic"]


def _ask_behind_closed_doors(content: Any) -> None:
    _close(content)
    content["requirements"].append({"needs": "test", "places": ["clinic"]})


@pytest.mark.parametrize(
    ("change", "kind", "at", "says"),
    [
        (_shadow, "unreachable", "$.cards[2]", "a rule above answers first"),
        (_contradict, "unreachable", "$.terms[3]", "always false"),
        (_close, "notes", "$.access", "closed for everybody under directives 15, 16: clinic"),
        (_ask_behind_closed_doors, "unreachable", "$.requirements[2]", "nothing is left to ask"),
    ],
)
def test_what_is_wrong_is_found_with_its_place(
    change: Change, kind: str, at: str, says: str
) -> None:
    entries = getattr(found_in(change), kind)
    assert any(path == at and says in text for path, text in entries), entries


def _close_under_15(content: Any) -> None:
    for row in content["access"][:2]:
        row["places"] = [place for place in row["places"] if place not in ("school", "hospital")]
    content["passes"] = [{"kind": "visitor", "places": ["hospital"], "directives": [15]}]


def test_a_place_that_one_directive_closes_is_a_note_and_no_gap() -> None:
    report = found_in(_close_under_15)
    assert report.gaps == ()
    assert [text for _, text in report.notes] == [
        "closed for everybody under directive 15: school",
        "only a pass opens, under directive 15: hospital",
    ]
