"""Signed messages: msgpack arrays [body, signature] under Ed25519 (RFC 8032).

What is signed is a domain prefix and the body's bytes as they stand, so that a signature for one
thing is never one for another.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from admission.errors import WireError
from admission.wire import unpack_bounded

SIGNATURE_BYTES = 64

T = TypeVar("T")
_pack = msgspec.msgpack.Encoder().encode


def sign(body: bytes, domain: bytes, key: Ed25519PrivateKey) -> bytes:
    """Return the message's bytes.

    :param domain: says what kind of message it is; ends with a zero byte.
    """
    return _pack((body, key.sign(domain + body)))


def holds(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Return whether the key signed this. `message` begins with the domain."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def parts(data: bytes, limit_bytes: int) -> tuple[bytes, bytes]:
    """Return a message's body and signature, which is not checked yet.

    :raises WireError: if the bytes are no such message, or more than the limit.
    """
    match unpack_bounded(data, limit_bytes):
        case [bytes(body), bytes(signature)] if len(signature) == SIGNATURE_BYTES:
            return body, signature
    raise WireError("not a signed message")


def typed(body: bytes, form: type[T], limit_bytes: int) -> T:
    """Return what a body says.

    :raises WireError: if it is of another form, or longer than the limit.
    """
    value: Any = unpack_bounded(body, limit_bytes)
    try:
        return msgspec.convert(value, form, builtin_types=(bytes,))  # text is not read as base64
    except msgspec.ValidationError as error:
        msg = f"not a {form.__name__.lower()}: {error}"
        raise WireError(msg) from error
