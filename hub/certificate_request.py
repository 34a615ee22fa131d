"""A gate's certificate request (PKCS #10, RFC 2986): who it says it is, proven by its key."""

from __future__ import annotations

import re

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import NameOID

from admission.enrolment import MAX_REQUEST_BYTES, device_uri, is_serial, is_site
from hub.devices import require_name
from hub.errors import HubError, MalformedUploadError

_URI = re.compile(r"chot://([^/]+)/([^/]+)")

_MALFORMED = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises about bytes that are no request."""


class CertificateRequest(msgspec.Struct, frozen=True):
    """What a request says. `public_key` is raw Ed25519, and signed the request."""

    device: str
    site: str
    serial: str
    public_key: bytes


def read_request(der: bytes) -> CertificateRequest:
    """Return what a request says, its signature checked.

    :raises MalformedUploadError: if it is no request, says no names, or was altered.
    """
    if len(der) > MAX_REQUEST_BYTES:
        raise MalformedUploadError("the certificate request is too long")
    try:
        request = x509.load_der_x509_csr(der)
        key = request.public_key()
        signed = request.is_signature_valid
        device, uri = _names(request)
    except _MALFORMED as error:
        raise MalformedUploadError("the body is no certificate request") from error
    if not isinstance(key, Ed25519PublicKey) or not signed:
        raise MalformedUploadError("the certificate request is not signed with its own key")
    found = _URI.fullmatch(uri)
    if found is None or not is_site(found[1]) or not is_serial(found[2]):
        msg = f"the certificate request needs one URI such as {device_uri('site', 'serial')}"
        raise MalformedUploadError(msg)
    try:
        require_name(device)
    except HubError as error:
        raise MalformedUploadError("the certificate request names no device") from error
    return CertificateRequest(device, found[1], found[2], key.public_bytes_raw())


def _names(request: x509.CertificateSigningRequest) -> tuple[str, str]:
    """Return the common name and the one URI; empty where there is not exactly one."""
    common = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    try:
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return "", ""
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    device = common[0].value if len(common) == 1 else ""
    return str(device), uris[0] if len(uris) == len(names) == 1 else ""
