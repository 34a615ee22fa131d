"""What a gate and its hub say to each other when the gate is enrolled: token, names, fingerprint.

A token is text that a person carries from the hub to the gate, on paper or by hand:
`CHOTENROL1:` and base32 (RFC 4648 §6, no padding) of a msgpack array and a check of four bytes.
Its letters are those of QR codes' alphanumeric mode (ISO/IEC 18004 §7.4.4). It holds a secret that
counts once, and names the certificate by which the gate knows the hub before it says the secret.

The wire follows EST (RFC 7030): paths, PKCS #10 up and PKCS #7 down, 202 while a person decides.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
from collections.abc import Callable

import msgspec

from admission.errors import EnrolmentError, WireError
from admission.wire import unpack_bounded

PREFIX = "CHOTENROL1:"
SECRET_BYTES = 16
PIN_BYTES = 32
MAX_TOKEN_LENGTH = 1_024
"""Characters of the longest text that is looked at as a token."""
MAX_URL_LENGTH = 255
MAX_REQUEST_BYTES = 4_096
"""The longest certificate request (PKCS #10) that is read, as DER."""
MAX_ANSWER_BYTES = 65_536
"""The longest answer that a gate reads."""

AUTHORITY_PATH = "/.well-known/est/cacerts"
ENROL_PATH = "/.well-known/est/simpleenroll"
RENEW_PATH = "/.well-known/est/simplereenroll"
REGION_PATH = "/v2/enrolment/region"
"""Where an enrolled gate asks for what every gate of the region has: root and hash key."""
REQUEST_CONTENT_TYPE = "application/pkcs10"
CERTIFICATES_CONTENT_TYPE = "application/pkcs7-mime"
REGION_CONTENT_TYPE = "application/vnd.chot.region+msgpack"
USER = "enrol"
"""The user that the secret is the password of (RFC 7617): who it is for, the hub looks up."""

_CHECK_BYTES = 4
_MAX_PORT = 65_535
_SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_URL = re.compile(
    r"(https?)://([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?"
    r"(?:/[A-Za-z0-9._~-]+)*/?"
)
_HINT = "copy it whole, or scan it again: `chot hub enrol token` made it"


class Token(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a token says. `repr` shows no secret.

    :ivar secret: 16 random bytes; the hub keeps their SHA-256.
    :ivar pin: SHA-256 of the certificate (DER) that the hub's TLS certificate is judged by.
    :ivar url: the hub's address; plain HTTP on this very machine only.
    :ivar site: the site, and
    :ivar serial: the hardware that the token is for.
    """

    secret: bytes
    pin: bytes
    url: str
    site: str
    serial: str

    def __repr__(self) -> str:
        return f"Token(url={self.url!r}, site={self.site!r}, serial={self.serial!r})"


class Region(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What every gate of a region has: the root of trust (TUF), and the secret hash key.

    `repr` shows nothing of it.
    """

    root: bytes
    hash_key: bytes

    def __repr__(self) -> str:
        return "Region(...)"


def pack_token(token: Token) -> str:
    """Return the text of a token.

    :raises EnrolmentError: if a part of it is out of bounds.
    """
    if fault := _fault(token):
        raise EnrolmentError(fault)
    body = msgspec.msgpack.encode(token)
    text = base64.b32encode(body + _check(body)).decode("ascii")
    return PREFIX + text.rstrip("=")


def unpack_token(text: str) -> Token:
    """Return what a token says; white space in it and the letters' case do not matter.

    >>> unpack_token("CHOTENROL1:AAAA")
    Traceback (most recent call last):
    admission.errors.EnrolmentError: the token is incomplete or mistyped

    :raises EnrolmentError: if it is no token, or was damaged on the way. Never quotes it.
    """
    if len(text) > MAX_TOKEN_LENGTH:
        raise EnrolmentError("this is too long for a token", hint=_HINT)
    compact = "".join(text.split()).upper()
    if not compact.startswith(PREFIX):
        msg = f"a token begins with {PREFIX}"
        raise EnrolmentError(msg, hint=_HINT)
    coded = compact.removeprefix(PREFIX)
    try:
        data = base64.b32decode(coded + "=" * (-len(coded) % 8))
    except (binascii.Error, ValueError) as error:
        raise EnrolmentError("the token is incomplete or mistyped", hint=_HINT) from error
    body, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
    if len(data) <= _CHECK_BYTES or check != _check(body):
        raise EnrolmentError("the token is incomplete or mistyped", hint=_HINT)
    try:
        token = msgspec.convert(unpack_bounded(body, MAX_TOKEN_LENGTH), Token)
    except (WireError, msgspec.ValidationError) as error:
        raise EnrolmentError("the token says nothing that is known here", hint=_HINT) from error
    if fault := _fault(token):
        raise EnrolmentError(fault, hint=_HINT)
    return token


def token_hash(secret: bytes) -> bytes:
    """Return the SHA-256 under which the hub keeps a token's secret."""
    return hashlib.sha256(b"chot enrolment token\x00" + secret).digest()


def basic_password(secret: bytes) -> str:
    """Return a secret as the password of HTTP's Basic scheme (RFC 7617)."""
    return base64.b32encode(secret).decode("ascii").rstrip("=")


def secret_of_password(password: str) -> bytes | None:
    """Return the secret in a password, or None if it is none.

    >>> secret_of_password(basic_password(bytes(16))) == bytes(16)
    True
    """
    if len(password) > 2 * SECRET_BYTES:
        return None
    try:
        secret = base64.b32decode(password + "=" * (-len(password) % 8))
    except (binascii.Error, ValueError):
        return None
    return secret if len(secret) == SECRET_BYTES else None


def fingerprint(public_key: bytes) -> str:
    """Return twenty digits for a raw key: what two people read to each other.

    66 bits of its SHA-256: nobody finds another key with the same digits.

    >>> fingerprint(bytes(32))
    '19191 43206 85956 37005'
    """
    number = int.from_bytes(hashlib.sha256(b"chot device\x00" + public_key).digest(), "big")
    digits = f"{number % 10**20:020d}"
    return " ".join(digits[at : at + 5] for at in range(0, 20, 5))


def device_uri(site: str, serial: str) -> str:
    """Return the name of a device's place and hardware in its certificate (RFC 5280 §4.2.1.6).

    >>> device_uri("tan-dinh", "10000000abcdef01")
    'chot://tan-dinh/10000000abcdef01'
    """
    return f"chot://{site}/{serial}"


def is_serial(text: str) -> bool:
    """Return whether this may be a device's serial number."""
    return _SERIAL.fullmatch(text) is not None


def is_site(text: str) -> bool:
    """Return whether this may be a site's id."""
    return _SITE.fullmatch(text) is not None


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, whatever a name server says.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("hub.example.org")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def url_fault(url: str) -> str:
    """Return why a gate could not be enrolled at this address; empty if it can."""
    found = _URL.fullmatch(url) if len(url) <= MAX_URL_LENGTH else None
    if found is None or not 0 < int(found[3] or 443) <= _MAX_PORT:
        return "this is no address of a hub: write https://HOST:PORT"
    if found[1] == "http" and not is_loopback(found[2].strip("[]")):
        return "a gate is enrolled over https, or on the hub's own machine"
    return ""


_FAULTS: tuple[tuple[Callable[[Token], bool], str], ...] = (
    (lambda token: len(token.secret) == SECRET_BYTES, "the token's secret is of another length"),
    (lambda token: len(token.pin) == PIN_BYTES, "the token's pin is of another length"),
    (lambda token: is_site(token.site), "the token names no site"),
    (lambda token: is_serial(token.serial), "the token names no serial number"),
)


def _fault(token: Token) -> str:
    found = next((fault for holds, fault in _FAULTS if not holds(token)), "")
    return found or url_fault(token.url)


def _check(body: bytes) -> bytes:
    return hashlib.sha256(PREFIX.encode() + body).digest()[:_CHECK_BYTES]
