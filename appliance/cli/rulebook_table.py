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

WORDS = {
    "directive": ("Chỉ thị", "Directive"),
    "place": ("Địa điểm", "Place"),
    "green": ("Thẻ xanh", "Green card"),
    "yellow": ("Thẻ vàng", "Yellow card"),
    "none": ("Không có thẻ", "No card"),
    "no_record": ("Không có dữ liệu", "Nobody on record"),
    "admit": ("qua", "pass"),
    "refer": ("gặp cán bộ", "officer"),
    "refuse": ("dừng", "stop"),
    "also": ("Yêu cầu thêm", "Asked for as well"),
    "in_force": ("Hiệu lực", "In force"),
    "districts": ("Mã quận", "District codes"),
    "everywhere": ("mọi nơi", "everywhere"),
    "stale": ("Dữ liệu quá hạn sau (giờ)", "Knowledge is stale after (hours)"),
    "course": ("Phác đồ", "Full course"),
    "doses": ("mũi", "doses"),
    "days": ("ngày chờ", "days of waiting"),
    "where": ("trong đó", "where"),
    "declaration": ("tờ khai y tế", "health declaration"),
    "test": ("xét nghiệm âm tính", "negative test"),
    "permit": ("giấy đi đường", "movement permit"),
    "roster": ("danh sách của đơn vị", "the employer's list"),
    "visitor": ("giấy khách", "visitor's pass"),
    "enough": ("là đủ để vào", "is enough to enter"),
    "until": ("đến", "until"),
    "anti_passback": ("Không qua hai lần trong (giây)", "Passes once within (seconds)"),
}
PLACES = {
    Place.CONTROL_STATION: ("chốt kiểm soát", "control station"),
    Place.SUPERMARKET: ("siêu thị", "supermarket"),
    Place.CONVENIENCE_STORE: ("cửa hàng tiện lợi", "convenience store"),
    Place.FOOD_OUTLET: ("cửa hàng thực phẩm", "food outlet"),
    Place.HOSPITAL: ("bệnh viện", "hospital"),
    Place.CLINIC: ("phòng khám", "clinic"),
    Place.SCHOOL: ("trường học", "school"),
    Place.OFFICE: ("văn phòng", "office"),
    Place.FACTORY: ("nhà máy", "factory"),
    Place.OUTDOOR_PUBLIC_PLACE: ("nơi công cộng ngoài trời", "outdoor public place"),
    Place.TRANSPORT: ("phương tiện giao thông", "transport"),
}
_STYLES = {"admit": "green", "refer": "yellow", "refuse": "red"}


def word(name: str, language: Language) -> str:
    """Return a word of the explanation."""
    return WORDS[name][0 if language == "vi" else 1]


def place_word(place: Place, language: Language) -> str:
    """Return a kind of place in words."""
    return PLACES[place][0 if language == "vi" else 1]


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
    needs = list(_needs(form, language))
    if needs:
        console.print(word("also", language) + ":", style="bold")
        for line in needs:
            console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)


def _preamble(form: RulebookForm, language: Language) -> Iterator[str]:
    if form.effective is not None:
        ends = form.effective.ends
        until = f" {word('until', language)} {ends:%d/%m/%Y %H:%M %z}" if ends else ""
        starts = f"{form.effective.starts:%d/%m/%Y %H:%M %z}"
        yield f"{word('in_force', language)}: {starts}{until}"
    codes = ", ".join(map(str, form.districts)) or word("everywhere", language)
    yield f"{word('districts', language)}: {codes}"
    yield f"{word('stale', language)}: {form.replica_max_age_h}"
    for name, course in form.products.items():
        yield (
            f"{word('course', language)}, {name}: {course.doses} {word('doses', language)}, "
            f"{course.waiting_days} {word('days', language)}"
        )
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


def _needs(form: RulebookForm, language: Language) -> Iterator[str]:
    for row in form.requirements:
        age = f" ≤ {row.max_age_h} h" if row.max_age_h else ""
        yield f"{word(row.needs, language)}{age}: {_scope(row.places, row.directives, language)}"
    for one in form.passes:
        scope = _scope(one.places, one.directives, language)
        yield f"{word(one.kind, language)} {word('enough', language)}: {scope}"
    if form.anti_passback is not None:
        yield f"{word('anti_passback', language)}: {form.anti_passback.window_s}"


def _scope(places: list[Place], directives: list[int] | None, language: Language) -> str:
    names = ", ".join(place_word(place, language) for place in places)
    if not directives:
        return names
    return f"{names} ({word('directive', language)} {', '.join(map(str, directives))})"
