"""The number printed on paper for the day when a code cannot be read: typed, or scanned.

Fourteen digits: the first 1 to 9, twelve more, and a Damm check digit over the thirteen, printed
in groups (`grouped`), as a Code 128 or a QR code beside it. Fourteen because no number that people
carry has that length: CMND 9 digits, mobile phone and social insurance 10, the code sent by SMS
11, CCCD 12, insurance card 15, bank card 16, QID 18. Long enough that numbers cannot be guessed:
of 9·10¹² numbers ten million are one in 900,000, where the eleven digits of the SMS code leave one
in 900 (`admission.attempts`). Whatever else may happen to have fourteen digits, an account at a
bank, finds nobody for the same reason. Numbers are to be drawn at random, never counted up.
"""

from __future__ import annotations

from admission.credential import UNRECOGNISED, Credential, CredentialKind
from admission.credentials import damm
from admission.identity import Identifier, IdentifierKind

DIGITS = 14
MAX_LENGTH = 40
"""Characters of a number with its separators."""

_GROUPS = (4, 8, 11)
_SEPARATORS = str.maketrans("", "", " -.")


def parse(text: str) -> Credential:
    """Return the credential of a number with a right check digit, or `UNRECOGNISED`. Never raises.

    Spaces, dashes and dots between the digits are allowed.

    >>> parse("5721 3004 860 016").kind, parse("5721 3004 860 061").kind
    (<CredentialKind.BACKUP_NUMBER: 'backup_number'>, <CredentialKind.UNRECOGNISED: 'unrecognised'>)
    """
    digits = damm.read(text, DIGITS, _SEPARATORS, MAX_LENGTH)
    if digits is None:
        return UNRECOGNISED
    return Credential(
        CredentialKind.BACKUP_NUMBER, (Identifier(IdentifierKind.BACKUP_NUMBER, digits),), None
    )


def render(number: int) -> str:
    """Return the fourteen digits for `number` (thirteen digits, the first not 0).

    :raises ValueError: if it has not thirteen digits.
    """
    return damm.render(number, DIGITS)


def grouped(digits: str) -> str:
    """Return the digits as they are printed: in groups that a person can keep in mind.

    >>> grouped("57213004860016")
    '5721 3004 860 016'
    """
    first, second, third = _GROUPS
    return f"{digits[:first]} {digits[first:second]} {digits[second:third]} {digits[third:]}"
