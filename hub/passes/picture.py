"""Print as pictures: one PNG per sheet, black and white, with its resolution written into it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from hub.passes.fonts import Fonts
from hub.passes.sheet import MM_PER_INCH, Box

_WHITE, _BLACK = 255, 0


class PicturePrint:
    """Stands behind `sheet.Print`; `finish` returns one file per sheet.

    Edges fall on the nearest pixel, all from the same origin: a code's width is right to a pixel,
    its modules differ by at most one.
    """

    def __init__(self, fonts: Fonts, *, dpi: int) -> None:
        self.fonts = fonts
        self._dpi = dpi
        self._files: list[bytes] = []
        self._image: Image.Image | None = None
        self._draw: ImageDraw.ImageDraw | None = None
        self._font = lru_cache(maxsize=64)(self._load_font)

    def new_sheet(self, width_mm: float, height_mm: float) -> None:
        """Begin a picture."""
        self._close()
        self._image = Image.new("L", (self._px(width_mm), self._px(height_mm)), _WHITE)
        self._draw = ImageDraw.Draw(self._image)

    def fill(self, boxes: Iterable[Box]) -> None:
        """Fill boxes with black."""
        for x, y, width, height in boxes:
            # The last pixel belongs to Pillow's rectangles.
            corner = self._px(x + width) - 1, self._px(y + height) - 1
            self._drawing.rectangle((self._px(x), self._px(y), *corner), fill=_BLACK)

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a line of 0.1 mm, at least a pixel."""
        ends = (self._px(x1), self._px(y1), self._px(x2), self._px(y2))
        self._drawing.line(ends, fill=_BLACK, width=max(1, self._px(0.1)))

    def width_mm(self, text: str, size_mm: float, *, bold: bool = False) -> float:
        """Return how wide a text is."""
        length = self._font(self._size_px(size_mm), bold).getlength(text)
        return length * MM_PER_INCH / self._dpi

    def text(self, x: float, baseline: float, text: str, size_mm: float, *, bold: bool) -> None:
        """Write one line of text."""
        font = self._font(self._size_px(size_mm), bold)
        at = (self._px(x), self._px(baseline))
        self._drawing.text(at, text, fill=_BLACK, font=font, anchor="ls")

    def finish(self) -> list[bytes]:
        """Return the files, one per sheet."""
        self._close()
        return self._files

    @property
    def _drawing(self) -> ImageDraw.ImageDraw:
        if self._draw is None:
            raise RuntimeError("nothing can be drawn before a sheet has begun")
        return self._draw

    def _close(self) -> None:
        if self._image is None:
            return
        file = io.BytesIO()
        self._image.save(file, "PNG", dpi=(self._dpi, self._dpi))
        self._files.append(file.getvalue())
        self._image = self._draw = None

    def _load_font(self, size_px: float, bold: bool) -> ImageFont.FreeTypeFont:
        path = self.fonts.bold if bold else self.fonts.regular
        return ImageFont.truetype(str(path), size_px, layout_engine=ImageFont.Layout.BASIC)

    def _px(self, length_mm: float) -> int:
        return round(length_mm * self._dpi / MM_PER_INCH)

    def _size_px(self, size_mm: float) -> float:
        return round(size_mm * self._dpi / MM_PER_INCH, 2)
