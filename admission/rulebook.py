"""Rulebooks: an authority's rules as data, checked once at load and asked at the gate.

A rulebook is one JSON object, format `chot-rulebook/1`:

| key | content |
|---|---|
| `format` | `"chot-rulebook/1"` |
| `id`, `version` | name (`a-z`, `0-9`, `-`) and number from 1; both go into every journal entry |
| `title` | `{"vi", "en"}` |
| `replica_max_age_h` | hours after which knowledge the hub has not vouched for again is stale |
| `products` | product → `{"doses", "waiting_days"}`: what a full course is |
| `terms` | optional list of `{"name", "when"}`: conditions, later ones may use earlier ones |
| `cards` | list of `{"card", "when"}`: the first that is true gives the card, else `none` |
| `access` | list of `{"directive", "card", "places", "condition"?}`: what a card opens |
| `no_card` | place → `refer` or `refuse`: nobody's card opens it for this person |
| `no_record` | place → `refer` or `refuse`: a sound code that the replica does not know |

`when` is CertLogic 1.3.3 (`certlogic`) over the facts that `facts.rule_data` documents (`payload`,
`external`) and the terms before it (`terms.<name>`), and yields a boolean. `condition` is what the
card asks of its holder inside, `{"vi", "en"}`. A row of `access` for the card `none` lets in who
has no card: essential needs, where an authority allows them.

A rulebook that loads answers every question: each place stands in both tables, each card has a
rule, no two rows of `access` answer the same question, each rule names facts that exist and has
been tried on every pattern of missing facts. What is wrong is refused at load, never at the gate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import product
from typing import Any

import msgspec

from admission import certlogic, rulebook_format
from admission.certlogic import Rule, truth
from admission.errors import RulebookError, RuleError
from admission.facts import EXTERNAL, PAYLOAD, Course, rule_data
from admission.rulebook_format import RulebookForm
from admission.site import Place
from admission.standing import PersonFacts, Product
from admission.verdict import Card, Outcome, Text

MAX_RULE_STEPS = 1_000
"""Steps of one rule: with all that a rulebook may hold, a decision stays within milliseconds."""


class Access(msgspec.Struct, frozen=True, gc=False):
    """An opened door: what the card asks of its holder inside, or nothing."""

    condition: Text | None = None


class Rulebook(msgspec.Struct, frozen=True):
    """A rulebook that has passed its checks, rules compiled. `load_rulebook` makes it."""

    id: str
    version: int
    title: Text
    replica_max_age_ns: int
    courses: Mapping[Product, Course]
    terms: tuple[tuple[str, Rule], ...]
    cards: tuple[tuple[Card, Rule], ...]
    access: Mapping[tuple[int, Card, Place], Access]
    directives: frozenset[int]
    no_card: Mapping[Place, Outcome]
    no_record: Mapping[Place, Outcome]

    @property
    def label(self) -> str:
        """Identifier and version, as they stand in a journal entry: `hcmc-2021-09/1`."""
        return f"{self.id}/{self.version}"

    def card_of(self, facts: PersonFacts, today: date) -> Card:
        """Return the person's card on that day: the first whose rule is true, else NONE.

        :raises RuleError: if a rule cannot be evaluated. Loading has tried every pattern of missing
            facts, so this is left to values that no release should hold.
        """
        data = rule_data(facts, self.courses, today)
        terms: dict[str, bool] = {}
        data["terms"] = terms
        for name, rule in self.terms:
            terms[name] = truth(rule(data))
        for card, rule in self.cards:
            if truth(rule(data)):
                return card
        return Card.NONE

    def opening(self, directive: int, card: Card, place: Place) -> Access | None:
        """Return the access row for a card at a place under a directive; None = it stays shut."""
        return self.access.get((directive, card, place))


def load_rulebook(data: bytes) -> Rulebook:
    """Return the rulebook of a `chot-rulebook/1` file.

    :raises RulebookError: if it is malformed, incomplete or contradicts itself; the hint names the
        JSON path of what is wrong.
    """
    form = rulebook_format.read(data)
    rulebook = Rulebook(
        id=form.id,
        version=form.version,
        title=form.title.text(),
        replica_max_age_ns=form.replica_max_age_h * 3_600_000_000_000,
        courses=_courses(form),
        terms=_terms(form),
        cards=_cards(form),
        access=_access(form),
        directives=frozenset(row.directive for row in form.access),
        no_card=_by_place(form.no_card, "$.no_card"),
        no_record=_by_place(form.no_record, "$.no_record"),
    )
    _try_rules(rulebook)
    return rulebook


def _courses(form: RulebookForm) -> dict[Product, Course]:
    products = {p.name.lower(): p for p in Product if p is not Product.NONE}
    unknown = sorted(set(form.products) - set(products))
    if unknown:
        msg = f"unknown product {unknown[0]!r}"
        raise _wrong(msg, "$.products")
    return {products[n]: Course(row.doses, row.waiting_days) for n, row in form.products.items()}


def _terms(form: RulebookForm) -> tuple[tuple[str, Rule], ...]:
    terms: list[tuple[str, Rule]] = []
    for i, term in enumerate(form.terms):
        known = [name for name, _ in terms]
        if term.name in known:
            msg = f"the term {term.name!r} is defined twice"
            raise _wrong(msg, f"$.terms[{i}].name")
        terms.append((term.name, _rule(term.when, known, f"$.terms[{i}].when")))
    return tuple(terms)


def _cards(form: RulebookForm) -> tuple[tuple[Card, Rule], ...]:
    missing = {Card.GREEN, Card.YELLOW} - {row.card for row in form.cards}
    if missing:
        msg = f"no rule gives the card {min(missing)}"
        raise _wrong(msg, "$.cards")
    if any(row.card is Card.NONE for row in form.cards):
        raise _wrong("'none' is what is left where no rule is true: it has no rule", "$.cards")
    known = [term.name for term in form.terms]
    return tuple(
        (row.card, _rule(row.when, known, f"$.cards[{i}].when")) for i, row in enumerate(form.cards)
    )


def _rule(expression: Any, terms: Sequence[str], path: str) -> Rule:
    """Return the compiled rule, its data paths checked: a misspelt fact would be null for ever."""
    try:
        rule = certlogic.compile_rule(expression, MAX_RULE_STEPS)
    except RuleError as error:
        raise _wrong(str(error), path) from error
    known = {f"payload.{n}" for n in PAYLOAD} | {f"external.{n}" for n in EXTERNAL}
    known.update(f"terms.{name}" for name in terms)
    for used in certlogic.paths(expression):
        if used not in known:
            msg = f"{used!r} is no fact and no term above it"
            raise _wrong(msg, path)
    return rule


def _access(form: RulebookForm) -> dict[tuple[int, Card, Place], Access]:
    access: dict[tuple[int, Card, Place], Access] = {}
    for i, row in enumerate(form.access):
        opened = Access(row.condition.text() if row.condition else None)
        for place in row.places:
            key = (row.directive, row.card, place)
            if key in access:
                msg = f"directive {row.directive}, {row.card}, {place} is answered twice"
                raise _wrong(msg, f"$.access[{i}].places")
            access[key] = opened
    return access


def _by_place(table: Mapping[Place, str], path: str) -> dict[Place, Outcome]:
    missing = [place for place in Place if place not in table]
    if missing:
        msg = f"no answer for {missing[0]}"
        raise _wrong(msg, path)
    return {place: Outcome(answer) for place, answer in table.items()}


def _try_rules(rulebook: Rulebook) -> None:
    """Evaluate every rule over every pattern of missing, past and future facts."""
    day = date(2021, 9, 20)
    days = [None, day - timedelta(days=100), day + timedelta(days=5)]
    products = [Product.NONE, Product.OTHER, *list(rulebook.courses)[:1]]
    for doses, kind, last_dose, recovered, born, vulnerable in product(
        range(4), products, days, days, [None, date(1950, 1, 1), date(2000, 2, 29)], [False, True]
    ):
        facts = PersonFacts(
            doses=doses,
            product=kind,
            last_dose=last_dose,
            recovered=recovered,
            born=born,
            vulnerable=vulnerable,
        )
        try:
            rulebook.card_of(facts, day)
        except RuleError as error:
            msg = f"the rules fail for {facts}: {error}"
            raise RulebookError(
                msg, hint="see $.terms, $.cards: test for null with 'if'"
            ) from error


def _wrong(message: str, path: str) -> RulebookError:
    return RulebookError(f"the rulebook is wrong at {path}: {message}", hint=f"see {path}")
