"""One-time passwords: HOTP (RFC 4226) and its counter from time, TOTP (RFC 6238), with HMAC-SHA-1.

SHA-1's collisions are no matter in HMAC; it is what wallets speak (`TOTP_SHA1`).
"""

from __future__ import annotations

import hmac

MIN_DIGITS = 6
MAX_DIGITS = 9
_COUNTER_BYTES = 8


def hotp(secret: bytes, counter: int, digits: int) -> str:
    """Return the password for a counter: HMAC-SHA-1, dynamic truncation (RFC 4226 §5.3).

    :param counter: 0 to 2⁶⁴ - 1.
    :param digits: 6 (RFC 4226 §5.3: at least) to 9: the truncated 31 bits fill no tenth digit.
    :raises ValueError: if either is out of its range.

    >>> hotp(b"12345678901234567890", 1, 6)
    '287082'
    """
    if not MIN_DIGITS <= digits <= MAX_DIGITS or not 0 <= counter < 1 << 64:
        raise ValueError("a one-time password has 6 to 9 digits and a counter of 64 bits")
    mac = hmac.digest(secret, counter.to_bytes(_COUNTER_BYTES, "big"), "sha1")
    offset = mac[-1] & 0x0F
    truncated = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{truncated % 10**digits:0{digits}}"


def time_counter(unix_ms: int, period_ms: int) -> int:
    """Return the counter of a time: whole periods since the Unix epoch (RFC 6238 §4.2, T0 = 0).

    >>> time_counter(59_000, 30_000)
    1
    """
    return unix_ms // period_ms
