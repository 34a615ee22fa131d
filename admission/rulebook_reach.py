"""What a rulebook's rules reach: rows that nothing can reach, and facts that nothing answers.

The rules are asked for every combination of facts that they could tell apart: of each number that
a rule compares with, itself and its two neighbours; of each date none, one ahead and one long ago.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from typing import Any

import msgspec

from admission.certlogic import truth
from admission.errors import RuleError
from admission.facts import rule_data
from admission.rulebook import Rulebook
from admission.rulebook_format import RulebookForm
from admission.site import Place
from admission.standing import PersonFacts, Product
from admission.verdict import Card

DAY = date(2021, 9, 20)
"""The day on which the combinations are asked: rules see days and months, not the year."""
MAX_COMBINATIONS = 500_000


class Reach(msgspec.Struct, frozen=True):
    """What was found. Each entry is a JSON path and what is the matter there.

    `unreachable` are rules that no combination of facts makes true (or none makes false), and rows
    that no card, product or directive leads to; `gaps` are facts that a rule fails on, and answers
    that are missing.
    """

    combinations: int
    unreachable: tuple[tuple[str, str], ...] = ()
    gaps: tuple[tuple[str, str], ...] = ()


def combinations(form: RulebookForm) -> list[PersonFacts]:
    """Return one record per combination of facts that the rules could tell apart."""
    numbers = _numbers([term.when for term in form.terms] + [card.when for card in form.cards])
    near = sorted({n + d for n in numbers if n <= 400 for d in (-1, 0, 1)} | {0, 1, 2})
    courses = form.products.values()
    doses = {0, 1, 2, 3} | {n for n in near if 0 <= n <= 10}
    doses |= {course.doses + d for course in courses for d in (-1, 0)}
    waits = {0, 1} | {course.waiting_days + d for course in courses for d in (-1, 0, 1)}
    waits |= {n for n in near if n > 10}
    products = [Product.NONE, Product.OTHER, *(Product[name.upper()] for name in form.products)]
    last = [None, DAY + timedelta(days=5), *(DAY - timedelta(days=n) for n in sorted(waits))]
    months = {n for n in near if 0 <= n <= 36}
    recovered = [None, DAY + timedelta(days=5), *(_months_ago(n) for n in sorted(months))]
    years = {n for n in near if 3 <= n <= 120} | {30}
    born = [None, *(_years_ago(n) for n in sorted(years))]
    axes = (sorted(doses), products, last, recovered, born, [False, True])
    return [
        PersonFacts(
            doses=d, product=p, last_dose=when, recovered=r, born=b, vulnerable=v, district=1
        )
        for d, p, when, r, b, v in _bounded(product(*axes))
    ]


def reach(form: RulebookForm, rulebook: Rulebook, people: list[PersonFacts]) -> Reach:
    """Return what the rules reach over these records (`combinations`)."""
    terms: dict[str, set[bool]] = {name: set() for name, _ in rulebook.terms}
    given: set[int] = set()
    gaps: list[tuple[str, str]] = []
    for person in people:
        try:
            given.add(_first_card(rulebook, person, terms))
        except RuleError as error:
            if len(gaps) < 3:
                gaps.append(("$.cards", f"no answer for {_named(person)}: {error}"))
    unreachable = [
        (f"$.terms[{i}]", f"“{name}” is always {'true' if True in seen else 'false'}")
        for i, (name, seen) in enumerate(terms.items())
        if len(seen) == 1
    ]
    unreachable += [
        (f"$.cards[{i}]", f"no facts give this {card} card: a rule above answers first")
        for i, (card, _) in enumerate(rulebook.cards)
        if i not in given
    ]
    unreachable += _idle_rows(form, {rulebook.cards[i][0] for i in given if i >= 0})
    gaps += _missing_rows(rulebook)
    return Reach(len(people), tuple(unreachable), tuple(gaps))


def _first_card(rulebook: Rulebook, person: PersonFacts, seen: dict[str, set[bool]]) -> int:
    """Return which rule gives the card, -1 for none, and note what the terms said."""
    data = rule_data(person, rulebook.courses, DAY)
    values: dict[str, bool] = {}
    data["terms"] = values
    for name, rule in rulebook.terms:
        values[name] = truth(rule(data))
        seen[name].add(values[name])
    for i, (_, rule) in enumerate(rulebook.cards):
        if truth(rule(data)):
            return i
    return -1


def _idle_rows(form: RulebookForm, cards: set[Card]) -> Iterator[tuple[str, str]]:
    for i, row in enumerate(form.access):
        if row.card is not Card.NONE and row.card not in cards:
            yield f"$.access[{i}]", f"nobody has a {row.card} card"
    open_to = {(row.directive, place) for row in form.access for place in row.places}
    let_in = {(None, p) for row in form.passes for p in row.places}
    for i, need in enumerate(form.requirements):
        for place in need.places:
            directives = need.directives or sorted({row.directive for row in form.access})
            closed = not any((d, place) in open_to for d in directives)
            if closed and (None, place) not in let_in:
                yield f"$.requirements[{i}]", f"no card opens {place}: nothing is left to ask for"


def _missing_rows(rulebook: Rulebook) -> Iterator[tuple[str, str]]:
    """Places that no card opens under a directive: said by nobody, so closed for everybody."""
    for directive in sorted(rulebook.directives):
        for place in Place:
            if not any(rulebook.opening(directive, card, place) for card in Card):
                text = f"under directive {directive} no card opens {place}: closed for everybody"
                yield "$.access", text


def _numbers(expression: Any) -> set[int]:
    """Return every whole number that is written in these expressions."""
    if isinstance(expression, bool):
        return set()
    if isinstance(expression, int):
        return {expression}
    if isinstance(expression, dict):
        expression = list(expression.values())
    if isinstance(expression, list):
        return set().union(*(_numbers(item) for item in expression))
    return set()


def _bounded(records: Iterator[Any]) -> Iterator[Any]:
    for n, record in enumerate(records):
        if n >= MAX_COMBINATIONS:
            return
        yield record


def _months_ago(months: int) -> date:
    years, month = divmod(DAY.month - 1 - months, 12)
    return date(DAY.year + years, month + 1, DAY.day)


def _years_ago(years: int) -> date:
    return DAY.replace(year=DAY.year - years)


def _named(person: PersonFacts) -> str:
    said = {
        name: value
        for name, value in msgspec.structs.asdict(person).items()
        if value not in {None, 0}
    }
    return ", ".join(f"{name} {value}" for name, value in said.items()) or "no facts at all"
