"""Protects travellers from rules that mean something else here than where they were written."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission import datetimes
from admission.acceptance import (
    MAX_RULES,
    Acceptance,
    Failed,
    Fulfilled,
    Open,
    load_acceptance,
)
from admission.acceptance_format import CertificateType, load_value_sets
from admission.credential import Evidence
from admission.errors import RulebookError
from admission.instant import ClockTrust, Instant
from admission.verdict import Text
from tests.worlds import chot_data

VACCINATION, TEST, RECOVERY = Evidence.VACCINATION, Evidence.TEST, Evidence.RECOVERY
IS_TWO = {"===": [{"var": "payload.dn"}, 2]}
Change = Callable[[dict[str, Any]], Any]


def at(moment: datetime) -> Instant:
    ns = int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)) * 1_000_000_000
    return Instant(ns, 0, "boot", ClockTrust.SYNCHRONISED)


NOW = at(datetime(2021, 9, 20, tzinfo=UTC))


def a_rule(**changed: Any) -> dict[str, Any]:
    return {
        "Identifier": "VR-VN-0001",
        "Type": "Acceptance",
        "Country": "VN",
        "Version": "1.0.0",
        "SchemaVersion": "1.0.0",
        "Engine": "CERTLOGIC",
        "EngineVersion": "0.7.5",
        "CertificateType": "Vaccination",
        "Description": [{"lang": "de", "desc": "zwei"}, {"lang": "en", "desc": "two doses"}],
        "ValidFrom": "2021-07-01T00:00:00Z",
        "ValidTo": "2021-12-31T00:00:00Z",
        "AffectedFields": ["dn"],
        "Logic": IS_TWO,
    } | changed


def judge(
    rules: Acceptance, certificate: Any, evidence: Evidence = VACCINATION, **more: Any
) -> Any:
    return rules.judge(certificate, evidence, more.pop("now", NOW), {}, **more)


@pytest.mark.parametrize("wall_ns", [-(1 << 66), -(1 << 36) * 10**9, 1 << 36, 1 << 70])
def test_a_time_beyond_the_calendar_stands_at_its_end(wall_ns: int) -> None:
    logic = {"===": [{"var": "external.iat"}, {"var": "external.exp"}]}
    rules = load_acceptance([a_rule(Logic=logic)])
    assert judge(rules, {}, issued_ns=wall_ns, expires_ns=wall_ns) == Fulfilled()


def test_true_is_fulfilled_false_is_said_and_what_fails_is_open() -> None:
    rules = load_acceptance([a_rule(Logic={">=": [{"var": "payload.dn"}, 2]})])
    assert judge(rules, {"dn": 2}) == Fulfilled()
    assert judge(rules, {"dn": 1}) == Failed("VR-VN-0001", Text("two doses", "two doses"))
    assert judge(rules, {"dn": "two"}) == Open(("VR-VN-0001",))
    assert judge(rules, None) == Open(("VR-VN-0001",))


def test_a_result_that_is_no_boolean_is_open() -> None:
    assert judge(load_acceptance([a_rule(Logic=1)]), {}) == Open(("VR-VN-0001",))


def test_a_false_rule_outweighs_an_open_one() -> None:
    rules = load_acceptance([a_rule(Logic="text"), a_rule(Identifier="VR-VN-0002")])
    assert isinstance(judge(rules, {"dn": 1}), Failed)
    assert judge(rules, {"dn": 2}) == Open(("VR-VN-0001",))


def test_what_a_rule_says_in_vietnamese_is_said_in_vietnamese() -> None:
    said = [{"lang": "vi", "desc": "hai liều"}, {"lang": "en", "desc": "two doses"}]
    rules = load_acceptance([a_rule(Description=said)])
    assert judge(rules, {"dn": 1}) == Failed("VR-VN-0001", Text("hai liều", "two doses"))
    only = load_acceptance([a_rule(Description=[{"lang": "de", "desc": "zwei"}])])
    assert judge(only, {"dn": 1}) == Failed("VR-VN-0001", Text("zwei", "zwei"))


def test_general_rules_apply_to_all_and_others_to_their_type() -> None:
    general = a_rule(Identifier="GR-VN-0001", CertificateType="General", Logic=False)
    rules = load_acceptance([a_rule(Logic=False)])
    assert judge(rules, {}, TEST) == Open(())
    assert isinstance(judge(load_acceptance([a_rule(), general]), {}, TEST), Failed)


@pytest.mark.parametrize(
    ("day", "expected"), [(30, "1.2.0"), (1, "1.10.0"), (15, "1.10.0"), (16, "1.2.0")]
)
def test_the_newest_version_that_is_valid_counts(day: int, expected: str) -> None:
    rules = load_acceptance(
        [
            a_rule(Version="1.2.0"),
            a_rule(
                Version="1.10.0", ValidFrom="2021-10-01T00:00:00Z", ValidTo="2021-10-15T00:00:00Z"
            ),
        ]
    )
    month = 9 if day == 30 else 10
    (rule,) = rules.applying(VACCINATION, at(datetime(2021, month, day, tzinfo=UTC)))
    assert ".".join(map(str, rule.version)) == expected


def test_no_rule_that_is_valid_leaves_it_open() -> None:
    late = at(datetime(2022, 1, 1, tzinfo=UTC))
    assert judge(load_acceptance([a_rule()]), {"dn": 2}, now=late) == Open(())
    assert judge(load_acceptance([]), {"dn": 2}) == Open(())


def test_invalidation_rules_are_for_what_their_country_issued() -> None:
    own = a_rule(Identifier="IR-SK-0001", Type="Invalidation", Country="SK", Logic=False)
    rules = load_acceptance([a_rule(), own])
    assert judge(rules, {"dn": 2}, issuer="AT") == Fulfilled()
    assert isinstance(judge(rules, {"dn": 2}, issuer="SK"), Failed)


def test_rules_of_a_region_are_for_that_region() -> None:
    rules = load_acceptance([a_rule(), a_rule(Identifier="VR-VN-0002", Region="SG", Logic=False)])
    assert judge(rules, {"dn": 2}) == Fulfilled()
    assert isinstance(judge(rules, {"dn": 2}, region="SG"), Failed)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [("1.3.0", Fulfilled()), ("1.2.9", Open(("VR-VN-0001",))), ("2.0.0", Open(("VR-VN-0001",)))],
)
def test_a_rule_for_a_newer_schema_is_open(schema: str, expected: object) -> None:
    rules = load_acceptance([a_rule(SchemaVersion="1.3.0")])
    assert judge(rules, {"dn": 2, "ver": schema}) == expected


def test_rules_see_clock_countries_and_the_certificates_own_times() -> None:
    wanted = {
        "validationClock": "2021-09-20T00:00:00Z",
        "countryCode": "VN",
        "issuerCountryCode": "AT",
        "iat": "1970-01-01T00:00:01Z",
        "exp": "1970-01-01T00:00:02Z",
    }
    for name, value in wanted.items():
        rules = load_acceptance([a_rule(Logic={"===": [{"var": f"external.{name}"}, value]})])
        told: dict[str, Any] = {
            "issuer": "AT",
            "issued_ns": 1_000_000_000,
            "expires_ns": 2_000_000_000,
        }
        assert judge(rules, {}, **told) == Fulfilled(), name


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.pop("Logic"),
        lambda r: r.update(Logic={"or": [True, False]}),
        lambda r: r.update(Logic={"var": ["payload"]}),
        lambda r: r.update(Identifier="VR-VN-1"),
        lambda r: r.update(Identifier="VR-VN-0001\n"),
        lambda r: r.update(Type="Wish"),
        lambda r: r.update(Country="vn"),
        lambda r: r.update(Version="1.0"),
        lambda r: r.update(Engine="JSONLOGIC"),
        lambda r: r.update(EngineVersion="9.0.0"),
        lambda r: r.update(CertificateType="Vaccine"),
        lambda r: r.update(Description=[]),
        lambda r: r.update(ValidFrom="2021-07-01T00:00:00"),
        lambda r: r.update(ValidTo="soon"),
        lambda r: r.update(Unknown=1),
    ],
)
def test_a_bad_rule_stops_the_load_and_is_named(change: Change) -> None:
    bad = a_rule(Identifier="VR-VN-0002")
    change(bad)
    with pytest.raises(RulebookError, match=r"VR-VN-(0002|0001|1)") as refused:
        load_acceptance(json.dumps([a_rule(), bad]).encode())
    assert refused.value.hint


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[1]", b"[" * 100_000, b"\xff", json.dumps([a_rule(), a_rule()]).encode()],
)
def test_a_document_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(RulebookError):
        load_acceptance(data)


def test_too_many_rules_are_refused() -> None:
    with pytest.raises(RulebookError, match="limit"):
        load_acceptance([a_rule()] * (MAX_RULES + 1))


def test_a_reduce_inside_another_one_is_refused_at_load() -> None:
    inner = {"reduce": [{"var": "current"}, {"+": [{"var": "accumulator"}, 1]}, 0]}
    bomb = {"reduce": [{"var": "payload.v"}, inner, 0]}
    with pytest.raises(RulebookError, match="steps"):
        load_acceptance([a_rule(Logic=bomb)])


def test_value_sets_in_both_forms() -> None:
    simple = {"a": ["1", "2"], "b": []}
    listed = [{"valueSetId": k, "valueSetValues": {c: {} for c in v}} for k, v in simple.items()]
    assert load_value_sets(json.dumps(simple).encode()) == simple
    assert load_value_sets(json.dumps(listed).encode()) == simple
    for bad in (b"1", b"[1]", b'{"a": 1}', b'{"a": [1]}', b"{", b"[" * 9_000):
        with pytest.raises(RulebookError):
            load_value_sets(bad)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["var", "if", "and", "in", "plusTime", "reduce", "===", "x"]), inner
        )
    ),
    max_leaves=10,
)


@given(json_values, json_values)
def test_any_logic_is_refused_at_load_or_judges_any_certificate(logic: Any, data: Any) -> None:
    try:
        rules = load_acceptance([a_rule(Logic=logic)])
    except RulebookError:
        return
    assert isinstance(judge(rules, data), Fulfilled | Failed | Open)


def _rules() -> list[Path]:
    return sorted(chot_data("certlogic", "eu-rules").glob("*/*/rule.json"))


@pytest.mark.data
def test_open_rules_of_the_eu_answer_as_their_own_tests_expect() -> None:
    rules = tests = 0
    evidence_of = {CertificateType.TEST: TEST, CertificateType.RECOVERY: RECOVERY}
    for file in _rules():
        acceptance = load_acceptance([json.loads(file.read_text())])
        (rule,) = acceptance.rules
        rules += 1
        for case in sorted((file.parent / "tests").glob("*.json")):
            content = json.loads(case.read_text())
            clock = content["external"].get("validationClock")
            now = (
                at(datetimes.parse(clock))
                if clock
                else Instant(rule.from_ns, 0, "boot", ClockTrust.SYNCHRONISED)
            )
            found = acceptance.judge(
                content["payload"],
                evidence_of.get(rule.certificate_type, VACCINATION),
                now,
                content["external"]["valueSets"],
            )
            assert isinstance(found, Fulfilled if content["expected"] else Failed), case
            tests += 1
    assert (rules, tests) == (104, 655)


@pytest.mark.data
def test_open_rules_of_the_eu_load_together_and_say_something_in_english() -> None:
    acceptance = load_acceptance([json.loads(file.read_text()) for file in _rules()])
    assert len(acceptance.rules) == 104
    assert all(rule.text.en for rule in acceptance.rules)
