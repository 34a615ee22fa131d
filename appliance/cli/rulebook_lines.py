"""Parts of a rulebook as lines that a person reads, one line per row of the file."""

from __future__ import annotations

from collections.abc import Iterator

from admission.certlogic_words import Language
from admission.rulebook_format import RulebookForm, TextForm
from admission.site import Place
from appliance.cli.rulebook_words import place_word, word


def course_lines(form: RulebookForm, language: Language) -> Iterator[str]:
    """Yield what a full course of each product is."""
    for name, course in form.products.items():
        yield (
            f"{word('course', language)}, {name}: {course.doses} {word('doses', language)}, "
            f"{course.waiting_days} {word('days', language)}"
        )


def need_lines(form: RulebookForm, language: Language) -> Iterator[str]:
    """Yield what places ask for beside the card."""
    for row in form.requirements:
        age = f" ≤ {row.max_age_h} h" if row.max_age_h else ""
        yield f"{word(row.needs, language)}{age}: {_scope(row.places, row.directives, language)}"


def pass_lines(form: RulebookForm, language: Language) -> Iterator[str]:
    """Yield where a pass is enough."""
    for one in form.passes:
        scope = _scope(one.places, one.directives, language)
        yield f"{word(one.kind, language)} {word('enough', language)}: {scope}"


def anti_passback_lines(form: RulebookForm, language: Language) -> Iterator[str]:
    """Yield the window of anti-passback, and for whom it is not so."""
    row = form.anti_passback
    if row is None:
        return
    places = [place_word(place, language) for place in row.except_places]
    excepted = ", ".join([*row.except_kinds, *row.except_passes, *places])
    but = f"; {word('except', language)} {excepted}" if excepted else ""
    yield f"{word('anti_passback', language)}: {row.window_s}{but}"


def certificate_lines(form: RulebookForm, language: Language) -> Iterator[str]:
    """Yield what certificates must fulfil, and what they give."""
    row = form.certificates
    says = [word("facts_count", language)]
    if row.rules:
        says.append(f"{word('rules', language)}: {len(row.rules)} ({_identifiers(row.rules)})")
    if row.value_sets:
        says.append(f"{word('value_sets', language)}: {', '.join(map(str, row.value_sets))}")
    if row.gives:
        says.append(f"{word('gives', language)} {word(row.gives, language).lower()}")
    yield f"{word('certificates', language)}: {'; '.join(says)}"


def text_lines(form: RulebookForm, language: Language) -> Iterator[str]:
    """Yield the authority's own words, reason by reason."""
    for reason, words in form.texts.items():
        yield f"{reason}: {_said(words.sentence, language)} {_said(words.next_step, language)}"


def _identifiers(rules: list[object]) -> str:
    return ", ".join(str(rule.get("Identifier")) for rule in rules if isinstance(rule, dict))


def _said(text: TextForm, language: Language) -> str:
    return text.vi if language == "vi" else text.en


def _scope(places: list[Place], directives: list[int] | None, language: Language) -> str:
    names = ", ".join(place_word(place, language) for place in places)
    if not directives:
        return names
    return f"{names} ({word('directive', language)} {', '.join(map(str, directives))})"
