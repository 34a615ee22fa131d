"""Protects `chot rulebook`: what it says to the people who write rules, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance.cli.main import main
from tests.worlds import ROOT

SHIPPED = ROOT / "configs/rulebooks/hcmc-2021-09.json"


def chot(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["rulebook", *map(str, arguments)])


def changed(folder: Path, name: str = "changed.json", **keys: Any) -> Path:
    content = json.loads(SHIPPED.read_bytes()) | keys
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def small(folder: Path, name: str = "small.json", **keys: Any) -> Path:
    """A rulebook with few facts to tell apart, so that checking it takes no time."""
    yellow: dict[str, Any] = {"===": [{"var": "payload.doses"}, 1]}
    green: dict[str, Any] = {">=": [{"var": "payload.doses"}, 2]}
    rules: dict[str, Any] = {
        "terms": [],
        "products": {},
        "cards": [{"card": "green", "when": green}, {"card": "yellow", "when": yellow}],
        "examples": [],
    }
    return changed(folder, name, **(rules | keys))


def test_a_sound_rulebook_passes_the_check(tmp_path: Path) -> None:
    result = chot("check", small(tmp_path))
    assert result.exit_code == 0, result.output
    assert "nothing found" in result.output


def test_the_check_names_what_is_wrong_in_each_file(tmp_path: Path) -> None:
    malformed = small(tmp_path, "malformed.json", version=0)
    always: dict[str, Any] = {"name": "always", "when": {"!": [False]}}
    idle = small(tmp_path, "idle.json", terms=[always])
    result = chot("check", malformed, idle, tmp_path / "missing.json")
    assert result.exit_code == 1
    assert "wrong at $.version" in result.output
    assert "$.terms[0]: never reached: “always” is always true" in result.output
    assert "missing.json: cannot be read" in result.output


def test_the_check_as_json_names_times_without_a_rulebook(tmp_path: Path) -> None:
    first = small(
        tmp_path, "first.json", id="first",
        effective={"from": "2021-09-01T00:00:00+07:00", "until": "2021-09-15T00:00:00+07:00"},
    )  # fmt: skip
    second = small(
        tmp_path, "second.json", id="second", effective={"from": "2021-09-16T00:00:00+07:00"}
    )
    result = chot("check", "--json", first, second)
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["uncovered"] == [
        {
            "district": 0,
            "from": "2021-09-15T00:00:00+07:00",
            "until": "2021-09-16T00:00:00+07:00",
        }
    ]
    assert report["files"][str(first)]["gaps"] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Directive 15", "Directive 16", "control station", "officer", "Green card"]),
        ("vi", ["Chỉ thị 15", "chốt kiểm soát", "gặp cán bộ", "Thẻ xanh", "giấy đi đường"]),
    ],
)
def test_the_explanation_is_the_table_that_a_person_reads(language: str, words: list[str]) -> None:
    result = chot("explain", SHIPPED, "--language", language)
    assert result.exit_code == 0, result.output
    for word in words:
        assert word in result.output


def test_a_directive_that_the_rulebook_lacks_is_named(tmp_path: Path) -> None:
    result = chot("explain", small(tmp_path), "--directive", 19)
    assert result.exit_code == 2
    assert "the rulebook has 15, 16" in result.output


def test_the_shipped_examples_hold(tmp_path: Path) -> None:
    result = chot("test", SHIPPED)
    assert result.exit_code == 0, result.output
    assert "0 do not hold" in result.output


def test_an_example_that_fails_says_what_was_expected_and_what_came(tmp_path: Path) -> None:
    wrong = small(tmp_path, examples=[{"name": "no dose", "expect": "admit"}])
    result = chot("test", wrong)
    assert result.exit_code == 1
    assert "FAILS  no dose: expected admit; got refuse, no_card" in result.output
    assert chot("test", small(tmp_path)).exit_code == 1, (
        "a rulebook without examples proves nothing"
    )


def test_a_difference_is_told_in_rules_answers_and_people(tmp_path: Path) -> None:
    old = small(tmp_path)
    later: dict[str, Any] = {">=": [{"var": "payload.doses"}, 3]}
    yellow: dict[str, Any] = {"===": [{"var": "payload.doses"}, 1]}
    new = small(
        tmp_path, "new.json", replica_max_age_h=48,
        cards=[{"card": "green", "when": later}, {"card": "yellow", "when": yellow}],
        no_record={**json.loads(SHIPPED.read_bytes())["no_record"], "hospital": "refuse"},
    )  # fmt: skip
    result = chot("diff", old, new)
    assert result.exit_code == 1
    assert "card “green”: doses ≥ 2 → doses ≥ 3" in result.output
    assert "Green card → No card: " in result.output
    assert "Nobody on record, hospital: officer → stop" in result.output
    assert "replica_max_age_h: 504 → 48" in result.output
    same = chot("diff", old, old)
    assert (same.exit_code, same.output) == (0, "no difference\n")


_WORDS = {
    "no_card": {
        "sentence": {"vi": "Chưa đủ.", "en": "Not enough."},
        "next_step": {"vi": "Mời gặp ban tổ chức.", "en": "Please see the organiser."},
    }
}
_PASSBACK = {"window_s": 60, "except_kinds": ["dcc"], "except_places": ["hospital"]}


def test_the_explanation_holds_own_words_certificates_and_exceptions(tmp_path: Path) -> None:
    result = chot("explain", small(tmp_path, texts=_WORDS, anti_passback=_PASSBACK))
    assert "no_card: Not enough. Please see the organiser." in result.output
    assert "Passes once within (seconds): 60; except for dcc, hospital" in result.output
    assert "Certificates from abroad: count as if on record" in result.output


def test_a_difference_of_rows_is_told_in_words(tmp_path: Path) -> None:
    content = json.loads(small(tmp_path).read_bytes())
    course = {"doses": 2, "waiting_days": 14}
    new = small(
        tmp_path, "new.json", texts=_WORDS, anti_passback=_PASSBACK, products={"abdala": course},
        cards=content["cards"][::-1], passes=[{"kind": "visitor", "places": ["office"]}],
        requirements=[{"needs": "test", "places": ["hospital"], "max_age_h": 48}],
    )  # fmt: skip
    result = chot("diff", small(tmp_path), new)
    for line in (
        "cards are asked in another order: green, yellow → yellow, green",
        "products: + Full course, abdala: 2 doses, 14 days of waiting",
        "requirements: + negative test ≤ 48 h: hospital",
        "passes: + visitor's pass is enough to enter: office",
        "texts: + no_card: Not enough. Please see the organiser.",
        "anti_passback: + Passes once within (seconds): 60; except for dcc, hospital",
    ):
        assert line in result.output, result.output
    assert '{"' not in result.output


def test_closed_places_are_notes_and_a_malformed_example_is_named(tmp_path: Path) -> None:
    rows = [{"directive": 15, "card": "green", "places": ["office"]}]
    cards = json.loads(small(tmp_path).read_bytes())["cards"][:1]
    event = small(tmp_path, access=rows, cards=cards, requirements=[])
    result = chot("check", event)
    assert result.exit_code == 0, result.output
    assert "note: closed for everybody under directive 15: control_station" in result.output
    report = json.loads(chot("check", "--json", event).stdout)["files"][str(event)]
    assert (report["gaps"], len(report["notes"])) == ([], 1)
    spoilt = small(
        tmp_path, "spoilt.json",
        examples=[{"name": "one", "expect": "admit", "facts": {"dozes": 2}}],
    )  # fmt: skip
    result = chot("check", spoilt, event)
    assert result.exit_code == 1
    assert "did you mean 'doses'?" in result.output
    assert "nothing found" in result.output, "the other file is checked all the same"
