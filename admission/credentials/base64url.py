"""Base64url without padding, the text form of bytes in JOSE (RFC 7515 2, RFC 4648 5)."""

from __future__ import annotations

import base64
import binascii

from admission.errors import MalformedError

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_STANDARD = bytes.maketrans(b"-_", b"+/")
_LAST = {2: frozenset(_ALPHABET[::16]), 3: frozenset(_ALPHABET[::4])}
"""Characters that may end a text, by how many it has over a multiple of four."""
_PADDING = (b"", b"", b"==", b"=")


def decode(text: str, *, padded: bool = False) -> bytes:
    r"""Return the bytes of `text`. Every value has one text only, so no signature has two.

    :param padded: allow the `=` at the end, which some issuers write.

    :raises MalformedError: if a character is outside the alphabet, or the text is not the one that
        encoding gives.

    >>> decode("-_8"), decode("-_8=", padded=True)
    (b'\xfb\xff', b'\xfb\xff')
    """
    if padded:
        text = text.rstrip("=") if len(text) % 4 == 0 else text
    characters = text.encode("utf-8", "replace")
    if characters.translate(None, _ALPHABET):
        raise MalformedError("a character outside the base64url alphabet")
    over = len(characters) % 4
    if over == 1:
        raise MalformedError("not the length of a base64url text")
    # The last character of a text that is no multiple of four has bits that belong to no byte.
    if over and characters[-1] not in _LAST[over]:
        raise MalformedError("bits left over at the end of a base64url text")
    return binascii.a2b_base64(characters.translate(_STANDARD) + _PADDING[over])


def encode(data: bytes) -> str:
    r"""Return the text of `data`.

    >>> encode(b"\xfb\xff")
    '-_8'
    """
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
