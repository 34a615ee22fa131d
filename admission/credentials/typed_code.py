"""The numeric code sent by SMS to people without a smartphone: typed on a keypad, or scanned.

Eleven digits: the first 1 to 9, nine more, and a Damm check digit over the ten. Eleven because no
other number that people carry has that length: CMND 9 digits, mobile phone 10, CCCD 12. Somebody
who types one of those by mistake is told that the code is not recognised, and nobody can try
document numbers at a keypad. A first digit other than 0 keeps phone numbers with a digit too many
out, and survives spreadsheets. One wrong digit and any swap of neighbours is found by the check
digit. Spaces and dashes between the digits are allowed: the SMS groups them.
"""

from __future__ import annotations

from admission.credential import UNRECOGNISED, Credential, CredentialKind
from admission.credentials import damm
from admission.identity import Identifier, IdentifierKind

DIGITS = 11
MAX_LENGTH = 32
"""Characters of a code with its separators."""

_SEPARATORS = str.maketrans("", "", " -")


def parse(text: str) -> Credential:
    """Return the credential of a code with a right check digit, or `UNRECOGNISED`. Never raises.

    >>> parse("572 1300 4864").kind, parse("572 1300 4846").kind
    (<CredentialKind.TYPED_CODE: 'typed_code'>, <CredentialKind.UNRECOGNISED: 'unrecognised'>)
    """
    digits = damm.read(text, DIGITS, _SEPARATORS, MAX_LENGTH)
    if digits is None:
        return UNRECOGNISED
    return Credential(
        CredentialKind.TYPED_CODE, (Identifier(IdentifierKind.TYPED_CODE, digits),), None
    )


def render(number: int) -> str:
    """Return the eleven digits of a code for `number` (ten digits, the first not 0).

    :raises ValueError: if it has not ten digits.

    >>> render(5_721_300_486)
    '57213004864'
    """
    return damm.render(number, DIGITS)
