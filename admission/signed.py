"""Signed messages: msgpack arrays [body, signature] under Ed25519 (RFC 8032).

What is signed is a domain prefix and the body's bytes as they stand, so that a signature for one
thing is never one for another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from admission.errors import WireError

SIGNATURE_BYTES = 64

T = TypeVar("T")
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_pack = msgspec.msgpack.Encoder().encode


class _Message(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    body: bytes
    signature: bytes


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


def require_signature(
    what: str, keys: Iterable[Ed25519PublicKey], signature: bytes, message: bytes
) -> None:
    """Check that one of these keys signed this. `message` begins with the domain.

    :param what: what it is, for a person.
    :raises WireError: if none did.
    """
    if not any(holds(key, signature, message) for key in keys):
        msg = f"the {what} is not signed by a key that is trusted here"
        raise WireError(msg, hint="compare root.json here with the hub's: chot hub keys names it")


def parts(data: bytes, limit_bytes: int) -> tuple[bytes, bytes]:
    """Return a message's body and signature, which is not checked yet.

    :raises WireError: if the bytes are no such message, or more than the limit.
    """
    message = typed(data, _Message, limit_bytes)
    if len(message.signature) != SIGNATURE_BYTES:
        raise WireError("not a signed message")
    return message.body, message.signature


def typed(body: bytes, form: type[T], limit_bytes: int) -> T:
    """Return what a body says.

    Reading ends at the first value that is of another kind than the form's: a stranger's message
    never becomes a million objects before it is refused.

    :raises WireError: if it is of another form, or longer than the limit.
    """
    if len(body) > limit_bytes:
        msg = f"a message of {len(body)} bytes is over the limit of {limit_bytes}"
        raise WireError(msg)
    try:
        return msgspec.msgpack.decode(body, type=form)
    except _UNREADABLE as error:
        msg = f"not a {form.__name__.strip('_').lower()}: {error}"
        raise WireError(msg) from error
