"""A rulebook as people read it: cards in words, and the table of what opens where."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from admission.certlogic_words import Language, in_words
from admission.rulebook import Access, Rulebook
from admission.rulebook_format import RulebookForm
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

_STYLES = {"admit": "green", "refer": "yellow", "refuse": "red"}


def explain_to(
    console: Console,
    form: RulebookForm,
    book: Rulebook,
    language: Language,
    directive: int | None = None,
) -> None:
    """Print the whole rulebook, or one directive of it."""
    title = book.title.vi if language == "vi" else book.title.en
    console.print(f"[bold]{title}[/bold] ({book.label})", highlight=False)
    for line in _preamble(form, language):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for number in sorted(book.directives) if directive is None else [directive]:
        console.print(_table(book, number, language))
        for mark, text in _conditions(book, number, language):
            console.print(f"  {mark} {text}", highlight=False, markup=False)
    parts = (
        (word("also", language), [*need_lines(form, language), *pass_lines(form, language)]),
        ("", [*anti_passback_lines(form, language), *certificate_lines(form, language)]),
        (word("texts", language), list(text_lines(form, language))),
    )
    for heading, lines in parts:
        if heading and lines:
            console.print(f"{heading}:", style="bold", highlight=False)
        for line in lines:
            indented = f"  {line}" if heading else line
            console.print(indented, highlight=False, markup=False, soft_wrap=True)


def _preamble(form: RulebookForm, language: Language) -> Iterator[str]:
    if form.effective is not None:
        ends = form.effective.ends
        until = f" {word('until', language)} {ends:%d/%m/%Y %H:%M %z}" if ends else ""
        starts = f"{form.effective.starts:%d/%m/%Y %H:%M %z}"
        yield f"{word('in_force', language)}: {starts}{until}"
    codes = ", ".join(map(str, form.districts)) or word("everywhere", language)
    yield f"{word('districts', language)}: {codes}"
    yield f"{word('stale', language)}: {form.replica_max_age_h}"
    yield from course_lines(form, language)
    for card in form.cards:
        yield f"{word(card.card, language)}: {in_words(card.when, language)}"
    for term in form.terms:
        yield f"  {word('where', language)} “{term.name}”: {in_words(term.when, language)}"


def _table(book: Rulebook, directive: int, language: Language) -> Table:
    table = Table(title=f"{word('directive', language)} {directive}", title_justify="left")
    for name in ("place", "green", "yellow", "none", "no_record"):
        table.add_column(word(name, language))
    marks = {text: mark for mark, text in _conditions(book, directive, language)}
    for place in Place:
        cells = [
            _cell(book.opening(directive, card, place), book.no_card[place], language, marks)
            for card in Card
        ]
        unknown = book.no_record[place]
        table.add_row(place_word(place, language), *cells, _answer(unknown, language))
    return table


def _cell(
    opened: Access | None, otherwise: Outcome, language: Language, marks: dict[str, str]
) -> str:
    if opened is None:
        return _answer(otherwise, language)
    condition = opened.condition
    text = "" if condition is None else condition.vi if language == "vi" else condition.en
    return f"{_answer(Outcome.ADMIT, language)} {marks.get(text, '')}".rstrip()


def _answer(outcome: Outcome, language: Language) -> str:
    return f"[{_STYLES[outcome]}]{word(outcome, language)}[/]"


def _conditions(book: Rulebook, directive: int, language: Language) -> list[tuple[str, str]]:
    """Return each different condition of a directive with the mark that stands for it."""
    texts: dict[str, None] = {}
    for (number, _, _), opened in book.access.items():
        if number == directive and opened.condition is not None:
            texts[opened.condition.vi if language == "vi" else opened.condition.en] = None
    return [(f"({n})", text) for n, text in enumerate(texts, start=1)]
