"""What a gate needs of an issuer's X.509 certificate (RFC 5280), read from its DER.

Names, key, dates and allowed purposes only, in one pass over the bytes: certificates of the field
break rules elsewhere, mostly in extensions that nobody here looks at, and a library that parses
all of it refuses them whole. Nothing is verified: whoever makes a list of issuers vouches for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from admission.errors import MalformedError

MAX_BYTES = 16_384
"""Length of the longest certificate that is read."""

_SEQUENCE, _OBJECT_ID = 0x30, 0x06
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_COUNTRY = bytes.fromhex("550406")
_EXTENDED_KEY_USAGE = bytes.fromhex("551d25")
_TIME = re.compile(rb"(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?Z")


class IssuerCertificate(msgspec.Struct, frozen=True, gc=False):
    """The read parts. Times are seconds since the Unix epoch; `not_after_s` is inclusive.

    `country` is the subject's, or else the issuer's, empty if neither names one. `public_key` is
    the SubjectPublicKeyInfo in DER. `purposes` are the object identifiers of the extended key
    usage, DER content bytes; empty where the extension is missing or empty.
    """

    country: str
    public_key: bytes
    not_before_s: int
    not_after_s: int
    purposes: tuple[bytes, ...]


def read(der: bytes) -> IssuerCertificate:
    """Return the parts of a certificate. Linear in its length.

    :raises MalformedError: if it is longer than `MAX_BYTES` or one of the parts cannot be read.
    """
    if len(der) > MAX_BYTES:
        raise MalformedError("a certificate of this length is not read")
    try:
        certificate = _only(der, _SEQUENCE)
        fields = list(_elements(next(_elements(certificate))[1]))
        if fields[0][0] == _VERSION:
            del fields[0]
        _serial, _algorithm, issuer, validity, subject, public_key = fields[:6]
        not_before, not_after = (_time_s(tag, value) for tag, value, _ in _elements(validity[1]))
        return IssuerCertificate(
            _country(subject[1]) or _country(issuer[1]),
            public_key[2],
            not_before,
            not_after,
            _purposes(fields[6:]),
        )
    except (IndexError, ValueError, StopIteration, OverflowError) as error:
        raise MalformedError("not an X.509 certificate") from error


def object_id(dotted: str) -> bytes:
    """Return the DER content bytes of an object identifier (X.690, clause 8.19).

    :raises ValueError: if it is not at least two numbers with dots between.

    >>> object_id("1.3.6.1.4.1.1847.2021.1.2").hex()
    '2b060104018e378f650102'
    """
    first, second, *rest = (int(number) for number in dotted.split("."))
    content = bytearray()
    for number in (first * 40 + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return bytes(content)


def _elements(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield tag, content and the whole of each element (X.690; definite lengths only)."""
    at = 0
    while at < len(data):
        start, tag, length = at, data[at], data[at + 1]
        at += 2
        if tag & 0x1F == 0x1F:
            raise ValueError("a tag of several bytes")
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 3:
                raise ValueError("an indefinite or enormous length")
            length = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + length > len(data):
            raise ValueError("an element longer than what holds it")
        yield tag, data[at : at + length], data[start : at + length]
        at += length


def _only(data: bytes, tag: int) -> bytes:
    found, content, _ = next(_elements(data))
    if found != tag:
        raise ValueError("another tag than expected")
    return content


def _country(name: bytes) -> str:
    for _, relative, _ in _elements(name):
        for _, attribute, _ in _elements(relative):
            parts = [content for _, content, _ in _elements(attribute)]
            if parts[0] == _COUNTRY and len(parts[1]) == 2 and parts[1].isalpha():
                return parts[1].decode("ascii").upper()
    return ""


def _purposes(optional: list[tuple[int, bytes, bytes]]) -> tuple[bytes, ...]:
    for tag, content, _ in optional:
        if tag != _EXTENSIONS:
            continue
        for _, extension, _ in _elements(_only(content, _SEQUENCE)):
            parts = [part for _, part, _ in _elements(extension)]
            if parts[0] == _EXTENDED_KEY_USAGE:
                listed = _elements(_only(parts[-1], _SEQUENCE))
                return tuple(value for tag, value, _ in listed if tag == _OBJECT_ID)
    return ()


def _time_s(tag: int, value: bytes) -> int:
    found = _TIME.fullmatch(value)
    if found is None or (tag, len(found[1])) not in ((_UTC_TIME, 2), (_GENERALIZED_TIME, 4)):
        raise ValueError("not a time of RFC 5280, clause 4.1.2.5")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    if tag == _UTC_TIME:
        year += 1900 if year >= 50 else 2000
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
