"""What one rulebook changes against another: row by row, and for how many kinds of people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import product

import msgspec

from admission.certlogic_words import Language, in_words
from admission.rulebook import Rulebook
from admission.rulebook_format import RulebookForm
from admission.rulebook_reach import DAY, combinations
from admission.site import Place
from admission.verdict import Card, Outcome
from appliance.cli.rulebook_lines import (
    anti_passback_lines,
    certificate_lines,
    course_lines,
    need_lines,
    pass_lines,
    text_lines,
)
from appliance.cli.rulebook_words import place_word, word

Loaded = tuple[RulebookForm, Rulebook]
_IN_LINES: Mapping[str, Callable[[RulebookForm, Language], Iterator[str]]] = {
    "products": course_lines,
    "requirements": need_lines,
    "passes": pass_lines,
    "anti_passback": anti_passback_lines,
    "certificates": certificate_lines,
    "texts": text_lines,
}
_TOLD = {"cards", "terms", "access", "no_card", "no_record", "id", "version", "examples"}


def differences(old: Loaded, new: Loaded, language: Language) -> Iterator[str]:
    """Yield one line per change that somebody at a gate could notice."""
    yield from _rules(old[0], new[0], language)
    yield from _order(old[0], new[0])
    yield from _cards(old, new, language)
    yield from _answers(old[1], new[1], language)
    before, after = msgspec.to_builtins(old[0]), msgspec.to_builtins(new[0])
    for key in sorted(set(before) | set(after)):
        if key in _TOLD or before.get(key) == after.get(key):
            continue
        lines = list(_rows(old[0], new[0], key, language)) if key in _IN_LINES else []
        yield from lines
        if not lines:
            yield f"{key}: {_short(before.get(key))} → {_short(after.get(key))}"


def _rules(old: RulebookForm, new: RulebookForm, language: Language) -> Iterator[str]:
    for kind in ("term", "card"):
        was, now = _in_words(old, kind, language), _in_words(new, kind, language)
        for name in [*was, *(n for n in now if n not in was)]:
            if was.get(name) != now.get(name):
                yield f"{kind} “{name}”: {was.get(name, '—')} → {now.get(name, '—')}"


def _rows(old: RulebookForm, new: RulebookForm, key: str, language: Language) -> Iterator[str]:
    """Say which rows of a part went and which came, in words; none where words show no change."""
    was, now = (list(_IN_LINES[key](form, language)) for form in (old, new))
    yield from (f"{key}: − {line}" for line in was if line not in now)
    yield from (f"{key}: + {line}" for line in now if line not in was)


def _order(old: RulebookForm, new: RulebookForm) -> Iterator[str]:
    """Say when rules are asked in another order: the first that is true gives the card."""
    was, now = ([(row.card, msgspec.json.encode(row)) for row in form.cards] for form in (old, new))
    kept = [row for row in was if row in now] != [row for row in now if row in was]
    before, after = ([card for card, _ in rows] for rows in (was, now))
    if kept or (before != after and sorted(before) == sorted(after)):
        yield f"cards are asked in another order: {', '.join(before)} → {', '.join(after)}"


def _in_words(form: RulebookForm, kind: str, language: Language) -> dict[str, str]:
    if kind == "term":
        return {term.name: in_words(term.when, language) for term in form.terms}
    rules: dict[str, str] = {}
    for row in form.cards:
        text = in_words(row.when, language)
        rules[row.card] = f"{rules[row.card]}; {text}" if row.card in rules else text
    return rules


def _cards(old: Loaded, new: Loaded, language: Language) -> Iterator[str]:
    """Compare the cards of every combination of facts that either of the two tells apart."""
    people = set(combinations(old[0])) | set(combinations(new[0]))
    moved = Counter(
        (was, now)
        for person in people
        if (was := old[1].card_of(person, DAY)) is not (now := new[1].card_of(person, DAY))
    )
    for (was, now), count in sorted(moved.items()):
        yield (
            f"{word(was, language)} → {word(now, language)}: {count:,} of {len(people):,} "
            "combinations of facts"
        )


def _answers(old: Rulebook, new: Rulebook, language: Language) -> Iterator[str]:
    for directive in sorted(old.directives | new.directives):
        for card, place in product(Card, Place):
            was, now = (_answer(book, directive, card, place, language) for book in (old, new))
            if was != now:
                yield (
                    f"{word('directive', language)} {directive}, {word(card, language)}, "
                    f"{place_word(place, language)}: {was} → {now}"
                )
    for place in Place:
        if old.no_record[place] is not new.no_record[place]:
            was, now = (word(book.no_record[place], language) for book in (old, new))
            yield f"{word('no_record', language)}, {place_word(place, language)}: {was} → {now}"


def _answer(book: Rulebook, directive: int, card: Card, place: Place, language: Language) -> str:
    if directive not in book.directives:
        return "—"
    opened = book.opening(directive, card, place)
    if opened is None:
        return word(book.no_card[place], language)
    text = word(Outcome.ADMIT, language)
    if opened.condition is None:
        return text
    return f"{text} ({opened.condition.vi if language == 'vi' else opened.condition.en})"


def _short(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 200 else f"{text[:200]}…"
