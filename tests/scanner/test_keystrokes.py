"""Typed codes: what people press is what the law gets, whatever they press it on."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.keystrokes import MAX_DIGITS, Key, Keystrokes

DIGITS = list(Key)[:10]


def type_in(keystrokes: Keystrokes, keys: list[Key]) -> list[str]:
    return [code for code in map(keystrokes.press, keys) if code is not None]


@settings(deadline=None)
@given(st.lists(st.sampled_from(list(Key)), max_size=120))
def test_a_code_is_what_a_patient_reader_would_write_down(keys: list[Key]) -> None:
    written: list[str] = []
    line = ""
    for key in keys:
        if key is Key.ENTER:
            written += [line] if line else []
            line = ""
        elif key is Key.CLEAR:
            line = ""
        elif key is Key.BACKSPACE:
            line = line[:-1]
        else:
            line += key.value
    expected = [code[: MAX_DIGITS + 1] for code in written]
    assert type_in(Keystrokes(), keys) == expected


@settings(deadline=None)
@given(st.lists(st.sampled_from(DIGITS), min_size=MAX_DIGITS, max_size=3 * MAX_DIGITS))
def test_a_long_code_is_never_cut_to_a_valid_length(digits: list[Key]) -> None:
    (code,) = type_in(Keystrokes(), [*digits, Key.ENTER])
    assert len(code) == min(len(digits), MAX_DIGITS + 1)
