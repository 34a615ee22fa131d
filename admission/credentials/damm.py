"""The Damm check digit: finds every single wrong digit and every swap of two neighbours.

H. M. Damm, "Total anti-symmetrische Quasigruppen", 2004. The table is the totally anti-symmetric
quasigroup of order 10 from that thesis; its diagonal is zero, so that a number followed by its
check digit always ends at zero.
"""

from __future__ import annotations

_QUASIGROUP = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def check_digit(digits: str) -> str:
    """Return the digit that makes `digits` (ASCII digits only) valid when it is appended.

    :raises ValueError: if there is anything but ASCII digits, or nothing at all.

    >>> check_digit("572")
    '4'
    """
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("a check digit is taken over ASCII digits")
    interim = 0
    for digit in digits:
        interim = _QUASIGROUP[interim][int(digit)]
    return str(interim)


def is_valid(digits: str) -> bool:
    """Return whether `digits` are ASCII digits of which the last is the check digit. Never raises.

    >>> is_valid("5724"), is_valid("5742"), is_valid("")
    (True, False, False)
    """
    return digits.isascii() and digits.isdigit() and check_digit(digits) == "0"


def read(text: str, length: int, separators: dict[int, int | None], max_length: int) -> str | None:
    """Return the digits of a number that people type, or None where it is none. Never raises.

    It has `length` digits, the first not 0 and the last the check digit, in at most `max_length`
    characters.

    :param separators: what may stand between the digits, as a table of `str.translate`.

    >>> dashes = str.maketrans("", "", " -")
    >>> read("572 1300 4864", 11, dashes, 32), read("572 1300 4846", 11, dashes, 32)
    ('57213004864', None)
    """
    if len(text) > max_length:
        return None
    digits = text.translate(separators)
    sound = len(digits) == length and digits[0] != "0" and is_valid(digits)
    return digits if sound else None


def render(number: int, length: int) -> str:
    """Return the `length` digits of such a number: `number` and its check digit.

    :raises ValueError: if `number` has not one digit less, the first not 0.
    """
    if not 10 ** (length - 2) <= number < 10 ** (length - 1):
        msg = f"it is made of {length - 1} digits of which the first is not 0"
        raise ValueError(msg)
    digits = str(number)
    return digits + check_digit(digits)
