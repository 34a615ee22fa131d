"""A parsed credential: what a code claims, before anybody has looked the claim up."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from admission.identity import Identifier


class CredentialKind(StrEnum):
    """Formats this gate knows. Values are on the wire and in metrics."""

    PERSONAL_QR = "personal_qr"
    """National personal QR, Decision 1405/QĐ-BTTTT v1.1."""
    CITIZEN_CARD = "citizen_card"
    """QR of the chip-based citizen card (CCCD)."""
    TYPED_CODE = "typed_code"
    """Numeric code sent by SMS, typed or scanned, with a Damm check digit."""
    UNRECOGNISED = "unrecognised"
    """Unknown, malformed, oversized or hostile."""


class Holder(msgspec.Struct, frozen=True, gc=False):
    """Who the code says holds it. Declared, never proven: only for an officer's comparison."""

    name: str
    born: date | None = None


class Credential(msgspec.Struct, frozen=True):
    """What one code says. `identifiers` are in order of authority; none means nobody to look up."""

    kind: CredentialKind
    identifiers: tuple[Identifier, ...] = ()
    holder: Holder | None = None


UNRECOGNISED = Credential(CredentialKind.UNRECOGNISED)


def masked_name(name: str) -> str:
    """Return a name that its owner recognises and the queue does not learn.

    The given name (last word in Vietnamese order) stays, every other word keeps its first letter.

    >>> masked_name("NGUYEN VAN AN")
    'N***** V** AN'
    >>> masked_name("AN")
    'A*'
    """
    words = name.split()[:8]
    if not words:
        return ""
    hidden = [w[0] + "*" * min(len(w) - 1, 12) for w in words]
    return " ".join([*hidden[:-1], words[-1][:24]]) if len(words) > 1 else hidden[0]
