"""Posters for locations: a code of exactly 15 × 15 cm, a title in both languages, the site's name.

The least width that was asked of location codes. The code stands in the middle of the sheet; four
modules around it stay free, whatever its version.
"""

from __future__ import annotations

import msgspec
import segno

from admission.verdict import Text
from hub.errors import PassError
from hub.passes import words
from hub.passes.card import code_of
from hub.passes.sheet import Align, Print, draw_code, wrap, write

CODE_MM = 150.0
PAPER_MM = {"a4": (210.0, 297.0), "a3": (297.0, 420.0)}
MAX_CONTENT_LENGTH = 600
"""Characters of a poster's code: its modules then are over 1.3 mm, read from two metres away."""

_QUIET_MODULES = 4
_MARGIN_MM = 12.0
_SITE_MM, _SMALLEST_SITE_MM, _SITE_STEP_MM = 11.0, 6.0, 0.25
"""Size of the letters of a site's name on A4; on A3 all is larger in proportion."""
_SITE_LINE, _SITE_HEIGHT_MM = 1.15, 24.0


class Poster(msgspec.Struct, frozen=True):
    """What a poster says. `content` is the text of the code: an address, or anything else."""

    content: str
    site: str
    title: Text = words.CHECK_IN


def draw_poster(onto: Print, poster: Poster, paper: str) -> None:
    """Draw a poster on a sheet of `a4` or `a3`.

    :raises PassError: if the content is empty or too long, the site's name has no room, or a letter
        is not in the font.
    """
    for text in (poster.site, poster.title.vi, poster.title.en):
        onto.fonts.require(text)
    if not 0 < len(poster.content) <= MAX_CONTENT_LENGTH:
        msg = f"a poster's code holds 1 to {MAX_CONTENT_LENGTH} characters"
        raise PassError(msg, hint="a short address is read from farther away")
    code = _code(poster.content)
    width, height = PAPER_MM[paper]
    scale = width / PAPER_MM["a4"][0]
    quiet = _QUIET_MODULES * CODE_MM / len(code.matrix)
    left, top = (width - CODE_MM) / 2, (height - CODE_MM) / 2
    room_mm = width - 2 * _MARGIN_MM
    site_mm, site_lines = _site_lines(onto, poster.site, scale, room_mm)
    onto.new_sheet(width, height)
    draw_code(onto, code.matrix, left, top, CODE_MM)
    above, below = top - quiet, top + CODE_MM + quiet
    site_at = [below + (10 / 11 + row * _SITE_LINE) * site_mm for row in range(len(site_lines))]
    for baseline, text, size_mm, bold in (
        (above - 12 * scale, poster.title.vi, 13 * scale, True),
        (above - 2 * scale, poster.title.en, 8 * scale, False),
        *((at, line, site_mm, True) for at, line in zip(site_at, site_lines, strict=True)),
        (site_at[-1] + 10 * scale, _shown(onto, poster.content), 4.5 * scale, False),
    ):
        write(
            onto, width / 2, baseline, text, size_mm, bold=bold, room_mm=room_mm, align=Align.CENTRE
        )


def _site_lines(onto: Print, site: str, scale: float, room_mm: float) -> tuple[float, list[str]]:
    """Return the size of a site's name and its lines: the largest letters that have room."""

    def width(text: str, size_mm: float) -> float:
        return onto.width_mm(text, size_mm, bold=True)

    size = _SITE_MM
    while size >= _SMALLEST_SITE_MM:
        lines = wrap(site, size * scale, width, room_mm)
        high = len(lines) * _SITE_LINE * size
        if high <= _SITE_HEIGHT_MM and all(width(line, size * scale) <= room_mm for line in lines):
            return size * scale, lines
        size -= _SITE_STEP_MM
    msg = f"the site's name, {len(site)} characters, does not fit on a poster in legible letters"
    raise PassError(msg, hint="shorten it to what people call the place, in words with spaces")


def _code(content: str) -> segno.QRCode:
    try:
        return code_of(content)
    except (segno.DataOverflowError, ValueError) as error:
        raise PassError("the content makes no QR code", hint="shorten it") from error


def _shown(onto: Print, content: str) -> str:
    """Return what people can check against a code that somebody pasted over: its own content."""
    return "".join(c if ord(c) in onto.fonts.characters else "\N{WHITE SQUARE}" for c in content)
