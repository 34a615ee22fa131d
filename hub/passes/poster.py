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
from hub.passes.sheet import Align, Print, draw_code, write

CODE_MM = 150.0
PAPER_MM = {"a4": (210.0, 297.0), "a3": (297.0, 420.0)}
MAX_CONTENT_LENGTH = 600
"""Characters of a poster's code: its modules then are over 1.3 mm, read from two metres away."""

_QUIET_MODULES = 4
_MARGIN_MM = 12.0


class Poster(msgspec.Struct, frozen=True):
    """What a poster says. `content` is the text of the code: an address, or anything else."""

    content: str
    site: str
    title: Text = words.CHECK_IN


def draw_poster(onto: Print, poster: Poster, paper: str) -> None:
    """Draw a poster on a sheet of `a4` or `a3`.

    :raises PassError: if the content is empty or too long, or a letter is not in the font.
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
    onto.new_sheet(width, height)
    draw_code(onto, code.matrix, left, top, CODE_MM)
    above, below = top - quiet, top + CODE_MM + quiet
    for baseline, text, size_mm, bold in (
        (above - 12 * scale, poster.title.vi, 13 * scale, True),
        (above - 2 * scale, poster.title.en, 8 * scale, False),
        (below + 10 * scale, poster.site, 11 * scale, True),
        (below + 20 * scale, _shown(onto, poster.content), 4.5 * scale, False),
    ):
        room_mm = width - 2 * _MARGIN_MM
        write(
            onto, width / 2, baseline, text, size_mm, bold=bold, room_mm=room_mm, align=Align.CENTRE
        )


def _code(content: str) -> segno.QRCode:
    try:
        return code_of(content)
    except (segno.DataOverflowError, ValueError) as error:
        raise PassError("the content makes no QR code", hint="shorten it") from error


def _shown(onto: Print, content: str) -> str:
    """Return what people can check against a code that somebody pasted over: its own content."""
    return "".join(c if ord(c) in onto.fonts.characters else "\N{WHITE SQUARE}" for c in content)
