"""Keyboard layouts as data: which character a key types, by the layout that a scanner is set to.

A scanner has no characters on its cable, only keys: it types for the layout that its manual calls
country or keyboard language, as Windows understands it (so with dead keys: accents that wait for
the next key). `us` is what Vietnamese sites have: Vietnamese is written with an input method on a
US keyboard, and scanners ship set to it.

Rows are written as they lie on the keyboard; a space is a key that types nothing at that level.
Codes are those of linux/input-event-codes.h.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

import msgspec

_ROWS = (
    (41, *range(2, 14)),
    tuple(range(16, 28)),
    (*range(30, 41), 43),
    (86, *range(44, 54)),
)
"""Grave to equal sign, Q to the right bracket, A to the apostrophe and the backslash, the key left
of Z to the slash. Backslash (43) and the key left of Enter are one key of two shapes."""
SPACE_KEY = 57

COMPOSED = {
    "^": dict(zip("aeiouAEIOU", "âêîôûÂÊÎÔÛ", strict=True)),
    "´": dict(zip("aeiouyAEIOUY", "áéíóúýÁÉÍÓÚÝ", strict=True)),
    "`": dict(zip("aeiouAEIOU", "àèìòùÀÈÌÒÙ", strict=True)),
    "¨": dict(zip("aeiouyAEIOU", "äëïöüÿÄËÏÖÜ", strict=True)),
    "~": dict(zip("anoANO", "ãñõÃÑÕ", strict=True)),
}
"""What a dead key and the next make together; before a space the accent stands alone."""


class LayoutName(StrEnum):
    """The layouts that this gate knows."""

    US = "us"
    DE = "de"
    FR = "fr"


class Level(IntEnum):
    """What is held while a key is pressed."""

    PLAIN = 0
    SHIFT = 1
    ALTGR = 2


class Layout(msgspec.Struct, frozen=True):
    """One layout: characters by key code at each `Level`, and which of them are dead.

    `decimal` is the number pad's separator. `has_altgr` tells whether the right Alt key chooses
    characters here; elsewhere it is an Alt key like the left one.
    """

    levels: tuple[dict[int, str], dict[int, str], dict[int, str]]
    dead: frozenset[tuple[Level, int]]
    decimal: str
    has_altgr: bool

    def has_case(self, code: int) -> bool:
        """Return whether a key types a letter in both cases: those are what CapsLock turns."""
        plain, shifted = (self.levels[each].get(code, "") for each in (Level.PLAIN, Level.SHIFT))
        return plain.upper() != plain and plain.upper() == shifted


def _layout(*levels: tuple[str, str, str, str], dead: str = "", decimal: str = ".") -> Layout:
    """Return a layout from its rows at each level.

    `dead` holds pairs: an accent, and the level at which its key is dead.
    """
    tables: list[dict[int, str]] = []
    for rows in levels:
        table = {
            code: character
            for codes, row in zip(_ROWS, rows, strict=True)
            for code, character in zip(codes, row, strict=True)
            if character != " "
        }
        tables.append(table)
    tables += [{} for _ in range(3 - len(tables))]
    for level in (Level.PLAIN, Level.SHIFT):
        tables[level][SPACE_KEY] = " "
    keys = {
        (Level(int(number)), code)
        for accent, number in zip(dead[::2], dead[1::2], strict=True)
        for code, character in tables[int(number)].items()
        if character == accent
    }
    return Layout(
        (tables[0], tables[1], tables[2]), frozenset(keys), decimal, has_altgr=len(levels) > 2
    )


LAYOUTS: dict[LayoutName, Layout] = {
    LayoutName.US: _layout(
        ("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'\\", "\\zxcvbnm,./"),
        ("~!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"|', "|ZXCVBNM<>?"),
    ),
    LayoutName.DE: _layout(
        ("^1234567890ß´", "qwertzuiopü+", "asdfghjklöä#", "<yxcvbnm,.-"),
        ('°!"§$%&/()=?`', "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ'", ">YXCVBNM;:_"),
        ("  ²³   {[]}\\ ", "@ €        ~", "            ", "|      µ   "),
        dead="^0´0`1",
        decimal=",",
    ),
    LayoutName.FR: _layout(
        ("²&é\"'(-è_çà)=", "azertyuiop^$", "qsdfghjklmù*", "<wxcvbn,;:!"),
        (" 1234567890°+", "AZERTYUIOP¨£", "QSDFGHJKLM%µ", ">WXCVBN?./§"),
        ("  ~#{[|`\\^@]}", "  €        ¤", "            ", "           "),
        dead="^0¨1~2`2",
    ),
}


def control_character(layout: Layout, level: Level, code: int) -> str | None:
    """Return what Ctrl and a key type, or None. Without Shift, `level` is PLAIN.

    Where the layout has nothing for a key there, its place on a US keyboard counts: `]` needs AltGr
    on a German keyboard, which leaves no Ctrl to hold.
    """
    for each in (layout, LAYOUTS[LayoutName.US]):
        character = each.levels[level].get(code, "").upper()
        if character == "?":
            return "\x7f"
        if len(character) == 1 and "@" <= character <= "_":
            return chr(ord(character) - 0x40)
    return None
