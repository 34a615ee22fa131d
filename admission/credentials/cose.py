"""Signed messages with one signer: COSE_Sign1 (RFC 9052, clause 4.2; algorithms: RFC 9053, 8230).

Read tagged 18, tagged 61 and 18 (a CWT, RFC 8392) or untagged. The algorithm and the key id are
taken from the protected header, and where it lacks them from the unprotected one, as the EU's
certificates need it (eu-dcc-hcert-spec, clause 3.3).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cbor2
import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from admission.credentials import cbor
from admission.errors import MalformedError

ES256 = -7
EDDSA = -8
PS256 = -37

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | Ed25519PublicKey

_ALGORITHM = 1
_KEY_ID = 4
_SIGN1 = 18
_CWT = 61
_TAGS = frozenset({_SIGN1, _CWT})
_PARTS = 4
_HEADERS_KEPT = 64

_ECDSA_SHA256 = ec.ECDSA(SHA256())
_PSS_SHA256 = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
_SHA256 = SHA256()


class Sign1(msgspec.Struct, frozen=True, gc=False):
    """One signed message. `protected` is the header as it was signed, byte for byte.

    `algorithm` is 0 and `key_id` empty where neither header has one of the right type.
    """

    protected: bytes
    algorithm: int
    key_id: bytes
    payload: bytes
    signature: bytes


def decode(data: bytes) -> Sign1:
    """Return the message's parts; nothing is verified.

    :raises MalformedError: if `data` is no COSE_Sign1 with its payload attached.
    """
    message = cbor.decode(data, tags=_TAGS)
    if isinstance(message, cbor2.CBORTag) and message.tag == _CWT:
        message = message.value
        if not isinstance(message, cbor2.CBORTag):
            raise MalformedError("tag 61 needs a COSE tag within")
    if isinstance(message, cbor2.CBORTag):
        if message.tag != _SIGN1:
            raise MalformedError("tag 61 twice")
        message = message.value
    if not (isinstance(message, list) and len(message) == _PARTS):
        raise MalformedError("a COSE_Sign1 has four parts")
    protected, unprotected, payload, signature = message
    if not (
        isinstance(protected, bytes)
        and isinstance(unprotected, dict)
        and isinstance(payload, bytes)
        and isinstance(signature, bytes)
    ):
        raise MalformedError("the parts of a COSE_Sign1 have other types")
    algorithm, key_id = _labels_of(protected)
    if algorithm is None:
        algorithm = _labelled(_ALGORITHM, int, unprotected)
    if key_id is None:
        key_id = _labelled(_KEY_ID, bytes, unprotected)
    return Sign1(protected, algorithm or 0, key_id or b"", payload, signature)


def verify(message: Sign1, key: PublicKey) -> bool:
    """Return whether the signature holds under `key` and is of the message's own algorithm.

    ES256 (r and s each as long as the curve's order), PS256 (salt as long as the digest) and EdDSA
    with Ed25519. False for every other algorithm, a key of another type, and every malformed
    signature. Never raises.
    """
    try:
        return _VERIFY[message.algorithm](message, key)
    except (KeyError, InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False


def sign(payload: bytes, key: Ed25519PrivateKey, *, key_id: bytes) -> bytes:
    """Return `payload` signed with EdDSA, as a COSE_Sign1 tagged 18.

    Algorithm and key id stand in the protected header. The same arguments give the same bytes.
    """
    protected = cbor.encode({_ALGORITHM: EDDSA, _KEY_ID: key_id})
    signature = key.sign(signed_bytes(protected, payload))
    return cbor.encode(cbor2.CBORTag(_SIGN1, [protected, {}, payload, signature]))


def signed_bytes(protected: bytes, payload: bytes) -> bytes:
    """Return the Sig_structure that a signature covers (RFC 9052, clause 4.4), no external data.

    >>> signed_bytes(b"", b"p").hex()
    '846a5369676e61747572653140404170'
    """
    return (
        b"\x84\x6aSignature1"
        + _byte_string_head(len(protected))
        + protected
        + b"\x40"
        + _byte_string_head(len(payload))
        + payload
    )


def _byte_string_head(length: int) -> bytes:
    if length < 24:
        return bytes((0x40 | length,))
    if length < 1 << 8:
        return bytes((0x58, length))
    if length < 1 << 16:
        return b"\x59" + length.to_bytes(2, "big")
    return b"\x5a" + length.to_bytes(4, "big")


@lru_cache(_HEADERS_KEPT)
def _labels_of(protected: bytes) -> tuple[int | None, bytes | None]:
    """Return algorithm and key id of a protected header: one signer's codes all have the same.

    :raises MalformedError: if it is no map.
    """
    header = cbor.decode(protected) if protected else {}
    if not isinstance(header, dict):
        raise MalformedError("a COSE header is a map")
    return _labelled(_ALGORITHM, int, header), _labelled(_KEY_ID, bytes, header)


def _labelled(label: int, kind: type, header: dict[Any, Any]) -> Any:
    value = header.get(label)
    return value if type(value) is kind else None


def _verify_es256(message: Sign1, key: PublicKey) -> bool:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    size = (key.key_size + 7) // 8
    signature = message.signature
    if len(signature) != 2 * size:
        return False
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    signed = signed_bytes(message.protected, message.payload)
    key.verify(encode_dss_signature(r, s), signed, _ECDSA_SHA256)
    return True


def _verify_ps256(message: Sign1, key: PublicKey) -> bool:
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    signed = signed_bytes(message.protected, message.payload)
    key.verify(message.signature, signed, _PSS_SHA256, _SHA256)
    return True


def _verify_eddsa(message: Sign1, key: PublicKey) -> bool:
    if not isinstance(key, Ed25519PublicKey):
        return False
    key.verify(message.signature, signed_bytes(message.protected, message.payload))
    return True


_VERIFY = {ES256: _verify_es256, PS256: _verify_ps256, EDDSA: _verify_eddsa}
