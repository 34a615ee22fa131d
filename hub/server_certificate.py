"""The TLS that the hub itself serves: its certificate, made anew in time; what it asks of gates.

keys/server.key, keys/server.crt   of the hub's own authority, unless others are named

A client's certificate is optional, and has to be of the hub's authority. OpenSSL checks who signed
it and that the client has its key; whose it is judges `hub.client_certificate`, and whether it has
ended the door for entries: they answer in words instead of breaking the connection off.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from admission.ports import Clock
from cache.replica.durable import write_durably
from cache.replica.keys import private_pem
from hub.access import log
from hub.authority import (
    CA_CERTIFICATE,
    Authority,
    load_certificate,
    load_private_key,
    new_server_key,
)
from hub.errors import HubError, KeyFileError

SERVER_KEY, SERVER_CERTIFICATE = "server.key", "server.crt"
LOOK_S = 3_600.0
ALARM = timedelta(days=14)
"""Before its end: a certificate of another authority has to be replaced by whoever got it there."""
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which `ssl` gives no name


class TlsOptions(msgspec.Struct, frozen=True):
    """How to serve over TLS.

    :ivar names: DNS names and IP addresses that gates call the hub by.
    :ivar certificate: PEM of another authority's certificate with its chain, instead of our own.
    :ivar key: its private key.
    """

    names: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None


class ServerCertificate:
    """Keeps the context of a TLS server supplied with a certificate that is valid.

    :raises HubError: if there are no names to make one for, or a named file cannot be used.
    """

    def __init__(
        self,
        directory: Path,
        authority: Authority,
        options: TlsOptions,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._directory = directory
        self._authority = authority
        self._options = options
        self._clock = clock
        self._sleep = sleep
        self._loaded: bytes = b""
        self._ends: datetime | None = None
        self.context = _context(directory / CA_CERTIFICATE)
        self.refresh()

    @property
    def host(self) -> str:
        """The name that gates call the hub by, empty if nobody said."""
        return next(iter(self._options.names), "")

    @property
    def problem(self) -> str:
        """What a person has to do something about, empty if nothing."""
        if self._ends is None or self._now() < self._ends - ALARM:
            return ""
        return f"the TLS certificate ends on {self._ends:%Y-%m-%d}, and is not renewed"

    @property
    def chain(self) -> list[x509.Certificate]:
        """What gates may pin: the authority's certificate, and the foreign chain if any."""
        named = self._options.certificate
        others = x509.load_pem_x509_certificates(named.read_bytes()) if named else []
        return [self._authority.certificate, *others]

    def refresh(self) -> bool:
        """Make the certificate anew if it is time, load what is new; return if anything was.

        :raises HubError: if that fails; what was loaded before stays.
        """
        certificate, key = self._options.certificate, self._options.key
        if certificate is None or key is None:
            certificate = self._directory / SERVER_CERTIFICATE
            key = self._directory / SERVER_KEY
            if self._is_due(certificate, key):
                self._make(certificate, key)
        try:
            data = certificate.read_bytes()
            if data == self._loaded:
                return False
            self.context.load_cert_chain(certificate, key)
            self._ends = x509.load_pem_x509_certificate(data).not_valid_after_utc
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            why = error.strerror if isinstance(error, OSError) else "no certificate in PEM"
            msg = f"{certificate} and {key} cannot be used for TLS: {why or error}"
            raise KeyFileError(
                msg, hint="PEM: the certificate with its chain, and its own key"
            ) from error
        self._loaded = data
        return True

    async def run(self) -> None:
        """Look every hour, until cancelled. What fails is logged and tried again."""
        while True:
            await self._sleep(LOOK_S)
            try:
                if await asyncio.to_thread(self.refresh):
                    log.info({"event": "the TLS server has a new certificate"})
            except HubError as error:
                log.error({"event": "failure", "message": str(error), "hint": error.hint})

    def _is_due(self, certificate: Path, key: Path) -> bool:
        if not certificate.exists() or not key.exists():
            return True
        held = load_certificate(certificate)
        now = self._now()
        begins, ends = held.not_valid_before_utc, held.not_valid_after_utc
        if not begins - timedelta(days=1) <= now < begins + (ends - begins) / 2:
            return True
        ours = held.issuer == self._authority.certificate.subject
        return not ours or _names_of(held) != set(self._options.names)

    def _now(self) -> datetime:
        return self._clock.now().at(UTC)

    def _make(self, certificate: Path, key: Path) -> None:
        if not self._options.names:
            raise HubError(
                "TLS needs the name that gates call this hub by",
                hint="give --name HOST, as often as there are names and addresses",
            )
        made_key = load_private_key(key) if key.exists() else new_server_key()
        made = self._authority.issue_server(self._options.names, made_key, self._clock.now())
        try:
            write_durably(key, private_pem(made_key))
            write_durably(certificate, made.public_bytes(Encoding.PEM), mode=0o644)
        except OSError as error:
            msg = f"cannot write {certificate}: {error.strerror}"
            raise KeyFileError(msg, hint="check the folder's permissions and space") from error


def _names_of(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = names.get_values_for_type(x509.IPAddress)
    return {*names.get_values_for_type(x509.DNSName), *map(str, addresses)}


def _context(authority: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    context.set_alpn_protocols(["http/1.1"])
    return context
