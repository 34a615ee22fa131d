"""What a document signer certificate (DSC) says that a gate needs, from its DER (RFC 5280).

Country, key, dates and allowed purposes, on top of `der`: certificates of the field break rules
elsewhere, mostly in extensions that nobody here looks at. Nothing is verified: whoever makes a list
of signers vouches for it.
"""

from __future__ import annotations

import msgspec

from admission.credentials.der import (
    OBJECT_IDENTIFIER,
    SEQUENCE,
    certificate_parts,
    elements,
    object_identifier,
    only,
)
from admission.errors import MalformedError

_NS = 1_000_000_000
_COUNTRY = "2.5.4.6"
_EXTENDED_KEY_USAGE = "2.5.29.37"


class SignerCertificate(msgspec.Struct, frozen=True, gc=False):
    """The read parts. Times are seconds since the Unix epoch; `not_after_s` is inclusive.

    `country` is the subject's, or else the issuer's, empty if neither names one. `public_key` is
    the SubjectPublicKeyInfo in DER. `purposes` are the object identifiers of the extended key
    usage, dotted; empty where the extension is missing or empty.
    """

    country: str
    public_key: bytes
    not_before_s: int
    not_after_s: int
    purposes: tuple[str, ...]


def read(der: bytes) -> SignerCertificate:
    """Return the parts of a certificate. Linear in its length.

    :raises MalformedError: if it is too long or one of the parts cannot be read.
    """
    parts = certificate_parts(der)
    usage = parts.extensions.get(_EXTENDED_KEY_USAGE)
    return SignerCertificate(
        _country(parts.subject) or _country(parts.issuer),
        parts.spki,
        parts.not_before_ns // _NS,
        parts.not_after_ns // _NS,
        () if usage is None else _purposes(usage),
    )


def _country(name: bytes) -> str:
    for relative in elements(only(name, SEQUENCE).content):
        for attribute in elements(relative.content):
            parts = elements(attribute.content)
            if len(parts) != 2 or parts[0].tag != OBJECT_IDENTIFIER:
                raise MalformedError("a name's attribute is malformed")
            letters = parts[1].content
            if object_identifier(parts[0].content) == _COUNTRY and len(letters) == 2:
                return letters.decode("ascii").upper() if letters.isalpha() else ""
    return ""


def _purposes(usage: bytes) -> tuple[str, ...]:
    return tuple(
        object_identifier(purpose.content)
        for purpose in elements(only(usage, SEQUENCE).content)
        if purpose.tag == OBJECT_IDENTIFIER
    )
