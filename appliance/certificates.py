"""A device's certificate: asking for one (PKCS #10, RFC 2986), and reading what came (RFC 5280)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates
from cryptography.x509.oid import NameOID

from admission.enrolment import MAX_ANSWER_BYTES, device_uri
from admission.instant import Instant
from appliance.errors import ConfigError, HubUnavailable

_STRANGE_HINT = "what answers there may not be a hub"
_AGAIN_HINT = "enrol this gate anew: `chot enrol`"

_MALFORMED = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises about bytes that are no certificate of a device."""


class Names(msgspec.Struct, frozen=True):
    """What a device is called: its name at the hub, its site, its hardware's serial number."""

    device: str
    site: str
    serial: str


class DeviceCertificate(msgspec.Struct, frozen=True):
    """A device's certificate, as far as the device itself asks. Times are wall time, UTC."""

    device: str
    uri: str
    public_key: bytes
    begins: datetime
    ends: datetime

    @property
    def half_life(self) -> datetime:
        """When it is time for the next one."""
        return self.begins + (self.ends - self.begins) / 2

    def has_ended(self, now: Instant) -> bool:
        """Return whether it no longer counts."""
        return now.at(UTC) >= self.ends

    def names(self) -> Names:
        """Return what the device is called in it."""
        site, _, serial = self.uri.removeprefix("chot://").partition("/")
        return Names(self.device, site, serial)


def request_for(names: Names, key: Ed25519PrivateKey) -> bytes:
    """Return a certificate request (DER) that the key has signed."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names.device)])
    uri = x509.UniformResourceIdentifier(device_uri(names.site, names.serial))
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    builder = builder.add_extension(x509.SubjectAlternativeName([uri]), critical=False)
    return builder.sign(key, None).public_bytes(Encoding.DER)


def load_certificate(path: Path) -> DeviceCertificate | None:
    """Return the device's certificate in a PEM file, None if there is no such file.

    :raises ConfigError: if it cannot be read or is none.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ANSWER_BYTES)
        return _read(x509.load_pem_x509_certificate(data))
    except FileNotFoundError:
        return None
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError(msg, hint="it belongs to the service's user") from error
    except _MALFORMED as error:
        msg = f"{path} does not hold a device's certificate in PEM"
        raise ConfigError(msg, hint=_AGAIN_HINT) from error


def certificates_in(body: bytes) -> list[x509.Certificate]:
    """Return the certificates of an EST answer: PKCS #7 in base64 (RFC 7030 §4.1.3).

    :raises HubUnavailable: if it is none, or none is in it.
    """
    try:
        found = load_der_pkcs7_certificates(base64.b64decode(body))
    except _MALFORMED as error:
        raise HubUnavailable("the hub's answer is no certificate", hint=_STRANGE_HINT) from error
    if not found:
        raise HubUnavailable("the hub's answer holds no certificate", hint=_STRANGE_HINT)
    return found


def require_ours(
    certificate: x509.Certificate,
    names: Names,
    key: Ed25519PublicKey,
    authorities: list[x509.Certificate],
) -> x509.Certificate:
    """Check that a certificate is what was asked for; return the authority that signed it.

    :raises HubUnavailable: if it is another's, or of none of these authorities.
    """
    try:
        read = _read(certificate)
    except _MALFORMED as error:
        raise HubUnavailable("the hub's certificate is malformed", hint=_STRANGE_HINT) from error
    if read.public_key != key.public_bytes_raw() or read.names() != names:
        raise HubUnavailable("the hub sent another device's certificate", hint="see its log")
    for authority in authorities:
        try:
            certificate.verify_directly_issued_by(authority)
        except (*_MALFORMED, InvalidSignature):
            continue
        return authority
    raise HubUnavailable(
        "the certificate is of another authority than the hub's", hint="see the hub's log"
    )


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as its file holds it."""
    return certificate.public_bytes(Encoding.PEM)


def _read(certificate: x509.Certificate) -> DeviceCertificate:
    key = certificate.public_key()
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if not isinstance(key, Ed25519PublicKey) or len(common) != 1 or len(uris) != 1:
        raise ValueError("not a device's certificate")
    return DeviceCertificate(
        str(common[0].value),
        uris[0],
        key.public_bytes_raw(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )
