"""Credentials: from the text that a door read to what it claims, one module per format.

Every parser is pure, bounded and total: for any text whatever it returns a credential, in time
linear in the text's length, and `UNRECOGNISED` where the text is not its format.
"""

from __future__ import annotations

from admission.credential import UNRECOGNISED, Credential
from admission.credentials import citizen_card, fields, personal_qr, typed_code
from admission.reading import Reading


def parse(reading: Reading) -> Credential:
    """Return what the reading's text claims, `UNRECOGNISED` for everything else. Never raises.

    The format is picked by shape, in a fixed order, and nothing is tried twice: six fields make a
    personal QR, seven a citizen card, none a typed code. The symbology plays no part: people print
    the SMS code as a QR code, and serial scanners seldom say what they read.
    """
    text = reading.text
    if len(text) > fields.MAX_CODE_LENGTH or reading.oversized or not fields.is_clean(text):
        return UNRECOGNISED
    text = text.strip()
    separators = text.count(personal_qr.SEPARATOR)
    if separators == personal_qr.FIELDS - 1:
        return personal_qr.parse(text)
    if separators == citizen_card.FIELDS - 1:
        return citizen_card.parse(text)
    return typed_code.parse(text)
