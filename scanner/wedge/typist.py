"""A scanner's half of a keyboard wedge: text becomes key events, by the layout it is set to."""

from __future__ import annotations

from enum import StrEnum

from scanner.errors import KeypadError
from scanner.input_events import EV_KEY, EV_SYN, EVENT, PRESSED, RELEASED, SYN_REPORT
from scanner.wedge.keys import (
    CAPS_LOCK,
    LEFT_ALT,
    LEFT_CTRL,
    LEFT_SHIFT,
    NAMED_KEYS,
    PAD_DIGITS,
    RIGHT_ALT,
)
from scanner.wedge.layouts import (
    COMPOSED,
    LAYOUTS,
    SPACE_KEY,
    Layout,
    LayoutName,
    Level,
    control_character,
)

_EV_MSC, _MSC_SCAN = 4, 4
_HOLDING = {Level.PLAIN: (), Level.SHIFT: (LEFT_SHIFT,), Level.ALTGR: (RIGHT_ALT,)}
_TURNED: dict[tuple[int, ...], tuple[int, ...]] = {(): (LEFT_SHIFT,), (LEFT_SHIFT,): ()}
_PAD_KEY_OF = {digit: code for code, digit in PAD_DIGITS.items()}

Stroke = tuple[tuple[int, ...], int]
"""One key, and the keys that are held meanwhile."""


class AltNumbers(StrEnum):
    """What a scanner types by number with Alt held."""

    NEVER = "never"
    """A text with a character that no key types cannot be sent."""
    BYTES = "bytes"
    """The bytes of a character that no key types: of the code as it is, UTF-8 here."""
    CHARACTERS = "characters"
    """The Unicode number of a character that no key types and that is greater than 255."""
    ALWAYS = "always"
    """Every byte of the code, letters and digits too ('keypad emulation')."""


class Typist:
    """Types texts as a scanner does.

    `caps_lock` presses CapsLock before and after each text, and types the letters accordingly.
    """

    def __init__(
        self,
        layout: LayoutName = LayoutName.US,
        alt_numbers: AltNumbers = AltNumbers.NEVER,
        *,
        caps_lock: bool = False,
    ) -> None:
        self._alt_numbers = alt_numbers
        self._caps_lock = caps_lock
        self._layout = LAYOUTS[layout]
        self._strokes = _strokes_of(self._layout)

    @property
    def typable(self) -> frozenset[str]:
        """The characters that keys alone type."""
        return frozenset(self._strokes)

    def typed(self, text: str) -> bytes:
        """Return the events of a text's keys, as the kernel writes them.

        :raises KeypadError: this scanner cannot type one of its characters.
        """
        events = b"".join(self._character(each) for each in text)
        if self._caps_lock:
            return _pressed((), CAPS_LOCK) + events + _pressed((), CAPS_LOCK)
        return events

    def _character(self, character: str) -> bytes:
        if self._alt_numbers is AltNumbers.ALWAYS and character not in NAMED_KEYS.values():
            return b"".join(_by_number(f"{byte:03}") for byte in character.encode())
        strokes = self._strokes.get(character)
        if strokes is not None:
            return b"".join(self._stroke(*stroke) for stroke in strokes)
        if self._alt_numbers is AltNumbers.BYTES:
            return b"".join(_by_number(f"0{byte}") for byte in character.encode())
        if self._alt_numbers is AltNumbers.CHARACTERS and ord(character) > 0xFF:
            return _by_number(str(ord(character)))
        msg = f"no key of this layout types U+{ord(character):04X}"
        raise KeypadError(msg, hint="set the scanner to send it by number")

    def _stroke(self, holding: tuple[int, ...], code: int) -> bytes:
        if self._caps_lock and holding in _TURNED and self._layout.has_case(code):
            holding = _TURNED[holding]
        return _pressed(holding, code)


def _strokes_of(layout: Layout) -> dict[str, tuple[Stroke, ...]]:
    """Return how each character is typed; where there are several ways, the plainest."""
    strokes: dict[str, tuple[Stroke, ...]] = {
        character: (((), code),) for code, character in reversed(NAMED_KEYS.items())
    }
    keys = [(level, *key) for level in Level for key in layout.levels[level].items()]
    alive = [key for key in keys if key[:2] not in layout.dead]
    for level, code, character in alive:
        strokes.setdefault(character, ((_HOLDING[level], code),))
    for level, code, accent in keys:
        if (level, code) in layout.dead:
            dead = (_HOLDING[level], code)
            strokes.setdefault(accent, (dead, ((), SPACE_KEY)))
            for letter, composed in COMPOSED[accent].items():
                strokes.setdefault(composed, (dead, *strokes[letter]))
    for level, code, _ in keys:
        control = control_character(layout, level, code) if level < Level.ALTGR else None
        if control is not None:
            strokes.setdefault(control, (((LEFT_CTRL, *_HOLDING[level]), code),))
    return strokes


def _by_number(digits: str) -> bytes:
    keys = b"".join(_pressed((), _PAD_KEY_OF[digit]) for digit in digits)
    return _turned(LEFT_ALT, PRESSED) + keys + _turned(LEFT_ALT, RELEASED)


def _pressed(holding: tuple[int, ...], code: int) -> bytes:
    return b"".join(
        (
            *(_turned(each, PRESSED) for each in holding),
            _turned(code, PRESSED),
            _turned(code, RELEASED),
            *(_turned(each, RELEASED) for each in reversed(holding)),
        )
    )


def _turned(code: int, value: int) -> bytes:
    return b"".join(
        EVENT.pack(0, 0, *event)
        for event in (
            (_EV_MSC, _MSC_SCAN, 0x70000 + code),
            (EV_KEY, code, value),
            (EV_SYN, SYN_REPORT, 0),
        )
    )
