"""Layouts are what their keyboards have printed on them."""

from __future__ import annotations

import pytest

from scanner.wedge.keys import WedgeKeys
from scanner.wedge.layouts import LAYOUTS, LayoutName, Level
from scanner.wedge.typist import Typist

PRINTABLE_ASCII = frozenset(map(chr, range(0x20, 0x7F)))


@pytest.mark.parametrize("name", LayoutName)
def test_every_layout_types_all_of_ascii(name: LayoutName) -> None:
    # Prefixes, base 45 and URLs need all of it; a hole would refuse one code in many.
    assert sorted(PRINTABLE_ASCII - Typist(name).typable) == []
    assert set(map(chr, range(0x20))) - Typist(name).typable <= {"\0"}


@pytest.mark.parametrize(
    ("name", "level", "code", "character"),
    [
        # Spots where the three differ, from the pictures of the keyboards (Windows, ISO form).
        ("us", 0, 44, "z"), ("us", 1, 3, "@"), ("us", 1, 40, '"'), ("us", 0, 43, "\\"),
        ("de", 0, 44, "y"), ("de", 0, 21, "z"), ("de", 1, 8, "/"), ("de", 1, 52, ":"),
        ("de", 2, 16, "@"), ("de", 2, 27, "~"), ("de", 2, 86, "|"), ("de", 2, 12, "\\"),
        ("de", 2, 8, "{"), ("de", 2, 11, "}"), ("de", 1, 13, "`"), ("de", 2, 18, "€"),
        ("fr", 0, 16, "a"), ("fr", 0, 30, "q"), ("fr", 0, 39, "m"), ("fr", 1, 2, "1"),
        ("fr", 0, 9, "_"), ("fr", 2, 9, "\\"), ("fr", 2, 11, "@"), ("fr", 1, 51, "."),
        ("fr", 1, 52, "/"), ("fr", 0, 52, ":"), ("fr", 2, 13, "}"), ("fr", 0, 7, "-"),
    ],
)  # fmt: skip
def test_known_keys(name: str, level: int, code: int, character: str) -> None:
    assert LAYOUTS[LayoutName(name)].levels[level][code] == character


def test_dead_keys_are_where_windows_has_them() -> None:
    dead = {name: sorted(LAYOUTS[name].dead) for name in LayoutName}
    assert dead[LayoutName.US] == []
    assert dead[LayoutName.DE] == [(Level.PLAIN, 13), (Level.PLAIN, 41), (Level.SHIFT, 13)]
    assert dead[LayoutName.FR] == [
        (Level.PLAIN, 26), (Level.SHIFT, 26), (Level.ALTGR, 3), (Level.ALTGR, 8)
    ]  # fmt: skip


def test_a_wrong_layout_gives_another_text_and_never_an_error() -> None:
    typed = Typist(LayoutName.DE).typed("HC1:6BF+70")
    assert b"".join(filter(None, WedgeKeys(LayoutName.US).feed(typed))) == b"HC1>6BF]70"
