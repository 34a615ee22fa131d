"""From key events to the bytes of a code: pure, whatever a scanner or a stranger's device sends.

A scanner types a code in one of three ways, which may be mixed: keys of its layout, with Shift and
AltGr; Ctrl and a key for a control character (`Ctrl+]` is GS, as in GS1 codes); and Alt with a
number on the number pad. A number up to 255 is one byte of the code, with or without a zero before
it: what a Windows code page would make of it is no matter here, and a line of such bytes may be
UTF-8. A greater number, or a hexadecimal one after `+`, is a character of Unicode.

A key that types nothing here (a function key, a layout that does not fit) gives U+FFFD, which the
law refuses: leaving it out would make another code.
"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.input_events import (
    EV_KEY,
    EV_SYN,
    PRESSED,
    RELEASED,
    SYN_DROPPED,
    SYN_REPORT,
    EventCutter,
)
from scanner.wedge.layouts import (
    COMPOSED,
    LAYOUTS,
    LayoutName,
    Level,
    control_character,
)

UNTYPABLE = "\ufffd".encode()
"""Stands for a key that types no character."""
MAX_ALT_DIGITS = 8

LEFT_SHIFT, RIGHT_SHIFT, CAPS_LOCK = 42, 54, 58
LEFT_CTRL, RIGHT_CTRL = 29, 97
LEFT_ALT, RIGHT_ALT = 56, 100
_SHIFTS = frozenset({LEFT_SHIFT, RIGHT_SHIFT})
_CTRLS = frozenset({LEFT_CTRL, RIGHT_CTRL})
_ALTS = frozenset({LEFT_ALT, RIGHT_ALT})
_METAS = frozenset({125, 126})
_HELD = _SHIFTS | _CTRLS | _ALTS | _METAS
_SILENT = frozenset({69, 70})
"""NumLock and ScrollLock: pressed around a code by some scanners, and no part of it."""

PAD_DIGITS = dict(zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73), "0123456789", strict=True))
"""Whatever NumLock says: a scanner means the digit."""
PAD_PLUS, PAD_DECIMAL = 78, 83
_PAD_SIGNS = {**PAD_DIGITS, 55: "*", 74: "-", PAD_PLUS: "+", 98: "/", 117: "=", 121: ","}
NAMED_KEYS = {28: "\r", 96: "\r", 15: "\t", 14: "\b", 1: "\x1b", 111: "\x7f"}
"""Enter, the pad's Enter, Tab, Backspace, Escape, Delete."""
_HEXADECIMAL = {**PAD_DIGITS, **dict(zip((30, 48, 46, 32, 18, 33), "abcdef", strict=True))}


class WedgeKeys:
    r"""Turns a device's bytes into the text that was typed. One instance per opening.

    >>> from scanner.wedge.typist import Typist
    >>> list(WedgeKeys(LayoutName.FR).feed(Typist(LayoutName.FR).typed("A1\r")))
    [b'A1\r']
    """

    def __init__(self, layout: LayoutName = LayoutName.US) -> None:
        self._layout = LAYOUTS[layout]
        self._cutter = EventCutter()
        self._held: set[int] = set()
        self._caps = False
        self._accent = ""
        self._number: str | None = None
        self._until_report = False

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """Yield the text that was typed in `data`, in one piece, with None where events were lost.

        Characters of the layout are UTF-8. `data` may begin and end anywhere.
        """
        typed = bytearray()
        for kind, code, value in self._cutter.events(data):
            if kind == EV_SYN and code == SYN_DROPPED:
                self._forget()
                self._until_report = True
                if typed:
                    yield bytes(typed)
                    typed.clear()
                yield None
            elif self._until_report:
                self._until_report = not (kind == EV_SYN and code == SYN_REPORT)
            elif kind == EV_KEY:
                typed += self._turn(code, value)
        if typed:
            yield bytes(typed)

    def rest(self) -> bytes:
        """Return what was begun and not ended before a silence: an accent, a number.

        No scanner holds a key over a silence: what is held still counts as released.
        """
        begun = self._accent.encode() + (b"" if self._number is None else UNTYPABLE)
        self._forget()
        return begun

    def _turn(self, code: int, value: int) -> bytes:
        if value == PRESSED:
            return self._press(code)
        return self._release(code) if value == RELEASED and code in self._held else b""

    def _forget(self) -> None:
        """CapsLock stays: it is this host's."""
        self._held.clear()
        self._accent, self._number = "", None

    def _press(self, code: int) -> bytes:
        if code in _HELD:
            self._held.add(code)
            return b""
        if code == CAPS_LOCK:
            self._caps = not self._caps
            return b""
        if code in _SILENT:
            return b""
        if self._held & _METAS:
            return self._typed(None)
        if self._alt:
            return self._number_key(code)
        if code in NAMED_KEYS:
            return self._typed(NAMED_KEYS[code])
        if self._held & _CTRLS and not self._altgr:
            level = Level.SHIFT if self._held & _SHIFTS else Level.PLAIN
            return self._typed(control_character(self._layout, level, code))
        return self._character(code)

    def _release(self, code: int) -> bytes:
        alt = self._alt
        self._held.discard(code)
        if not alt or self._alt or self._number is None:
            return b""
        number, self._number = self._number, None
        return self._flushed() + _by_number(number)

    @property
    def _altgr(self) -> bool:
        """Whether the third level is chosen: by AltGr, or as on Windows by Ctrl and Alt."""
        return self._layout.has_altgr and (
            RIGHT_ALT in self._held or (LEFT_ALT in self._held and bool(self._held & _CTRLS))
        )

    @property
    def _alt(self) -> bool:
        return bool(self._held & _ALTS) and not self._altgr

    def _number_key(self, code: int) -> bytes:
        number = self._number or ""
        if not number and code == PAD_PLUS:
            self._number = "+"
        elif code in (_HEXADECIMAL if number.startswith("+") else PAD_DIGITS):
            self._number = (number + _HEXADECIMAL[code])[: MAX_ALT_DIGITS + 1]
        else:
            self._number = None
            return self._typed(None)
        return b""

    def _character(self, code: int) -> bytes:
        if code in _PAD_SIGNS or code == PAD_DECIMAL:
            return self._typed(_PAD_SIGNS.get(code, self._layout.decimal))
        level = self._level(code)
        character = self._layout.levels[level].get(code)
        if (level, code) in self._layout.dead and character is not None:
            before, self._accent = self._flushed(), character
            return before
        return self._typed(character)

    def _level(self, code: int) -> Level:
        if self._altgr:
            return Level.ALTGR
        shift = bool(self._held & _SHIFTS)
        if self._caps and self._layout.has_case(code):
            shift = not shift
        return Level.SHIFT if shift else Level.PLAIN

    def _typed(self, character: str | None) -> bytes:
        """Return a character's bytes, joined with the accent that waits for it."""
        if character is None:
            return self._flushed() + UNTYPABLE
        if not self._accent:
            return character.encode()
        if character == " ":
            return self._flushed()
        composed = COMPOSED[self._accent].get(character)
        if composed is None:
            return self._flushed() + character.encode()
        self._accent = ""
        return composed.encode()

    def _flushed(self) -> bytes:
        accent, self._accent = self._accent, ""
        return accent.encode()


def _by_number(digits: str) -> bytes:
    hexadecimal = digits.startswith("+")
    if len(digits) > MAX_ALT_DIGITS or digits == "+":
        return UNTYPABLE
    number = int(digits, 16) if hexadecimal else int(digits)
    if number <= 0xFF and not hexadecimal:
        return bytes([number])
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        return UNTYPABLE
    return chr(number).encode()
