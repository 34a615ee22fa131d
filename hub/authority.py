"""The hub's small certificate authority: what it signs, and for how long (RFC 5280).

keys/ca.key   ECDSA P-256, PEM (PKCS #8), mode 0600
keys/ca.crt   its own certificate, ten years: what gates pin

It signs certificates of devices (90 days, client authentication) and of the hub's own TLS server.
It does not vouch for what the hub publishes: that has a root of trust of its own (`hub.keys`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from admission.enrolment import device_uri
from admission.instant import Instant
from cache.errors import KeyFileError as ReplicaKeyFileError
from cache.replica.durable import write_durably
from cache.replica.keys import has_private_key, private_pem, read_secret
from hub.errors import KeyFileError
from hub.store.enrolment import IssuedCertificate

CA_KEY, CA_CERTIFICATE = "ca.key", "ca.crt"
AUTHORITY_LIFE = timedelta(days=3_653)
DEVICE_LIFE = timedelta(days=90)
"""Longer than a gate may be cut off; renewed at half of it."""
SERVER_LIFE = timedelta(days=90)
_BACKDATED = timedelta(hours=1)
"""A gate's clock may be a little behind the hub's."""
_HINT = "`chot hub init` makes it; a lost one is restored from the hub's backup"

PrivateKey = ec.EllipticCurvePrivateKey


class Authority(msgspec.Struct, frozen=True):
    """The authority at work. `repr` shows no key."""

    certificate: x509.Certificate
    key: PrivateKey

    def __repr__(self) -> str:
        return "Authority(...)"

    @property
    def pin(self) -> bytes:
        """SHA-256 of its certificate (DER): what a token says of it."""
        return self.certificate.fingerprint(hashes.SHA256())

    def issue(
        self, device: str, site: str, serial: str, public_key: bytes, now: Instant
    ) -> IssuedCertificate:
        """Return a device's certificate: its name as CN, site and serial as a URI.

        :param public_key: raw Ed25519, 32 bytes.
        """
        begins = _moment(now) - _BACKDATED
        ends = _moment(now) + DEVICE_LIFE
        uri = x509.UniformResourceIdentifier(device_uri(site, serial))
        builder = _builder(device, begins, ends).public_key(
            Ed25519PublicKey.from_public_bytes(public_key)
        )
        made = self._signed(builder, [uri], ExtendedKeyUsageOID.CLIENT_AUTH)
        return IssuedCertificate(
            serial_number=f"{made.serial_number:x}",
            device=device,
            public_key=public_key,
            not_before_ns=_ns(begins),
            not_after_ns=_ns(ends),
            der=made.public_bytes(Encoding.DER),
        )

    def issue_server(self, names: Iterable[str], key: PrivateKey, now: Instant) -> x509.Certificate:
        """Return the TLS server's certificate for these DNS names and IP addresses."""
        moment = _moment(now)
        builder = _builder("chot hub", moment - _BACKDATED, moment + SERVER_LIFE).public_key(
            key.public_key()
        )
        return self._signed(builder, map(_general_name, names), ExtendedKeyUsageOID.SERVER_AUTH)

    def _signed(
        self,
        builder: x509.CertificateBuilder,
        names: Iterable[x509.GeneralName],
        usage: x509.ObjectIdentifier,
    ) -> x509.Certificate:
        own = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own.value)
        return (
            builder.issuer_name(self.certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
            .add_extension(identifier, critical=False)
            .sign(self.key, hashes.SHA256())
        )


def has_authority(directory: Path) -> bool:
    """Return whether a directory of keys has an authority."""
    return (directory / CA_CERTIFICATE).exists()


def create_authority(directory: Path, now: Instant) -> None:
    """Make the authority in a directory of keys that has none.

    :raises KeyFileError: if a file cannot be written.
    """
    key = new_server_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = f"Chot hub authority {identifier.digest.hex()[:8]}"
    moment = _moment(now)
    certificate = (
        _builder(name, moment - _BACKDATED, moment + AUTHORITY_LIFE)
        .issuer_name(_name(name))
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    try:
        write_durably(directory / CA_KEY, private_pem(key))
        # Last: an authority with a certificate is a complete one.
        write_durably(
            directory / CA_CERTIFICATE, certificate.public_bytes(Encoding.PEM), mode=0o644
        )
    except OSError as error:
        msg = f"the authority's key cannot be written to {directory}: {error.strerror}"
        raise KeyFileError(msg, hint="check the directory's permissions and space") from error


def load_authority(directory: Path) -> Authority:
    """Return the authority in a directory of keys.

    :raises KeyFileError: if it is missing or malformed, its key readable by others or another's.
    """
    certificate = load_certificate(directory / CA_CERTIFICATE)
    key = load_private_key(directory / CA_KEY)
    if certificate.public_key() != key.public_key():
        msg = f"{directory / CA_CERTIFICATE} is not of the key beside it"
        raise KeyFileError(msg, hint="restore both from the same backup")
    return Authority(certificate, key)


def load_certificate(path: Path) -> x509.Certificate:
    """Return the first certificate of a PEM file.

    :raises KeyFileError: if there is none.
    """
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise KeyFileError(msg, hint=_HINT) from error
    except ValueError as error:
        msg = f"{path} does not hold a certificate in PEM"
        raise KeyFileError(msg, hint=_HINT) from error


def load_private_key(path: Path) -> PrivateKey:
    """Return the ECDSA key in a PEM file.

    :raises KeyFileError: if it is missing, malformed, or readable by others.
    """
    try:
        data = read_secret(path, missing_hint=_HINT, form=has_private_key)
        key = load_pem_private_key(data, password=None)
    except ReplicaKeyFileError as error:
        raise KeyFileError(str(error), hint=error.hint) from error
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        msg = f"{path} does not hold an ECDSA private key in PEM"
        raise KeyFileError(msg, hint=_HINT)
    return key


def new_server_key() -> PrivateKey:
    """Return a key on P-256 that nobody else has."""
    return ec.generate_private_key(ec.SECP256R1())


def _builder(common_name: str, begins: datetime, ends: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _moment(now: Instant) -> datetime:
    return datetime.fromtimestamp(now.wall_ns // 10**9, UTC)


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 10**9
