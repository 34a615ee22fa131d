"""The document by which gates learn whom they seal entries for: `seal/journal`.

JSON: {"type": "journal-seal", "version": 1, "public_key": 64 hex digits}. Its signature is the
release's, as for every document.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from admission.errors import TrustError
from admission.sealing import raw_public

MAX_RECIPIENT_BYTES = 1_024
_TRIAL = X25519PrivateKey.from_private_bytes(bytes(32))  # nobody's: tells whether a key is one


class _Recipient(msgspec.Struct, frozen=True):
    type: Literal["journal-seal"]
    version: Literal[1]
    public_key: str


def write_recipient(public: X25519PublicKey) -> bytes:
    """Return the document. The same key always gives the same bytes."""
    return msgspec.json.encode(_Recipient("journal-seal", 1, raw_public(public).hex()))


def read_recipient(data: bytes) -> X25519PublicKey:
    """Return the key that entries are to be sealed for.

    :raises TrustError: if the document is malformed, or of a key that no key can be agreed on with.
    """
    if len(data) > MAX_RECIPIENT_BYTES:
        raise TrustError("the document of the seal's key is too long")
    try:
        recipient = msgspec.json.decode(data, type=_Recipient)
        public = X25519PublicKey.from_public_bytes(bytes.fromhex(recipient.public_key))
        _TRIAL.exchange(public)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError) as error:
        raise TrustError("the document of the seal's key holds none") from error
    return public
