"""The schemes of rotating codes: patterns, periods, and the secret from which all keys come.

A scheme's document is JSON, and secret: whoever has it can make codes for everybody. It belongs
into a file of mode 0600 at the gate and at whoever issues the wallet's objects, never into a
release.
"""

from __future__ import annotations

import hmac
import re
from typing import Any

import msgspec

from admission.credentials.one_time_password import MAX_DIGITS
from admission.credentials.rotating_pattern import MAX_ID_LENGTH, Pattern
from admission.errors import IssueError, TrustError

MAX_DOCUMENT_BYTES = 16_384
MAX_SCHEMES = 8
SECRET_BYTES = 32
SHA256_BYTES = 32
OBJECT_SECRET_BYTES = 20
"""As long as SHA-1's output, which RFC 4226 §4 recommends."""
MAX_COUNTERS = 64
"""Counters that are tried for a code without a timestamp."""
DEFAULT_PATTERN = "CHOTR1:{id}:{totp_timestamp_seconds}:{totp_value_0}"
DEFAULT_HINT = "`chot rotating secret --out FILE` makes one"

_MIN_VALUE_DIGITS = 8  # codes are shown faster than they are typed: six digits could be tried
_OBJECT_ID = re.compile(rf"[0-9A-Za-z][0-9A-Za-z._-]{{0,{MAX_ID_LENGTH - 1}}}", re.ASCII)


class SchemeTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One scheme as it is written down. `secret` is 64 hexadecimal digits.

    `window_ms` is for how long a code counts after it was made, `ahead_ms` by how much the clock of
    the telephone may be ahead of the gate's.
    """

    name: str
    secret: str
    pattern: str = DEFAULT_PATTERN
    period_ms: int = 30_000
    digits: tuple[int, ...] = (8,)
    window_ms: int = 60_000
    ahead_ms: int = 10_000

    def __repr__(self) -> str:
        """Return a form without the secret."""
        return f"SchemeTable(name={self.name!r})"


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schemes: tuple[SchemeTable, ...]


class Scheme:
    """One scheme, checked and compiled; see `SchemeTable`.

    :raises TrustError: if its secret, its pattern or its times cannot be used.
    """

    def __init__(self, table: SchemeTable) -> None:
        try:
            self._secret = bytes.fromhex(table.secret)
        except ValueError:
            self._secret = b""
        if len(self._secret) != SECRET_BYTES:
            raise _unusable(table, f"its secret is not {2 * SECRET_BYTES} hexadecimal digits")
        if not all(_MIN_VALUE_DIGITS <= each <= MAX_DIGITS for each in table.digits):
            raise _unusable(table, f"a value has {_MIN_VALUE_DIGITS} or {MAX_DIGITS} digits")
        sound = 1_000 <= table.period_ms <= 600_000 and 0 <= table.ahead_ms <= 60_000
        if not sound or not table.period_ms <= table.window_ms <= 600_000:
            raise _unusable(table, "its times are out of bounds, or its window is below a period")
        if (table.window_ms + table.ahead_ms) // table.period_ms + 2 > MAX_COUNTERS:
            raise _unusable(table, "its window holds too many periods")
        # RFC 5869 2.2, without salt: the same for every object.
        self._extracted = hmac.digest(bytes(SHA256_BYTES), self._secret, "sha256")
        numbers = [b"", *(b"\0%d" % n for n in range(1, len(table.digits)))]
        self._tails = [number + b"\x01" for number in numbers]  # of `info`, with the block's number
        self.table = table
        self.pattern = Pattern(table.pattern, table.digits)

    def __repr__(self) -> str:
        """Return a form without the secret."""
        return f"Scheme(name={self.table.name!r})"

    def object_secrets(self, object_id: str) -> tuple[bytes, ...]:
        """Return the secret of each value of one wallet object, 20 bytes each.

        HKDF-SHA-256 (RFC 5869) without salt over the scheme's secret; `info` is `chot rotating
        code`, a zero byte and the id, and for the values after the first a zero byte and the
        value's number. One object's secret says nothing about another's, and the gate keeps one.
        """
        info = b"chot rotating code\0" + object_id.encode("ascii")
        # RFC 5869 2.3: one block is enough. By hand it takes less than half the library's time.
        return tuple(
            [
                hmac.digest(self._extracted, info + tail, "sha256")[:OBJECT_SECRET_BYTES]
                for tail in self._tails
            ]
        )

    def wallet_fragment(self, object_id: str) -> dict[str, Any]:
        """Return the part of a Google Wallet object that makes its code rotate.

        `rotatingBarcode` of walletobjects.v1 (type RotatingBarcode), as JSON values. It holds the
        object's own secrets.

        :raises IssueError: if this is no object id (see `is_object_id`).
        """
        if not is_object_id(object_id):
            raise IssueError(
                "a wallet object's id has letters, digits, dots, dashes and underscores only",
                hint="write it as the wallet does: ISSUER.NAME",
            )
        parameters = [
            {"key": secret.hex(), "valueLength": length}
            for secret, length in zip(
                self.object_secrets(object_id), self.table.digits, strict=True
            )
        ]
        return {
            "rotatingBarcode": {
                "type": "QR_CODE",
                "renderEncoding": "UTF_8",
                "valuePattern": self.pattern.filled(object_id),
                "totpDetails": {
                    "periodMillis": str(self.table.period_ms),
                    "algorithm": "TOTP_SHA1",
                    "parameters": parameters,
                },
            }
        }


Schemes = tuple[Scheme, ...]


def is_object_id(text: str) -> bool:
    """Return whether this is a wallet object's id: 1 to 96 of ASCII letters, digits, `.`, `_`, `-`.

    The first is a letter or a digit.
    """
    return _OBJECT_ID.fullmatch(text) is not None


def read_schemes(data: bytes) -> Schemes:
    """Return the schemes of a document.

    :raises TrustError: if it is oversized, malformed, or a scheme in it cannot be used. The message
        never quotes a secret.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise TrustError("the schemes of rotating codes are oversized", hint=DEFAULT_HINT)
    try:
        document = msgspec.json.decode(data, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TrustError(
            "the schemes of rotating codes are malformed", hint=DEFAULT_HINT
        ) from error
    schemes = tuple(Scheme(table) for table in document.schemes)
    if not 0 < len(schemes) <= MAX_SCHEMES or len({s.table.name for s in schemes}) < len(schemes):
        msg = f"there are 1 to {MAX_SCHEMES} schemes of rotating codes, each with its own name"
        raise TrustError(msg, hint=DEFAULT_HINT)
    return schemes


def schemes_document(tables: tuple[SchemeTable, ...]) -> bytes:
    """Return the document of these schemes, indented for people, as `read_schemes` takes it.

    :raises TrustError: as `read_schemes`.
    """
    data = msgspec.json.format(msgspec.json.encode(_Document(tables)), indent=2) + b"\n"
    read_schemes(data)
    return data


def _unusable(table: SchemeTable, why: str) -> TrustError:
    return TrustError(
        f"the rotating scheme {table.name!r} cannot be used: {why}", hint=DEFAULT_HINT
    )
