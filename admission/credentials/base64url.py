"""Base64url without padding, the text form of bytes in JOSE (RFC 7515 2, RFC 4648 5)."""

from __future__ import annotations

import base64
import binascii
import re

from admission.errors import MalformedError

_TEXT = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


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
    if not _TEXT.fullmatch(text):
        raise MalformedError("a character outside the base64url alphabet")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise MalformedError("not the length of a base64url text") from error
    if encode(data) != text:
        raise MalformedError("bits left over at the end of a base64url text")
    return data


def encode(data: bytes) -> str:
    r"""Return the text of `data`.

    >>> encode(b"\xfb\xff")
    '-_8'
    """
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
