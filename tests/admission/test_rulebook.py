"""Protects the gate from rulebooks: what is wrong is refused at load, with the place named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.errors import RulebookError
from admission.rulebook import Access, Rulebook
from admission.rulebook_format import MAX_RULEBOOK_BYTES
from admission.rulebook_loading import load_rulebook
from admission.site import Place
from admission.standing import PersonFacts
from admission.verdict import Card, Outcome, Text
from tests.worlds import ROOT

Content = dict[str, Any]
TODAY = date(2021, 9, 20)


def _load(content: Content) -> Rulebook:
    return load_rulebook(msgspec.json.encode(content))


@pytest.mark.parametrize("file", sorted((ROOT / "configs" / "rulebooks").glob("*.json")), ids=str)
def test_every_rulebook_that_ships_loads(file: Any) -> None:
    rulebook = load_rulebook(file.read_bytes())
    assert rulebook.id == file.stem
    assert set(rulebook.no_card) == set(rulebook.no_record) == set(Place)


def test_the_shipped_rulebook_says_what_it_is(rulebook: Rulebook) -> None:
    assert rulebook.label == "hcmc-2021-09/1"
    assert rulebook.replica_max_age_ns == 504 * 3_600 * 10**9
    assert rulebook.directives == {15, 16}
    outdoors = rulebook.opening(16, Card.YELLOW, Place.OUTDOOR_PUBLIC_PLACE)
    assert outdoors is not None
    assert outdoors.condition is not None
    assert outdoors.condition.en == "Keep contact to a minimum and stay 2 m apart."


def _set(*path: str | int, to: Any) -> Callable[[Content], None]:
    def spoil(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = to

    return spoil


def _drop(*path: str | int) -> Callable[[Content], None]:
    def spoil(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        del content[path[-1]]

    return spoil


def _repeat(name: str) -> Callable[[Content], None]:
    return lambda content: content[name].append(content[name][0])


@pytest.mark.parametrize(
    ("spoil", "path"),
    [
        (_set("format", to="chot-rulebook/2"), "$.format"),
        (_set("colour", to="blue"), "$"),
        (_set("access", 1, "place", to=[]), "$.access[1]"),
        (_set("access", 1, "places", 0, to="casino"), "$.access[1].places[0]"),
        (_set("access", 1, "places", to=[]), "$.access[1].places"),
        (_set("access", 0, "directive", to=0), "$.access[0].directive"),
        (_set("access", 0, "card", to="blue"), "$.access[0].card"),
        (_set("access", 0, "condition", to={"vi": "5K"}), "$.access[0].condition"),
        (_repeat("access"), "$.access[4].places"),
        (_drop("no_card", "clinic"), "$.no_card"),
        (_drop("no_record", "clinic"), "$.no_record"),
        (_set("no_card", "clinic", to="admit"), "$.no_card[...]"),
        (_set("no_record", "casino", to="refer"), "$.no_record"),
        (_drop("cards", 1), "$.cards"),
        (_set("cards", 0, "card", to="none"), "$.cards"),
        (_set("cards", 0, "when", to={"or": []}), "$.cards[0].when"),
        (_set("cards", 0, "when", to={"var": "payload.dosis"}), "$.cards[0].when"),
        (_set("cards", 0, "when", to={"var": "terms.unheard_of"}), "$.cards[0].when"),
        (_set("cards", 0, "when", to={"var": ""}), "$.cards[0].when"),
        (_set("cards", 0, "when", to={"!": [[0] * 1_000]}), "$.cards[0].when"),
        (_set("cards", 0, "when", to={"<": [{"var": "payload.age"}, 9]}), "$.cards[0].when"),
        (_set("cards", 0, "when", to={"plusTime": ["2021", 0, "day"]}), "$.cards[0].when"),
        (_set("terms", 0, "when", to={"var": "terms.vulnerable"}), "$.terms[0].when"),
        (_set("terms", 0, "name", to="Fully vaccinated"), "$.terms[0].name"),
        (_repeat("terms"), "$.terms[4].name"),
        (_set("products", "novavax", to={"doses": 2, "waiting_days": 14}), "$.products"),
        (_set("products", "none", to={"doses": 2, "waiting_days": 14}), "$.products"),
        (_set("products", "pfizer", "doses", to=0), "$.products[...].doses"),
        (_set("replica_max_age_h", to=0), "$.replica_max_age_h"),
        (_set("replica_max_age_h", to="24"), "$.replica_max_age_h"),
        (_set("version", to=0), "$.version"),
        (_set("id", to="HCMC 2021"), "$.id"),
        (_set("title", "vi", to=""), "$.title.vi"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_and_its_place_named(
    rulebook_file: Content, spoil: Callable[[Content], None], path: str
) -> None:
    spoil(rulebook_file)
    with pytest.raises(RulebookError) as refused:
        _load(rulebook_file)
    assert f"wrong at {path}" in str(refused.value)
    assert refused.value.hint
    assert path not in refused.value.hint.removeprefix("see ").split()


@pytest.mark.parametrize(
    "key",
    ["format", "id", "version", "title", "replica_max_age_h", "products", "cards", "access",
     "no_card", "no_record"],
)  # fmt: skip
def test_no_key_may_be_missing(rulebook_file: Content, key: str) -> None:
    del rulebook_file[key]
    with pytest.raises(RulebookError, match=key):
        _load(rulebook_file)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": "\xff"}', b"[" * 200_000,
     b" " * (MAX_RULEBOOK_BYTES + 1)],
    ids=["empty", "cut", "array", "null", "bom", "not utf-8", "deep", "huge"],
)  # fmt: skip
def test_what_is_no_rulebook_at_all_is_refused(data: bytes) -> None:
    with pytest.raises(RulebookError) as refused:
        load_rulebook(data)
    assert refused.value.hint


@given(st.binary(max_size=64))
def test_any_bytes_are_refused_in_our_own_words(data: bytes) -> None:
    with pytest.raises(RulebookError):
        load_rulebook(data)


def test_the_first_rule_that_is_true_gives_the_card(rulebook_file: Content) -> None:
    for row in rulebook_file["cards"]:
        row["when"] = True
    assert _load(rulebook_file).card_of(PersonFacts(), TODAY) is Card.GREEN
    rulebook_file["cards"].reverse()
    assert _load(rulebook_file).card_of(PersonFacts(), TODAY) is Card.YELLOW
    for row in rulebook_file["cards"]:
        row["when"] = False
    assert _load(rulebook_file).card_of(PersonFacts(), TODAY) is Card.NONE


def test_an_authority_may_let_in_essential_needs_without_a_card(rulebook_file: Content) -> None:
    essential = {"vi": "Chỉ nhu cầu thiết yếu.", "en": "Essential needs only."}
    rulebook_file["access"].append(
        {"directive": 16, "card": "none", "places": ["supermarket"], "condition": essential}
    )
    opened = _load(rulebook_file).opening(16, Card.NONE, Place.SUPERMARKET)
    assert opened == Access(Text(**essential))


def test_another_districts_waiting_time_and_products_are_data(rulebook_file: Content) -> None:
    rulebook_file["products"] = {"janssen": {"doses": 1, "waiting_days": 28}}
    rulebook_file["no_card"]["supermarket"] = "refer"
    changed = _load(rulebook_file)
    assert {p.name for p in changed.courses} == {"JANSSEN"}
    assert changed.no_card[Place.SUPERMARKET] is Outcome.REFER


def test_a_key_that_stands_twice_is_refused(rulebook_file: Content) -> None:
    data = msgspec.json.encode(rulebook_file)
    for key, value in ((b"version", b"1"), (b"waiting_days", b"1"), (b"hospital", b'"refer"')):
        # A parser would take the last one and say nothing.
        name = b'"' + key + b'":'
        spoilt = data.replace(name, name + value + b"," + name, 1)
        assert spoilt != data
        with pytest.raises(RulebookError, match=f"{key.decode()}' stands twice"):
            load_rulebook(spoilt)


@pytest.mark.parametrize(
    ("spoil", "hint"),
    [
        (_set("cards", 0, "when", to={"or": [True, False]}), 'write {"if": [a, true, b]}'),
        (_set("cards", 0, "when", to={"var": "payload.recoverd"}), "'payload.recovered'"),
        (_set("products", "astra_zeneca", to={"doses": 2, "waiting_days": 14}), "'astrazeneca'"),
        (_set("access", 0, "places", 0, to="hospitl"), "'hospital'"),
        (_set("no_card", "hospitl", to="refer"), "'hospital'"),
        (_set("no_card", "hospital", to="admit"), "there are: refer, refuse"),
        (_set("access", 0, "place", to=[]), "'places'"),
        (_set("effective", to={"from": "2021-10-01T00:00+07:00"}), "2021-10-01T00:00:00+07:00"),
        (_set("anti_passback", to={"window_s": 1, "except_kinds": ["dccs"]}), "'dcc'"),
        (_drop("no_card", "clinic"), "add clinic: refer or refuse"),
        (_set("cards", 0, "when", to={"<": [{"var": "payload.age"}, 9]}),
         '{"if": [{"var": "payload.age"}, rule, false]}'),
        (_set("cards", 0, "when", to={"var": "payload.recovered"}), '{"if": [rule, true, false]}'),
    ],
)  # fmt: skip
def test_the_hint_says_what_to_write_instead(
    rulebook_file: Content, spoil: Callable[[Content], None], hint: str
) -> None:
    spoil(rulebook_file)
    with pytest.raises(RulebookError) as refused:
        _load(rulebook_file)
    assert hint in refused.value.hint


def test_a_rule_that_fails_is_told_with_its_facts_in_words(rulebook_file: Any) -> None:
    rulebook_file["terms"][2]["when"] = {">": [{"var": "payload.age"}, 9]}
    with pytest.raises(RulebookError, match=r"terms\[2\]\.when: where age \(payload.age\) is not"):
        _load(rulebook_file)


def test_one_card_is_enough_where_nothing_names_another(rulebook_file: Any) -> None:
    del rulebook_file["cards"][1]
    rulebook_file["access"] = [row for row in rulebook_file["access"] if row["card"] == "green"]
    assert [card for card, _ in _load(rulebook_file).cards] == [Card.GREEN]
    rulebook_file["certificates"] = {"gives": "yellow", "rules": []}
    with pytest.raises(RulebookError):
        _load(rulebook_file)
