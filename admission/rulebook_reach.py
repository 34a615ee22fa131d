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

from admission.errors import RulebookError
from admission.rulebook import Rulebook
from admission.rulebook_format import RulebookForm
from admission.rulebook_trial import ask
from admission.site import Place
from admission.standing import PersonFacts, Product
from admission.verdict import Card

DAY = date(2021, 9, 20)
"""The day on which the combinations are asked: rules see days and months, not the year."""
MAX_COMBINATIONS = 500_000


class Reach(msgspec.Struct, frozen=True):
    """What was found. Each entry is a JSON path and what is the matter there.

    `unreachable` are rules that no combination of facts makes true (or none makes false), and rows
    that no card, product or directive leads to; `gaps` are facts that a rule fails on. `notes` are
    no mistakes: what the authority should have meant, such as a place that is closed for everybody.
    """

    combinations: int
    unreachable: tuple[tuple[str, str], ...] = ()
    gaps: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


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
    gaps: dict[tuple[str, str], None] = {}
    for person in people:
        try:
            answers = ask(form, rulebook, person, DAY)
        except RulebookError as error:
            if len(gaps) < 3:
                gaps["$.cards", str(error)] = None
            continue
        given.add(answers.card)
        for name, value in answers.terms.items():
            terms[name].add(value)
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
    return Reach(len(people), tuple(unreachable), tuple(gaps), tuple(_notes(rulebook)))


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


def _notes(rulebook: Rulebook) -> Iterator[tuple[str, str]]:
    opened = {(directive, place) for directive, _, place in rulebook.access}
    ever = {place for _, place in opened}
    every = sorted(rulebook.directives)
    yield from _closed(rulebook, every, [place for place in Place if place not in ever])
    for directive in every:
        shut = [place for place in Place if place in ever and (directive, place) not in opened]
        yield from _closed(rulebook, [directive], shut)
    used = {card for _, card, _ in rulebook.access}
    for i, (card, _) in enumerate(rulebook.cards):
        if card not in used:
            yield f"$.cards[{i}]", f"the {card} card opens nothing"


def _closed(
    rulebook: Rulebook, directives: list[int], places: list[Place]
) -> Iterator[tuple[str, str]]:
    """Say which places no card opens, those apart that a pass opens."""
    with_pass = {
        place
        for directive, _, place in rulebook.passes
        if directive is None or directive in directives
    }
    under = f"under directive{'s' if len(directives) > 1 else ''} {', '.join(map(str, directives))}"
    if shut := [place for place in places if place not in with_pass]:
        yield "$.access", f"closed for everybody {under}: {', '.join(shut)}"
    if shut := [place for place in places if place in with_pass]:
        yield "$.access", f"only a pass opens, {under}: {', '.join(shut)}"


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
