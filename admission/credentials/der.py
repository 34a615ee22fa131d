"""The parts of an X.509 certificate that verifying needs, read from its DER by ourselves.

National signing certificates break rules that libraries insist on (an empty key usage, a private
extension, a v1 certificate, a negative serial number), and one such mistake must not make a
country's certificates unreadable. So what is not needed is stepped over unread: elements are
bounded by their parent, lengths are definite (X.690 10.1), tags have one byte, nesting is only
followed where the certificate's own grammar (RFC 5280 4.1) leads.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from admission.errors import MalformedError

MAX_CERTIFICATE_BYTES = 16_384
"""Bytes of the longest certificate that is looked at."""
MAX_ELEMENTS = 64
"""Elements of one sequence: extensions of a certificate, key identifiers of a list."""

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER = 0x01, 0x02, 0x03, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME, SEQUENCE = 0x17, 0x18, 0x30

_VERSION, _EXTENSIONS = 0xA0, 0xA3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Element(msgspec.Struct, frozen=True, gc=False):
    """One element: its tag, its content, and `whole` with tag and length in front."""

    tag: int
    content: bytes
    whole: bytes


class Algorithm(msgspec.Struct, frozen=True, gc=False):
    """An AlgorithmIdentifier: dotted object identifier, and its parameters' DER (may be empty)."""

    oid: str
    parameters: bytes = b""


class CertificateParts(msgspec.Struct, frozen=True):
    """What a certificate says. Names, `tbs` and `spki` are whole DER elements, times wall time.

    It counts from `not_before_ns` to `not_after_ns`, both inclusive (RFC 5280 4.1.2.5), ns since
    the Unix epoch. `extensions` maps a dotted object identifier to the extension's own DER.
    """

    tbs: bytes
    issuer: bytes
    subject: bytes
    not_before_ns: int
    not_after_ns: int
    spki: bytes
    extensions: Mapping[str, bytes]
    signature_algorithm: Algorithm
    signature: bytes


def certificate_parts(data: bytes) -> CertificateParts:
    """Return the parts of one DER certificate. Nothing is verified.

    :raises MalformedError: if it is oversized, malformed in a part that is needed, or does not
        fill `data`.
    """
    if len(data) > MAX_CERTIFICATE_BYTES:
        msg = f"a certificate of {len(data)} bytes is over the limit of {MAX_CERTIFICATE_BYTES}"
        raise MalformedError(msg)
    certificate = only(data, SEQUENCE)
    tbs, algorithm, signature = exactly(certificate, SEQUENCE, SEQUENCE, BIT_STRING)
    fields = elements(tbs.content)
    if fields and fields[0].tag == _VERSION:
        fields = fields[1:]
    if [field.tag for field in fields[:1]] != [INTEGER] or len(fields) < 6:
        raise MalformedError("the certificate has no serial number or lacks fields")
    _, inner_algorithm, issuer, validity, subject, spki = fields[:6]
    if {issuer.tag, validity.tag, subject.tag, spki.tag} != {SEQUENCE}:
        raise MalformedError("the certificate's names, validity or key are no sequences")
    if inner_algorithm.whole != algorithm.whole:
        raise MalformedError("the certificate names two signature algorithms (RFC 5280 4.1.1.2)")
    times = elements(validity.content)
    if len(times) != 2:
        raise MalformedError("the certificate's validity is not two times")
    return CertificateParts(
        tbs=tbs.whole,
        issuer=issuer.whole,
        subject=subject.whole,
        not_before_ns=_time_ns(times[0]),
        not_after_ns=_time_ns(times[1]),
        spki=spki.whole,
        extensions=_extensions(fields[6:]),
        signature_algorithm=algorithm_of(algorithm),
        signature=_bits(signature),
    )


def elements(content: bytes) -> list[Element]:
    """Return the elements that fill `content`, one after the other.

    :raises MalformedError: if one is malformed or reaches over the end, or there are over
        `MAX_ELEMENTS`.
    """
    found: list[Element] = []
    at = 0
    while at < len(content):
        if len(found) == MAX_ELEMENTS:
            msg = f"over {MAX_ELEMENTS} elements in one sequence"
            raise MalformedError(msg)
        start, end = _bounds(content, at)
        found.append(Element(content[at], content[start:end], content[at:end]))
        at = end
    return found


def only(content: bytes, tag: int) -> Element:
    """Return the one element, of that tag, that fills `content`.

    :raises MalformedError: if it is anything else.
    """
    found = elements(content)
    if len(found) != 1 or found[0].tag != tag:
        msg = f"not a single element of tag {tag:#04x}"
        raise MalformedError(msg)
    return found[0]


def exactly(parent: Element, *tags: int) -> list[Element]:
    """Return the elements inside `parent`, which have these tags in this order.

    :raises MalformedError: if they have others.
    """
    found = elements(parent.content)
    if [element.tag for element in found] != list(tags):
        raise MalformedError("an element is missing, superfluous or of another type")
    return found


def object_identifier(content: bytes) -> str:
    """Return the dotted form of an object identifier's content (X.690 8.19).

    :raises MalformedError: if it is empty, cut off, or longer than 64 bytes.

    >>> object_identifier(bytes.fromhex("2a8648ce3d040302"))
    '1.2.840.10045.4.3.2'
    """
    if not content or len(content) > 64 or content[-1] & 0x80:
        raise MalformedError("not an object identifier")
    arcs: list[int] = []
    arc = 0
    for byte in content:
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def algorithm_of(element: Element) -> Algorithm:
    """Return what an AlgorithmIdentifier names (RFC 5280 4.1.1.2).

    :raises MalformedError: if it is none.
    """
    parts = elements(element.content)
    if not 1 <= len(parts) <= 2 or parts[0].tag != OBJECT_IDENTIFIER:
        raise MalformedError("not an algorithm identifier")
    parameters = parts[1].whole if len(parts) == 2 else b""
    return Algorithm(object_identifier(parts[0].content), parameters)


def _bounds(content: bytes, at: int) -> tuple[int, int]:
    """Return where the content of the element at `at` begins and ends."""
    if len(content) - at < 2 or content[at] & 0x1F == 0x1F:
        raise MalformedError("an element is cut off or has a long tag")
    length, start = content[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 3 or len(content) - start < count:
            raise MalformedError("a length is indefinite, oversized or cut off")
        length = int.from_bytes(content[start : start + count], "big")
        start += count
        if length < 0x80 or length >> 8 * (count - 1) == 0:
            raise MalformedError("a length is not in its shortest form")
    end = start + length
    if end > len(content):
        raise MalformedError("an element reaches over the end of its parent")
    return start, end


def _bits(element: Element) -> bytes:
    if not element.content or element.content[0] != 0:
        raise MalformedError("a bit string is not whole bytes")
    return element.content[1:]


def _extensions(fields: list[Element]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for field in fields:
        if field.tag != _EXTENSIONS:
            continue
        for extension in elements(only(field.content, SEQUENCE).content):
            parts = elements(extension.content)
            tags = [part.tag for part in parts]
            if tags not in (
                [OBJECT_IDENTIFIER, OCTET_STRING],
                [OBJECT_IDENTIFIER, BOOLEAN, OCTET_STRING],
            ):
                raise MalformedError("not an extension")
            oid = object_identifier(parts[0].content)
            if oid in found:
                msg = f"the extension {oid} stands twice"
                raise MalformedError(msg)
            found[oid] = parts[-1].content
    return found


def _time_ns(element: Element) -> int:
    """Return a UTCTime or GeneralizedTime as ns since the epoch (RFC 5280 4.1.2.5.1 and .2)."""
    text = element.content.decode("ascii", "replace")
    digits = text[:-1]
    whole = {UTC_TIME: 12, GENERALIZED_TIME: 14}.get(element.tag)
    if len(digits) != whole or text[-1] != "Z" or not (digits.isascii() and digits.isdigit()):
        raise MalformedError("not a time of a certificate")
    if element.tag == UTC_TIME:
        digits = ("20" if int(digits[:2]) < 50 else "19") + digits
    month, day, hour, minute, second = (int(digits[i : i + 2]) for i in range(4, 14, 2))
    try:
        moment = datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise MalformedError("a certificate's time is no date") from error
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000
