"""Cards that are printed: 62 × 88 mm (ISO 216 B8), nine to a sheet of A4.

The code without its quiet zone is exactly 50 mm wide, the least that was asked of personal codes,
and lies 6 mm from the card's edges. No pass is short enough for a code below version 7, whose
modules are 1.11 mm: the quiet zone of four modules is free on all sides.
"""

from __future__ import annotations

from collections.abc import Iterable

import segno

from hub.passes import card_text
from hub.passes.office import IssuedPass
from hub.passes.sheet import Print, draw_code, write

WIDTH_MM, HEIGHT_MM = 62.0, 88.0
CODE_MM = 50.0
CODE_MARGIN_MM = 6.0
QUIET_MODULES = 4
A4_MM = (210.0, 297.0)
COLUMNS, ROWS = 3, 3
PER_SHEET = COLUMNS * ROWS
SINGLE_MARGIN_MM = 6.0
"""Around a card that is printed alone: room for its cut marks."""

_MARK_GAP_MM = 1.0
_MARK_MM = 4.0
_CROSS_MM = 1.5
_TEXT_MARGIN_MM = 4.0
_TEXT_MM = WIDTH_MM - 2 * _TEXT_MARGIN_MM
_KIND_MM = 64.0
"""Baseline of the kind: its letters stay out of the quiet zone of a code of version 7."""
_DESCENT_MM, _FOOT_MM = 0.6, 2.4
_NAME_MM, _SMALLEST_NAME_MM, _HALF_NAME_MM = 3.6, 2.9, 2.6


def code_of(text: str) -> segno.QRCode:
    """Return the QR code of a pass or a poster, at level M."""
    return segno.make(text, error="m", micro=False, boost_error=False)


def lines_of(card: IssuedPass) -> list[str]:
    """Return what is written on a card, for checking that the font has its letters."""
    claims = card.claims
    return [*card_text.heading(claims), card_text.holder(claims), *card_text.details(card)]


def draw_card(onto: Print, card: IssuedPass, left: float, top: float) -> None:
    """Draw a card with its upper left corner there."""
    matrix = code_of(card.text).matrix
    draw_code(onto, matrix, left + CODE_MARGIN_MM, top + CODE_MARGIN_MM, CODE_MM)
    x = left + _TEXT_MARGIN_MM
    kind_vi, kind_en = card_text.heading(card.claims)
    write(onto, x, top + _KIND_MM, kind_vi, 3.2, bold=True, room_mm=_TEXT_MM)
    after = onto.width_mm(kind_vi, 3.2, bold=True) + 1.5
    write(onto, x + after, top + _KIND_MM, kind_en, 2.6, room_mm=_TEXT_MM - after)
    below = _KIND_MM
    for below, text, size_mm in _name_lines(onto, card_text.holder(card.claims)):
        write(onto, x, top + below, text, size_mm, bold=True, room_mm=_TEXT_MM)
    below += _DESCENT_MM
    size_mm, lines = card_text.fitted(card, onto.width_mm, _TEXT_MM, HEIGHT_MM - _FOOT_MM - below)
    for number, line in enumerate(lines, 1):
        baseline = top + below + number * card_text.LINE_HEIGHT * size_mm
        write(onto, x, baseline, line, size_mm, room_mm=_TEXT_MM)


def _name_lines(onto: Print, name: str) -> list[tuple[float, str, float]]:
    """Return a name on one line, or on two where one would be hard to read, as `draw_card` does."""
    words_of_name = name.split(" ")
    width = onto.width_mm(name, _SMALLEST_NAME_MM, bold=True)
    if width <= _TEXT_MM or len(words_of_name) == 1:
        return [(68.1, name, _NAME_MM)]
    splits = [
        (" ".join(words_of_name[:at]), " ".join(words_of_name[at:]))
        for at in range(1, len(words_of_name))
    ]
    first, second = min(splits, key=lambda halves: abs(len(halves[0]) - len(halves[1])))
    return [(67.3, first, _HALF_NAME_MM), (70.2, second, _HALF_NAME_MM)]


def draw_single(onto: Print, card: IssuedPass) -> None:
    """Draw a card on a sheet of its own, with cut marks at its corners."""
    margin = SINGLE_MARGIN_MM
    onto.new_sheet(WIDTH_MM + 2 * margin, HEIGHT_MM + 2 * margin)
    _cut_marks(onto, margin, margin, 1, 1)
    draw_card(onto, card, margin, margin)


class CardSheets:
    """Cards on sheets of A4, nine each. Cards touch: one cut parts two of them."""

    def __init__(self, onto: Print) -> None:
        self._onto = onto
        self._count = 0

    def add(self, card: IssuedPass) -> None:
        """Draw the next card, on a new sheet where the last one is full."""
        left = (A4_MM[0] - COLUMNS * WIDTH_MM) / 2
        top = (A4_MM[1] - ROWS * HEIGHT_MM) / 2
        place = self._count % PER_SHEET
        if place == 0:
            self._onto.new_sheet(*A4_MM)
            _cut_marks(self._onto, left, top, COLUMNS, ROWS)
        row, column = divmod(place, COLUMNS)
        draw_card(self._onto, card, left + column * WIDTH_MM, top + row * HEIGHT_MM)
        self._count += 1


def _cut_marks(onto: Print, left: float, top: float, columns: int, rows: int) -> None:
    """Draw marks outside the cards where the cuts begin and end, and crosses where they meet."""
    right, bottom = left + columns * WIDTH_MM, top + rows * HEIGHT_MM
    xs = [left + column * WIDTH_MM for column in range(columns + 1)]
    ys = [top + row * HEIGHT_MM for row in range(rows + 1)]
    for x in xs:
        for near, away in _ends(top, bottom):
            onto.line(x, near, x, away)
    for y in ys:
        for near, away in _ends(left, right):
            onto.line(near, y, away, y)
    for x in xs[1:-1]:
        for y in ys[1:-1]:
            onto.line(x - _CROSS_MM, y, x + _CROSS_MM, y)
            onto.line(x, y - _CROSS_MM, x, y + _CROSS_MM)


def _ends(low: float, high: float) -> Iterable[tuple[float, float]]:
    yield low - _MARK_GAP_MM, low - _MARK_GAP_MM - _MARK_MM
    yield high + _MARK_GAP_MM, high + _MARK_GAP_MM + _MARK_MM
