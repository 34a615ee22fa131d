"""Whether one certificate was issued under another: names, key identifiers, signature (RFC 5280).

The part of path validation (RFC 5280 6.1) that a chain of two needs, where a national authority's
certificate is trusted beforehand and its signer's comes with the seal. Dates are the caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from admission.credentials import explicit_curve
from admission.credentials.der import (
    BOOLEAN,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    Algorithm,
    CertificateParts,
    algorithm_of,
    elements,
    object_identifier,
    only,
)
from admission.errors import MalformedError

MAX_RSA_BITS = 8_192
MAX_SALT_BYTES = 64

SUBJECT_KEY_IDENTIFIER, AUTHORITY_KEY_IDENTIFIER = "2.5.29.14", "2.5.29.35"
KEY_USAGE, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE = "2.5.29.15", "2.5.29.19", "2.5.29.37"

_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "2.16.840.1.101.3.4.2.4": hashes.SHA224,
    "2.16.840.1.101.3.4.2.1": hashes.SHA256,
    "2.16.840.1.101.3.4.2.2": hashes.SHA384,
    "2.16.840.1.101.3.4.2.3": hashes.SHA512,
}
_ECDSA: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "1.2.840.10045.4.3.1": hashes.SHA224,
    "1.2.840.10045.4.3.2": hashes.SHA256,
    "1.2.840.10045.4.3.3": hashes.SHA384,
    "1.2.840.10045.4.3.4": hashes.SHA512,
}
_RSA_PKCS1: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "1.2.840.113549.1.1.14": hashes.SHA224,
    "1.2.840.113549.1.1.11": hashes.SHA256,
    "1.2.840.113549.1.1.12": hashes.SHA384,
    "1.2.840.113549.1.1.13": hashes.SHA512,
}
_RSA_PSS, _MGF1 = "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8"
# String types of names that are not UTF-8: UniversalString, BMPString, TeletexString.
_TEXT_CODECS = {0x1C: "utf-32-be", 0x1E: "utf-16-be", 0x14: "latin-1"}

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


def public_key(parts: CertificateParts) -> PublicKey:
    """Return the key that a certificate is about.

    :raises MalformedError: if it is neither an EC nor an RSA key of 2,048 to `MAX_RSA_BITS`, or
        cannot be read.
    """
    try:
        key = serialization.load_der_public_key(parts.spki)
    except UnsupportedAlgorithm:
        return explicit_curve.public_key(parts.spki)
    except ValueError as error:
        raise MalformedError("the certificate's key cannot be read") from error
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key
    if isinstance(key, rsa.RSAPublicKey) and 2_048 <= key.key_size <= MAX_RSA_BITS:
        return key
    raise MalformedError("the certificate's key is neither EC nor RSA of a sound length")


def issued_under(parts: CertificateParts, authority: CertificateParts) -> bool:
    """Return whether a certificate names this authority: its name and, if both state it, its key.

    Names are compared as RFC 5280 7.1 does, whatever type their strings have.

    :raises MalformedError: if a name or key identifier cannot be read.
    """
    if name_of(parts.issuer) != name_of(authority.subject):
        return False
    wanted, known = _authority_key(parts), _own_key(authority)
    return wanted is None or known is None or wanted == known


def signature_holds(parts: CertificateParts, key: PublicKey) -> bool:
    """Return whether the certificate's signature is this key's. SHA-1 and older hold nowhere.

    :raises MalformedError: if the algorithm is unknown, or its parameters are wrong.
    """
    algorithm = parts.signature_algorithm
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(parts.signature, parts.tbs, ec.ECDSA(_hash_of(_ECDSA, algorithm.oid)))
        elif algorithm.oid == _RSA_PSS:
            salted, hashed = _pss(algorithm)
            key.verify(parts.signature, parts.tbs, salted, hashed)
        else:
            hashed = _hash_of(_RSA_PKCS1, algorithm.oid)
            key.verify(parts.signature, parts.tbs, padding.PKCS1v15(), hashed)
    except InvalidSignature:
        return False
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError("the certificate's signature cannot be checked") from error
    return True


def may_issue(parts: CertificateParts) -> bool:
    """Return whether the certificate is an authority's (basic constraints, key usage keyCertSign).

    :raises MalformedError: if one of the two extensions is malformed.
    """
    constraints = parts.extensions.get(BASIC_CONSTRAINTS)
    if constraints is None:
        return False
    stated = elements(only(constraints, SEQUENCE).content)
    if not stated or stated[0].tag != BOOLEAN or stated[0].content in (b"", b"\x00"):
        return False
    usage = parts.extensions.get(KEY_USAGE)
    if usage is None:
        return True
    bits = only(usage, 0x03).content
    return len(bits) >= 2 and bool(bits[1] & 0x04)


def purposes(parts: CertificateParts) -> frozenset[str] | None:
    """Return the extended key usages in dotted form, None where the extension is absent.

    :raises MalformedError: if it is malformed.
    """
    extension = parts.extensions.get(EXTENDED_KEY_USAGE)
    if extension is None:
        return None
    found = elements(only(extension, SEQUENCE).content)
    return frozenset(object_identifier(purpose.content) for purpose in found)


def name_of(name: bytes) -> tuple[frozenset[tuple[str, str]], ...]:
    """Return a Name's parts for comparison: types, and values in lower case and single spaces.

    :raises MalformedError: if it is no Name.
    """
    parts: list[frozenset[tuple[str, str]]] = []
    for relative in elements(only(name, SEQUENCE).content):
        attributes = [elements(attribute.content) for attribute in elements(relative.content)]
        if any(len(a) != 2 or a[0].tag != OBJECT_IDENTIFIER for a in attributes):
            raise MalformedError("not a name")
        parts.append(
            frozenset(
                (object_identifier(kind.content), _plain(value.tag, value.content))
                for kind, value in attributes
            )
        )
    return tuple(parts)


def _plain(tag: int, content: bytes) -> str:
    text = content.decode(_TEXT_CODECS.get(tag, "utf-8"), "backslashreplace")
    return " ".join(text.casefold().split())


def _own_key(parts: CertificateParts) -> bytes | None:
    extension = parts.extensions.get(SUBJECT_KEY_IDENTIFIER)
    return None if extension is None else only(extension, OCTET_STRING).content


def _authority_key(parts: CertificateParts) -> bytes | None:
    extension = parts.extensions.get(AUTHORITY_KEY_IDENTIFIER)
    if extension is None:
        return None
    stated = elements(only(extension, SEQUENCE).content)
    return next((element.content for element in stated if element.tag == 0x80), None)


def _hash_of(
    table: dict[str, Callable[[], hashes.HashAlgorithm]], oid: str
) -> hashes.HashAlgorithm:
    make = table.get(oid)
    if make is None:
        msg = f"the algorithm {oid} is not one that counts here"
        raise MalformedError(msg)
    return make()


def _pss(algorithm: Algorithm) -> tuple[padding.PSS, hashes.HashAlgorithm]:
    """Return the padding and hash of RSASSA-PSS parameters (RFC 4055 3.1), which name SHA-2."""
    stated: dict[int, Any] = {
        element.tag: elements(element.content)
        for element in elements(only(algorithm.parameters, SEQUENCE).content)
    }
    hashed, mask, salt = stated.get(0xA0), stated.get(0xA1), stated.get(0xA2)
    if not (hashed and mask) or stated.get(0xA3):
        raise MalformedError("the parameters of RSASSA-PSS name no hash or an unusual trailer")
    made = _hash_of(_HASHES, algorithm_of(hashed[0]).oid)
    mask_algorithm = algorithm_of(mask[0])
    if mask_algorithm.oid != _MGF1:
        raise MalformedError("the mask of RSASSA-PSS is not MGF1")
    inner = _hash_of(_HASHES, algorithm_of(only(mask_algorithm.parameters, SEQUENCE)).oid)
    salt_bytes = 20
    if salt:
        if salt[0].tag != INTEGER or not 0 < len(salt[0].content) <= 2:
            raise MalformedError("the salt of RSASSA-PSS has no sound length")
        salt_bytes = int.from_bytes(salt[0].content, "big", signed=True)
    if not 0 <= salt_bytes <= MAX_SALT_BYTES:
        raise MalformedError("the salt of RSASSA-PSS has no sound length")
    return padding.PSS(padding.MGF1(inner), salt_bytes), made
