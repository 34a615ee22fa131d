"""What enrolment reads of strangers: tokens, certificate requests, and the answers to them."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates

from admission.enrolment import pack_token, unpack_token
from admission.errors import EnrolmentError
from appliance.certificates import certificates_in, require_ours
from appliance.errors import HubUnavailable
from hub.authority import Authority
from hub.certificate_request import read_request
from hub.errors import MalformedUploadError
from tests.fuzz.reader import Reader
from tests.hub.enrolments import KEY, NAMES, TOKEN, csr
from tests.worlds import ManualClock


def readers() -> Iterator[tuple[str, Reader]]:
    """Yield each reader by name."""
    token = pack_token(TOKEN).encode()
    yield "enrolment token", Reader(_token, EnrolmentError, "bytes", (token, token.lower()))
    yield "certificate request", Reader(read_request, MalformedUploadError, "bytes", (csr(),))
    yield "certificate", Reader(_certificate, HubUnavailable, "bytes", (_answer(),))


def _token(data: bytes) -> Any:
    return unpack_token(data.decode("ascii", "replace"))


def _certificate(data: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's, of what it will refuse one day
        found = certificates_in(base64.encodebytes(data))
        return require_ours(found[0], NAMES, KEY.public_key(), found)


def _answer() -> bytes:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    now = ManualClock().now()
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7)
    begins = now.at(UTC)
    own = (
        builder.not_valid_before(begins)
        .not_valid_after(begins.replace(year=begins.year + 10))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    raw = KEY.public_key().public_bytes_raw()
    issued = Authority(own, key).issue(NAMES.device, NAMES.site, NAMES.serial, raw, now)
    return serialize_certificates([x509.load_der_x509_certificate(issued.der)], Encoding.DER)
