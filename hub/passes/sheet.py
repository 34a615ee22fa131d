"""A sheet of paper to draw on, in millimetres from its upper left corner: the port of print.

`pdf.PdfPrint` draws vectors, `picture.PicturePrint` pixels. The layouts of cards and posters know
neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Protocol

from hub.passes.fonts import Fonts

MM_PER_INCH = 25.4
MIN_SIZE_MM = 1.5
"""Height of the smallest letters that a text is shrunk to, 4.3 points."""

Box = tuple[float, float, float, float]
"""Left, top, width and height, mm."""

Width = Callable[[str, float], float]
"""Returns how wide a text is in letters of a size, both in mm."""


class Align(StrEnum):
    """Where a text's position lies in it."""

    LEFT = "left"
    CENTRE = "centre"


class Print(Protocol):
    """A document under way. `fonts` are those that it embeds or draws with."""

    fonts: Fonts

    def new_sheet(self, width_mm: float, height_mm: float) -> None:
        """Begin a sheet; what follows is drawn on it."""
        ...

    def fill(self, boxes: Iterable[Box]) -> None:
        """Fill boxes with black, as one figure: no seams where they meet."""
        ...

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a hairline of 0.1 mm, black."""
        ...

    def width_mm(self, text: str, size_mm: float, *, bold: bool = False) -> float:
        """Return how wide a text is in letters of `size_mm` (the em)."""
        ...

    def text(self, x: float, baseline: float, text: str, size_mm: float, *, bold: bool) -> None:
        """Write one line of text to the right of `x`."""
        ...

    def finish(self) -> list[bytes]:
        """Return the files: one PDF, or one picture per sheet. Nothing is drawn after it."""
        ...


def write(
    onto: Print,
    x: float,
    baseline: float,
    text: str,
    size_mm: float,
    *,
    bold: bool = False,
    room_mm: float,
    align: Align = Align.LEFT,
) -> None:
    """Write one line, in smaller letters where it is wider than `room_mm`, cut where it must be."""
    while size_mm > MIN_SIZE_MM and (width := onto.width_mm(text, size_mm, bold=bold)) > room_mm:
        # Letters in pixels do not shrink in proportion: a little more, then look again.
        size_mm = max(0.99 * size_mm * room_mm / width, MIN_SIZE_MM)
    while len(text) > 1 and onto.width_mm(text, size_mm, bold=bold) > room_mm + 0.01:
        text = text[:-2] + "…"
    if align is Align.CENTRE:
        x -= onto.width_mm(text, size_mm, bold=bold) / 2
    onto.text(x, baseline, text, size_mm, bold=bold)


def wrap(text: str, size_mm: float, width: Width, room_mm: float) -> list[str]:
    """Return a text in lines, parted between words; a word alone may be wider than `room_mm`."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and width(f"{lines[-1]} {word}", size_mm) <= room_mm:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def draw_code(
    onto: Print, matrix: Sequence[Sequence[int]], x: float, y: float, side_mm: float
) -> None:
    """Draw a code's modules so that the code, without its quiet zone, is `side_mm` wide."""
    onto.fill(_runs(matrix, x, y, side_mm / len(matrix)))


def _runs(matrix: Sequence[Sequence[int]], x: float, y: float, module: float) -> list[Box]:
    """Return a box for every run of dark modules in a row."""
    boxes = []
    for row, modules in enumerate(matrix):
        start = None
        for column, dark in enumerate([*modules, 0]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                wide = (column - start) * module
                boxes.append((x + start * module, y + row * module, wide, module))
                start = None
    return boxes
