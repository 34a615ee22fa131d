"""What keys on a keypad spell: codes of digits, without any device."""

from __future__ import annotations

from enum import StrEnum

MAX_DIGITS = 32
"""Digits of the longest typed code. A longer one is handed on one digit too long: cut shorter it
might be somebody else's."""


class Key(StrEnum):
    """Keys that mean something to a keypad; the digits' values are the digits."""

    DIGIT_0 = "0"
    DIGIT_1 = "1"
    DIGIT_2 = "2"
    DIGIT_3 = "3"
    DIGIT_4 = "4"
    DIGIT_5 = "5"
    DIGIT_6 = "6"
    DIGIT_7 = "7"
    DIGIT_8 = "8"
    DIGIT_9 = "9"
    ENTER = "enter"
    BACKSPACE = "backspace"
    CLEAR = "clear"
    """Escape, or `*` on a telephone's keypad; also sent where keystrokes were lost."""


class Keystrokes:
    """Assembles keys into codes: pure, and bounded however many keys are pressed.

    >>> keystrokes = Keystrokes()
    >>> [keystrokes.press(key) for key in (Key.DIGIT_4, Key.DIGIT_2, Key.ENTER)]
    [None, None, '42']
    """

    def __init__(self) -> None:
        self._digits: list[str] = []
        self._beyond = 0

    def press(self, key: Key) -> str | None:
        """Return the code that this key completes (never empty), else None."""
        if key is Key.ENTER:
            code = "".join(self._digits)
            self.clear()
            return code or None
        if key is Key.CLEAR:
            self.clear()
        elif key is Key.BACKSPACE:
            self._take_back()
        elif len(self._digits) <= MAX_DIGITS:
            self._digits.append(key.value)
        else:
            self._beyond += 1
        return None

    def clear(self) -> None:
        """Forget what was typed, as after a silence: the next person starts afresh."""
        self._digits.clear()
        self._beyond = 0

    def _take_back(self) -> None:
        if self._beyond:
            self._beyond -= 1
        elif self._digits:
            self._digits.pop()
