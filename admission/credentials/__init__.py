"""Credentials: from the text that a door read to what it claims, one module per format.

Every parser is pure, bounded and total: for any text whatever it returns a credential, in time
linear in the text's length, and `UNRECOGNISED` where the text is not its format.
"""

from __future__ import annotations

from collections.abc import Callable

from admission.credential import UNRECOGNISED, Credential
from admission.credentials import (
    backup_number,
    chot_pass,
    citizen_card,
    dcc,
    fields,
    insurance_card,
    personal_qr,
    rotating_code,
    smart_health_card,
    typed_code,
    vds_nc,
)
from admission.credentials.trust import NOBODY, Trust
from admission.instant import Instant
from admission.reading import Reading

_BY_FIELDS: dict[int, tuple[Callable[[str], Credential], ...]] = {
    1: (typed_code.parse, backup_number.parse),
    citizen_card.FIELDS_WITHOUT_CMND: (personal_qr.parse, citizen_card.parse),
    citizen_card.FIELDS: (citizen_card.parse,),
    **dict.fromkeys(
        range(insurance_card.MIN_FIELDS, insurance_card.MAX_FIELDS + 1), (insurance_card.parse,)
    ),
}
"""Unsigned formats by their number of fields."""


def parse(reading: Reading, trust: Trust = NOBODY, now: Instant | None = None) -> Credential:
    """Return what the reading's text claims and proves, `UNRECOGNISED` for everything else.

    Never raises. The format is picked by prefix and shape, in a fixed order: signed formats have a
    prefix of their own, then come the wallets' patterns, then the unsigned formats by their number
    of fields. The symbology plays no part: people print the SMS code as a QR code, and serial
    scanners seldom say what they read. What none of them knows, an integrator's parser may.

    :param trust: whose signatures count.
    :param now: for rotating codes that do not say when they were made.
    """
    if reading.oversized:
        return UNRECOGNISED
    text = reading.text
    if text.startswith(dcc.PREFIX):
        return dcc.parse(text, trust.dcc)
    if text.startswith(chot_pass.PREFIX):
        return chot_pass.parse(text, trust.passes)
    if text.startswith(smart_health_card.PREFIX):
        return smart_health_card.parse(text, trust.health_cards)
    if text.startswith("{"):
        return vds_nc.parse(text, trust.seals)
    found = rotating_code.parse(text, trust.rotating, now) if trust.rotating else UNRECOGNISED
    if found is UNRECOGNISED:
        found = _unsigned(text)
    if found is UNRECOGNISED and trust.strangers is not None:
        return trust.strangers(text, reading.payload) or UNRECOGNISED
    return found


def _unsigned(text: str) -> Credential:
    if len(text) > fields.MAX_CODE_LENGTH or not fields.is_clean(text):
        return UNRECOGNISED
    text = text.strip()
    for parser in _BY_FIELDS.get(text.count(fields.SEPARATOR) + 1, ()):
        found = parser(text)
        if found is not UNRECOGNISED:
            return found
    return UNRECOGNISED
