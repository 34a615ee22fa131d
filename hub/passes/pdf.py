"""Print as one PDF: vectors, the font embedded, nothing in it that changes from run to run."""

from __future__ import annotations

import io
from collections.abc import Iterable

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from hub.passes.fonts import Fonts
from hub.passes.sheet import Box

_HAIRLINE_MM = 0.1


class PdfPrint:
    """Stands behind `sheet.Print`; `finish` returns one file."""

    def __init__(self, fonts: Fonts) -> None:
        self.fonts = fonts
        self._names = {False: f"chot {fonts.regular}", True: f"chot {fonts.bold} bold"}
        pdfmetrics.registerFont(TTFont(self._names[False], str(fonts.regular)))
        pdfmetrics.registerFont(TTFont(self._names[True], str(fonts.bold)))
        self._file = io.BytesIO()
        # Invariant: no time of day in it, so that the same passes give the same bytes.
        self._canvas = Canvas(
            self._file, invariant=1, pageCompression=1, initialFontName=self._names[False]
        )
        self._canvas.setCreator("Chốt")
        self._canvas.setTitle("Chốt")
        self._height_mm = 0.0
        self._started = False

    def new_sheet(self, width_mm: float, height_mm: float) -> None:
        """Begin a page."""
        if self._started:
            self._canvas.showPage()
        self._started = True
        self._height_mm = height_mm
        self._canvas.setPageSize((width_mm * mm, height_mm * mm))
        self._canvas.setLineWidth(_HAIRLINE_MM * mm)

    def fill(self, boxes: Iterable[Box]) -> None:
        """Fill boxes with black, as one path."""
        path = self._canvas.beginPath()
        for x, y, width, height in boxes:
            path.rect(x * mm, (self._height_mm - y - height) * mm, width * mm, height * mm)
        self._canvas.drawPath(path, stroke=0, fill=1)

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a hairline of 0.1 mm, black."""
        top = self._height_mm
        self._canvas.line(x1 * mm, (top - y1) * mm, x2 * mm, (top - y2) * mm)

    def width_mm(self, text: str, size_mm: float, *, bold: bool = False) -> float:
        """Return how wide a text is."""
        width = pdfmetrics.stringWidth(text, self._names[bold], size_mm * mm)
        return float(width / mm)

    def text(self, x: float, baseline: float, text: str, size_mm: float, *, bold: bool) -> None:
        """Write one line of text."""
        self._canvas.setFont(self._names[bold], size_mm * mm)
        self._canvas.drawString(x * mm, (self._height_mm - baseline) * mm, text)

    def finish(self) -> list[bytes]:
        """Return the file."""
        self._canvas.save()
        return [self._file.getvalue()]
