"""The TrueType font that print embeds: one with every Vietnamese letter, found or named."""

from __future__ import annotations

from pathlib import Path

import msgspec
from reportlab.pdfbase.ttfonts import TTFError, TTFontFile

from hub.errors import PassError

_SYSTEM = Path("/usr/share/fonts/truetype")
SEARCHED = (
    (_SYSTEM / "noto/NotoSans-Regular.ttf", _SYSTEM / "noto/NotoSans-Bold.ttf"),
    (_SYSTEM / "dejavu/DejaVuSans.ttf", _SYSTEM / "dejavu/DejaVuSans-Bold.ttf"),
)
"""Where Debian's packages put a regular font and its bold one, in the order of preference."""
HINT = "sudo apt-get install fonts-noto-core, or name a TrueType file with --font"

_LETTERS = "ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
_VIETNAMESE = frozenset(map(ord, _LETTERS + _LETTERS.upper()))


class Fonts(msgspec.Struct, frozen=True):
    """The files of the regular and the bold font, and the characters that both have."""

    regular: Path
    bold: Path
    characters: frozenset[int]

    def require(self, text: str) -> None:
        """Check that every character of a text can be printed.

        :raises PassError: if one cannot.
        """
        missing = sorted({c for c in text if ord(c) not in self.characters})
        if missing:
            msg = f"the font has no {' '.join(missing)}"
            raise PassError(msg, hint="write it with other letters, or name a font with --font")


def find_fonts(
    named: Path | None = None,
    named_bold: Path | None = None,
    *,
    searched: tuple[tuple[Path, Path], ...] = SEARCHED,
) -> Fonts:
    """Return the named font, its bold one being itself if none is named, or the first one found.

    :raises PassError: if there is none, or the named one has not every Vietnamese letter.
    """
    if named is not None:
        return _loaded(named, named_bold or named)
    for regular, bold in searched:
        if regular.is_file():
            return _loaded(regular, bold if bold.is_file() else regular)
    raise PassError("no font with Vietnamese letters was found", hint=HINT)


def _loaded(regular: Path, bold: Path) -> Fonts:
    characters = _characters(regular)
    if bold != regular:
        characters &= _characters(bold)
    if not characters.issuperset(_VIETNAMESE):
        msg = f"{regular} has not every Vietnamese letter"
        raise PassError(msg, hint=HINT)
    return Fonts(regular, bold, characters)


def _characters(path: Path) -> frozenset[int]:
    try:
        return frozenset(TTFontFile(str(path)).charToGlyph)
    except (TTFError, OSError) as error:
        msg = f"{path} is no TrueType font that can be embedded"
        raise PassError(msg, hint=HINT) from error
