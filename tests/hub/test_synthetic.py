"""Synthetic people: the same for the same seed, of every kind, nobody real, and read by the law."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime
from math import gcd

import pytest

from admission.credential import CredentialKind
from admission.credentials import parse
from admission.identity import IdentifierKind, identity_digester, normalise
from admission.standing import CredentialStatus, Permit, PersonFacts, TestResult
from hub import synthetic
from hub.samples import NOT_FOUND, UNRECOGNISED, json_lines, samples
from hub.synthetic import MAX_PEOPLE, Cohort, Population
from hub.synthetic_registers import MAX_WORKERS, permits, workers
from tests.worlds import a_reading

ON = date(2021, 9, 20)


def test_the_same_seed_gives_the_same_people() -> None:
    assert list(Population(7, 500, ON)) == list(Population(7, 500, ON))
    assert list(Population(7, 500, ON)) != list(Population(8, 500, ON))
    assert list(Population(7, 500, ON))[:50] == list(Population(7, 50, ON))
    line = next(json_lines(samples(Population(1, 1000, ON), 1, random.Random(1))))
    again = next(json_lines(samples(Population(1, 1000, ON), 1, random.Random(1))))
    assert line == again
    assert line.endswith(b"}\n")


def test_identifiers_are_unique_normal_and_nobodys() -> None:
    people = Population(3, 20_000, ON)
    known = [one.identifier for person in people for one in person.identifiers]
    assert len(set(known)) == 60_000
    for identifier in known[:600]:
        assert normalise(identifier.kind, identifier.value) == identifier
    documents = [one.value for one in known if one.kind is IdentifierKind.DOCUMENT]
    assert {value[:3] for value in documents} == {"000"}
    for index in (999_999, 1_000_000, 4_000_000, MAX_PEOPLE - 1):
        document = Population(3, 1, ON).resident(index).document
        assert len(document) == 12
        assert document[:3] == "000" or not 1 <= int(document[:3]) <= 96


@pytest.mark.parametrize(
    ("space", "step"),
    [
        (synthetic._PER_PROVINCE, synthetic._SERIAL_STEP),
        (synthetic._QID_SPACE, synthetic._QID_STEP),
        (synthetic._CODE_SPACE, synthetic._CODE_STEP),
    ],
)
def test_numbers_repeat_only_when_all_have_been_given_out(space: int, step: int) -> None:
    assert gcd(space, step) == 1


def test_document_numbers_follow_the_decree() -> None:
    population = Population(3, 300, ON)
    for index in range(300):
        holder = population.resident(index)
        century, year = int(holder.document[3]), int(holder.document[4:6])
        assert year == holder.born.year % 100
        assert century // 2 == holder.born.year // 100 - 19
        assert century % 2 == holder.female


def test_every_cohort_occurs_in_its_share() -> None:
    population = Population(11, 20_000, ON)
    shares = Counter(population.cohort(index) for index in range(population.size))
    for cohort, expected in (
        (Cohort.GREEN, 0.73),
        (Cohort.YELLOW, 0.13),
        (Cohort.NONE, 0.12),
        (Cohort.ISOLATED, 0.01),
        (Cohort.REVOKED, 0.01),
    ):
        assert shares[cohort] / population.size == pytest.approx(expected, rel=0.25)


def covered(facts: PersonFacts) -> bool:
    """Fully vaccinated for 14 days, or recovered within 150 days: written anew from the policy."""
    vaccinated = (
        facts.doses >= 2 and facts.last_dose is not None and (ON - facts.last_dose).days >= 14
    )
    return vaccinated or (facts.recovered is not None and (ON - facts.recovered).days <= 150)


def test_facts_are_of_their_cohort() -> None:
    population = Population(5, 5_000, ON)
    for person in population:
        cohort, facts = population.cohort(person.number), person.facts
        assert facts.born is not None
        assert facts.born < ON
        age = (ON - facts.born).days / 365.25
        fragile = facts.vulnerable or age >= 65
        assert (facts.isolation_until is not None) == (cohort is Cohort.ISOLATED)
        assert facts.isolation_until is None or facts.isolation_until > ON
        revoked = {one.status is CredentialStatus.REVOKED for one in person.identifiers}
        assert revoked == {cohort is Cohort.REVOKED}
        if cohort is Cohort.YELLOW:
            assert facts.doses == 1 or (covered(facts) and fragile)
        elif cohort is Cohort.NONE:
            assert not covered(facts)
            assert facts.doses != 1
        else:
            assert covered(facts)
            assert not fragile


def test_tests_and_declarations_belong_to_their_cohort() -> None:
    population = Population(5, 3_000, ON)
    midnight_h = int(datetime(2021, 9, 19, 17, tzinfo=UTC).timestamp()) // 3_600
    fresh = 0
    for person in population:
        facts, ill = person.facts, population.cohort(person.number) is Cohort.ISOLATED
        assert facts.tested_h is not None
        assert facts.declared_h is not None
        assert facts.test_result is (TestResult.POSITIVE if ill else TestResult.NEGATIVE)
        assert not facts.symptoms
        assert facts.exposure == ill
        assert max(facts.tested_h, facts.declared_h) < midnight_h
        fresh += midnight_h - facts.tested_h < 72
    assert fresh / population.size == pytest.approx(0.8, abs=0.05)


def test_the_digest_on_record_is_of_the_name_that_the_codes_declare() -> None:
    digest = identity_digester(bytes(32))
    population = Population(5, 200, ON, digest)
    for person in population:
        holder = population.resident(person.number)
        assert person.facts.identity == digest(holder.name, holder.born)
    for sample in samples(population, 100, random.Random(4)):
        credential = parse(a_reading(sample.text))
        if credential.holder and credential.holder.born and sample.expected in set(Cohort):
            known = {one.identifier: p for p in population for one in p.identifiers}
            facts = known[credential.identifiers[0]].facts
            assert digest(credential.holder.name, credential.holder.born) == facts.identity


def test_permits_and_a_roster_are_of_people_on_record() -> None:
    population = Population(5, 1_000, ON)
    known = {one.identifier for person in population for one in person.identifiers}
    now_h = population.midnight_h + 12
    current = expired = 0
    for row in permits(population):
        assert set(row.identifiers) <= known
        assert isinstance(row.entry, Permit)
        assert row.entry.until_h - row.entry.from_h == 72
        current += row.entry.from_h <= now_h < row.entry.until_h
        expired += row.entry.until_h <= now_h
    assert (current, expired) == pytest.approx((600, 100), rel=0.25)
    rows = list(workers(population))
    assert len(rows) == MAX_WORKERS
    assert len({row.key for row in rows}) == MAX_WORKERS
    assert all(set(row.identifiers) <= known for row in rows)


def test_samples_are_what_they_say() -> None:
    population = Population(9, 3_000, ON)
    on_record = {one.identifier: p.number for p in population for one in p.identifiers}
    seen = Counter()
    for sample in samples(population, 1_500, random.Random(4)):
        assert "\n" not in sample.text
        assert sample.text.isprintable()
        credential = parse(a_reading(sample.text))
        assert credential.kind is sample.kind
        numbers = {on_record.get(identifier) for identifier in credential.identifiers}
        if sample.expected in {NOT_FOUND, UNRECOGNISED}:
            assert numbers <= {None}
            assert (sample.kind is CredentialKind.UNRECOGNISED) == (not numbers)
        else:
            (number,) = numbers
            assert number is not None
            assert population.cohort(number).value == sample.expected
        seen[sample.expected] += 1
    assert set(seen) == {*Cohort, NOT_FOUND, UNRECOGNISED}


def test_a_tiny_population_still_gives_samples() -> None:
    assert len(list(samples(Population(1, 1, ON), 30, random.Random(1)))) == 30


@pytest.mark.parametrize("size", [0, -1, MAX_PEOPLE + 1])
def test_impossible_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="people"):
        Population(1, size, ON)
