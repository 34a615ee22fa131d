"""Authorities and certificates made for one test: right, wrong, too old and too new."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from appliance.hub_client import HubTls

DAY = timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A certificate authority in a folder: `ca.crt`, and the certificates that it gives out."""

    def __init__(self, folder: Path, name: str = "Test authority") -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._key = Ed25519PrivateKey.generate()
        self._name = _name(name)
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        certificate = (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, None)
        )
        self.path = folder / "ca.crt"
        self.path.write_bytes(certificate.public_bytes(Encoding.PEM))

    def give(
        self,
        name: str,
        *,
        host: str = "127.0.0.1",
        since: timedelta = -DAY,
        until: timedelta = DAY,
        key: Ed25519PrivateKey | None = None,
    ) -> tuple[Path, Path]:
        """Write `name.crt` and `name.key`; return their paths."""
        key = key or Ed25519PrivateKey.generate()
        alternative: x509.GeneralName = x509.DNSName(host)
        if host[0].isdigit():
            alternative = x509.IPAddress(ipaddress.ip_address(host))
        certificate = (
            self._builder(_name(name), key, since, until)
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
            .sign(self._key, None)
        )
        written, secret = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        written.write_bytes(certificate.public_bytes(Encoding.PEM))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        secret.write_bytes(pem)
        return written, secret

    def server_context(
        self, name: str = "hub", *, asks: bool = False, **how: object
    ) -> ssl.SSLContext:
        """Return a server's TLS with a fresh certificate; with `asks` it wants the client's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.give(name, **how))  # type: ignore[arg-type]
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.path)
        return context

    def tls(self, client: str = "") -> HubTls:
        """Return what a gate that knows this authority has, with its certificate if it has one."""
        if not client:
            return HubTls(authority=self.path)
        return HubTls(
            authority=self.path,
            certificate=self.folder / f"{client}.crt",
            key=self.folder / f"{client}.key",
        )

    def _builder(
        self,
        subject: x509.Name,
        key: Ed25519PrivateKey,
        since: timedelta = -DAY,
        until: timedelta = DAY,
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + since)
            .not_valid_after(now + until)
        )
