"""Loading a rulebook: every check that there is, so that the gate has none left to make.

A rulebook that loads answers every question: each place stands in both tables, each card has a
rule, no two rows of `access` answer the same question, each rule names facts that exist and has
been tried on every pattern of missing facts. What is wrong is refused at load, never at the gate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import msgspec

from admission import certlogic, rulebook_format
from admission.acceptance import Acceptance, load_acceptance
from admission.acceptance_format import load_value_sets
from admission.certlogic import Rule
from admission.credential import PassKind
from admission.errors import RulebookError, RuleError
from admission.facts import EXTERNAL, PAYLOAD, Course
from admission.instant import EPOCH
from admission.rulebook import NOTHING_NEEDED, Access, AntiPassback, Needs, Rulebook
from admission.rulebook_format import PassForm, RequirementForm, RulebookForm, wrong
from admission.rulebook_hints import MANUAL, choose
from admission.rulebook_trial import try_rules
from admission.site import Place
from admission.standing import Product
from admission.verdict import Card, Outcome, Words

MAX_RULE_STEPS = 1_000
"""Steps of one rule: with all that a rulebook may hold, a decision stays within milliseconds."""
DEFAULT_TEST_MAX_AGE_H = 72
DEFAULT_DECLARATION_MAX_AGE_H = 24


def load_rulebook(data: bytes) -> Rulebook:
    """Return the rulebook of a `chot-rulebook/1` file.

    :raises RulebookError: if it is malformed, incomplete or contradicts itself; the message names
        the JSON path of what is wrong, the hint what to do about it.
    """
    form = rulebook_format.read(data)
    acceptance, value_sets = _acceptance(form)
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
        starts_ns=_moment(form.effective.starts) if form.effective else None,
        ends_ns=_moment(form.effective.ends) if form.effective and form.effective.ends else None,
        districts=frozenset(form.districts),
        requirements=_requirements(form),
        passes=_passes(form),
        anti_passback=_anti_passback(form),
        acceptance=acceptance,
        value_sets=value_sets,
        certificate_card=Card(form.certificates.gives) if form.certificates.gives else None,
        words={r: Words(w.sentence.text(), w.next_step.text()) for r, w in form.texts.items()},
    )
    _check_period(rulebook)
    try_rules(form, rulebook)
    return rulebook


def _courses(form: RulebookForm) -> dict[Product, Course]:
    products = {p.name.lower(): p for p in Product if p is not Product.NONE}
    unknown = sorted(set(form.products) - set(products))
    if unknown:
        msg = f"unknown product {unknown[0]!r}"
        raise wrong(msg, "$.products", choose(unknown[0], products))
    return {products[n]: Course(row.doses, row.waiting_days) for n, row in form.products.items()}


def _terms(form: RulebookForm) -> tuple[tuple[str, Rule], ...]:
    terms: list[tuple[str, Rule]] = []
    for i, term in enumerate(form.terms):
        known = [name for name, _ in terms]
        if term.name in known:
            msg = f"the term {term.name!r} is defined twice"
            raise wrong(msg, f"$.terms[{i}].name")
        terms.append((term.name, _rule(term.when, known, f"$.terms[{i}].when")))
    return tuple(terms)


def _cards(form: RulebookForm) -> tuple[tuple[Card, Rule], ...]:
    used = {row.card for row in form.access}
    if form.certificates.gives:
        used.add(Card(form.certificates.gives))
    missing = used - {row.card for row in form.cards} - {Card.NONE}
    if missing:
        msg = f"no rule gives the card {min(missing)}, which 'access' or 'certificates' name"
        raise wrong(msg, "$.cards", "add a rule for it, or leave its rows out of 'access'")
    if any(row.card is Card.NONE for row in form.cards):
        msg = "'none' is what is left where no rule is true: it has no rule"
        raise wrong(msg, "$.cards", "leave the row out")
    known = [term.name for term in form.terms]
    return tuple(
        (row.card, _rule(row.when, known, f"$.cards[{i}].when")) for i, row in enumerate(form.cards)
    )


def _rule(expression: Any, terms: Sequence[str], path: str) -> Rule:
    """Return the compiled rule, its data paths checked: a misspelt fact would be null for ever."""
    try:
        rule = certlogic.compile_rule(expression, MAX_RULE_STEPS, path)
    except RuleError as error:
        raise wrong(str(error), path, error.hint or MANUAL) from error
    known = [f"payload.{n}" for n in sorted(PAYLOAD)] + [f"external.{n}" for n in EXTERNAL]
    known += [f"terms.{name}" for name in terms]
    for used in certlogic.paths(expression):
        if used not in known:
            msg = f"{used[:64]!r} is no fact and no term above it"
            raise wrong(msg, path, choose(used, known))
    return rule


def _access(form: RulebookForm) -> dict[tuple[int, Card, Place], Access]:
    access: dict[tuple[int, Card, Place], Access] = {}
    for i, row in enumerate(form.access):
        opened = Access(row.condition.text() if row.condition else None)
        for place in row.places:
            key = (row.directive, row.card, place)
            if key in access:
                msg = f"directive {row.directive}, {row.card}, {place} is answered twice"
                raise wrong(msg, f"$.access[{i}].places")
            access[key] = opened
    return access


def _requirements(form: RulebookForm) -> dict[tuple[int | None, Place], Needs]:
    needed: dict[tuple[int | None, Place], Needs] = {}
    asked: set[tuple[int | None, Place, str]] = set()
    known = {row.directive for row in form.access}
    for i, row in enumerate(form.requirements):
        if row.max_age_h is not None and row.needs in {"permit", "roster"}:
            raise wrong("a permit and a roster have no age", f"$.requirements[{i}].max_age_h")
        for directive, place in product(_directives(row), row.places):
            if directive is not None and directive not in known:
                msg = f"no row of 'access' is for directive {directive}"
                raise wrong(msg, f"$.requirements[{i}].directives")
            if (directive, place, row.needs) in asked:
                msg = f"a {row.needs} at {place} is asked for twice"
                raise wrong(msg, f"$.requirements[{i}].places")
            asked.add((directive, place, row.needs))
            needed[directive, place] = _with(needed.get((directive, place), NOTHING_NEEDED), row)
    return needed


def _directives(row: RequirementForm | PassForm) -> Sequence[int | None]:
    return row.directives or (None,)


def _with(needs: Needs, row: RequirementForm) -> Needs:
    replace = msgspec.structs.replace
    match row.needs:
        case "declaration":
            return replace(
                needs, declaration_max_age_h=row.max_age_h or DEFAULT_DECLARATION_MAX_AGE_H
            )
        case "test":
            return replace(needs, test_max_age_h=row.max_age_h or DEFAULT_TEST_MAX_AGE_H)
        case "permit":
            return replace(needs, permit=True)
        case _:
            return replace(needs, roster=True)


def _passes(form: RulebookForm) -> frozenset[tuple[int | None, PassKind, Place]]:
    return frozenset(
        (directive, PassKind(row.kind), place)
        for row in form.passes
        for directive, place in product(_directives(row), row.places)
    )


def _anti_passback(form: RulebookForm) -> AntiPassback:
    row = form.anti_passback
    if row is None:
        return AntiPassback()
    return AntiPassback(
        row.window_s * 1_000_000_000,
        frozenset(row.except_kinds),
        frozenset(row.except_passes),
        frozenset(row.except_places),
    )


def _acceptance(form: RulebookForm) -> tuple[Acceptance | None, dict[str, list[str]]]:
    rules = form.certificates.rules
    if form.certificates.gives and not rules:
        raise wrong("without rules even a positive test would give a card", "$.certificates.gives")
    try:
        value_sets = load_value_sets(msgspec.json.encode(form.certificates.value_sets))
        return (load_acceptance(rules) if rules else None), value_sets
    except RulebookError as error:
        raise wrong(str(error), "$.certificates", error.hint or MANUAL) from error


def _check_period(rulebook: Rulebook) -> None:
    starts, ends = rulebook.starts_ns, rulebook.ends_ns
    if starts is not None and ends is not None and ends <= starts:
        raise wrong("it ends before it begins", "$.effective.until")


def _moment(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1) * 1_000


def _by_place(table: Mapping[Place, str], path: str) -> dict[Place, Outcome]:
    missing = [place for place in Place if place not in table]
    if missing:
        msg = f"no answer for {missing[0]}"
        raise wrong(msg, path, f"every place has one; add {', '.join(missing)}: refer or refuse")
    return {place: Outcome(answer) for place, answer in table.items()}
