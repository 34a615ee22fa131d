"""Asking a rulebook's rules one after the other, so that one that fails is named with its facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from typing import Any

import msgspec

from admission import certlogic
from admission.certlogic import truth
from admission.certlogic_words import fact_word
from admission.errors import RulebookError, RuleError
from admission.facts import rule_data
from admission.rulebook import Rulebook
from admission.rulebook_format import RulebookForm, wrong
from admission.standing import PersonFacts, Product


class Answers(msgspec.Struct, frozen=True):
    """What the rules said of one person: every term, and each card's rule up to the first true."""

    terms: dict[str, bool]
    cards: list[Any]

    @property
    def card(self) -> int:
        """Which rule gives the card, -1 for none."""
        return len(self.cards) - 1 if self.cards and truth(self.cards[-1]) else -1


def ask(form: RulebookForm, rulebook: Rulebook, person: PersonFacts, today: date) -> Answers:
    """Return what the rules say, in the order in which the gate asks them.

    :raises RulebookError: if one fails; the message names it, and the facts that it reads.
    """
    data = rule_data(person, rulebook.courses, today)
    terms: dict[str, bool] = {}
    cards: list[Any] = []
    data["terms"] = terms
    at = "$"
    try:
        for i, (name, rule) in enumerate(rulebook.terms):
            at = f"$.terms[{i}].when"
            terms[name] = truth(rule(data))
        for i, (_, rule) in enumerate(rulebook.cards):
            at = f"$.cards[{i}].when"
            cards.append(rule(data))
            if truth(cards[-1]):
                break
    except RuleError as error:
        row = len(cards) if at.startswith("$.cards") else len(terms)
        rows = form.cards if at.startswith("$.cards") else form.terms
        raise _failed(at, rows[min(row, len(rows) - 1)].when, data, error) from error
    return Answers(terms, cards)


def try_rules(form: RulebookForm, rulebook: Rulebook) -> None:
    """Ask every rule over every pattern of missing, past and future facts.

    :raises RulebookError: if one fails, or a card's rule never says true or false.
    """
    day = date(2021, 9, 20)
    said: dict[int, set[type]] = {}
    for person in _people(rulebook, day):
        for i, value in enumerate(ask(form, rulebook, person, day).cards):
            said.setdefault(i, set()).add(type(value))
    for i, types in said.items():
        if bool not in types:
            msg = "the rule never says true or false, only what it read"
            hint = 'compare it, or write {"if": [rule, true, false]}'
            raise wrong(msg, f"$.cards[{i}].when", hint)


def _people(rulebook: Rulebook, day: date) -> Iterator[PersonFacts]:
    days = [None, day - timedelta(days=100), day + timedelta(days=5)]
    products = [Product.NONE, Product.OTHER, *list(rulebook.courses)[:1]]
    for doses, kind, last_dose, recovered, born, vulnerable in product(
        range(4), products, days, days, [None, date(1950, 1, 1), date(2000, 2, 29)], [False, True]
    ):
        yield PersonFacts(
            doses=doses,
            product=kind,
            last_dose=last_dose,
            recovered=recovered,
            born=born,
            vulnerable=vulnerable,
        )


def _failed(at: str, rule: Any, data: dict[str, Any], error: RuleError) -> RulebookError:
    facts = [(path, _value(data, path)) for path in dict.fromkeys(certlogic.paths(rule))]
    unknown = [path for path, value in facts if value is None]
    told = [f"{fact_word(path, 'en')} ({path}) is not known" for path in unknown]
    told += [
        f"{fact_word(path, 'en')} is {_said(value)}" for path, value in facts if value is not None
    ]
    where = f"where {', '.join(told)}, " if told else ""
    hint = "compare numbers with numbers, and dates by plusTime on both sides"
    if unknown:
        hint = f'ask for it first: {{"if": [{{"var": "{unknown[0]}"}}, rule, false]}}'
    return wrong(f"{where}the rule fails: {error}", at, hint)


def _value(data: dict[str, Any], path: str) -> Any:
    return certlogic.evaluate({"var": path}, data)


def _said(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
