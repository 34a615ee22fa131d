"""The one way to the hub: TLS, this gate's certificate, and the proxy, for all that ask it.

A certificate that was renewed, and an authority that came with an enrolment, count for the next
connection: files are looked at before each request, and read again if they changed.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec

from admission.instant import Instant
from appliance.certificate_dates import judge_by
from appliance.errors import ConfigError
from appliance.identity import IdentityFiles

CONNECT_S = 10.0


class HubTls(msgspec.Struct, frozen=True):
    """Files that say whom this gate believes to be the hub, and how it shows itself.

    :ivar authority: the only authorities that count (PEM); None takes the system's.
    :ivar enrolled: the authority that came with the enrolment; counts, while it is there, where
        `authority` is None.
    :ivar certificate: this gate's own; shown to whoever asks, if it and its key are there.
    """

    authority: Path | None = None
    enrolled: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def _files(self) -> tuple[Path | None, ...]:
        return self.authority, self.enrolled, self.certificate, self.key

    def stamp(self) -> tuple[object, ...]:
        """Return what changes when one of the files does."""
        return tuple(_stamp(path) for path in self._files)

    def context(
        self, *, dated: bool = True, now: Callable[[], Instant] | None = None
    ) -> ssl.SSLContext:
        """Return the settings for TLS 1.2 or later (RFC 9325 §3.1), names and chains checked.

        Under the enrolled authority this gate's clock judges dates, once somebody vouches for it
        (`appliance.certificate_dates`); under any other it is the system's.

        :param dated: whether certificates must be valid at this time at all.
        :param now: this gate's clock; without one the enrolled authority's dates do not count.
        :raises ConfigError: if a file cannot be used.
        """
        authority, own_clock = self.authority, False
        if authority is None and self.enrolled is not None and self.enrolled.exists():
            authority, own_clock = self.enrolled, True
        try:
            context = ssl.create_default_context(cafile=authority)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            msg = f"{authority}: holds no certificates that can be read"
            raise ConfigError(msg, hint="correct hub.ca_file: certificates in PEM form") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # What is named counts as an anchor though its issuer is absent, and a site's own small
        # authority may leave out key identifiers: the same under every version of Python.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if own_clock or not dated:
            judge_by(context, now if dated else None)
        self._show_certificate(context)
        return context

    def _show_certificate(self, context: ssl.SSLContext) -> None:
        if self.certificate is None or self.key is None or not self.certificate.exists():
            return
        try:
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except (OSError, ValueError) as error:
            msg = f"{self.certificate}: not a certificate for {self.key}"
            raise ConfigError(msg, hint="enrol this gate again: `chot enrol`") from error


def tls_of(ca_file: str, identity: IdentityFiles) -> HubTls:
    """Return the settings of a gate with this identity.

    :param ca_file: names the only authorities that count; empty takes the enrolled one.
    """
    return HubTls(
        authority=Path(ca_file) if ca_file else None,
        enrolled=identity.authority,
        certificate=identity.certificate,
        key=identity.key,
    )


class HubClient:
    """An aiohttp session whose requests carry the hub's TLS settings and the proxy.

    Async context manager. `get` and `post` take what aiohttp's take.

    :param proxy: of the site's network; empty takes the environment's (`https_proxy`, `no_proxy`).
    :param dated: whether certificates must be valid at this time. Only who asks what time it is,
        and checks a signature over the answer, may do without.
    :param now: this gate's clock, as for `HubTls.context`.
    """

    def __init__(
        self,
        tls: HubTls | None = None,
        *,
        proxy: str = "",
        dated: bool = True,
        now: Callable[[], Instant] | None = None,
    ) -> None:
        self.problem = ""
        """What is wrong with the files: those from before count on. Empty if nothing is."""
        self._tls = tls or HubTls()
        self._proxy = proxy
        self._dated = dated
        self._now = now
        self._session: aiohttp.ClientSession | None = None
        self._context: ssl.SSLContext | None = None
        self._stamp: tuple[object, ...] = ()

    async def __aenter__(self) -> Self:
        """Open the session.

        :raises ConfigError: if a file cannot be used.
        """
        self._read()
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            trust_env=not self._proxy,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = None

    def get(self, url: str, **options: Any) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Return a GET request; see `aiohttp.ClientSession.get`."""
        return self._request("GET", url, options)

    def post(self, url: str, **options: Any) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Return a POST request; see `aiohttp.ClientSession.post`."""
        return self._request("POST", url, options)

    @asynccontextmanager
    async def _request(
        self, method: str, url: str, options: dict[str, Any]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._tls.stamp() != self._stamp:
            await asyncio.to_thread(self._renew)
        if self._session is None or self._context is None:
            raise aiohttp.ClientConnectionError("the way to the hub is closed")
        if self._proxy:
            options = options | {"proxy": self._proxy}
        async with self._session.request(method, url, ssl=self._context, **options) as response:
            yield response

    def _renew(self) -> None:
        """Read the files again; connections under way end with the old ones."""
        try:
            self._read()
        except ConfigError as error:  # half of a renewal: what was good stays
            self.problem = f"{error} ({error.hint})"
        else:
            self.problem = ""

    def _read(self) -> None:
        self._stamp = self._tls.stamp()
        self._context = self._tls.context(dated=self._dated, now=self._now)


HubRequests = HubClient | aiohttp.ClientSession
"""What asks the hub: every daemon the former, tools without TLS of their own the latter."""


@asynccontextmanager
async def hub_clients(
    tls: HubTls, proxy: str, now: Callable[[], Instant] | None = None
) -> AsyncIterator[tuple[HubClient, HubClient]]:
    """Yield the client for everything, and the one that asks what time it is.

    Certificates' dates would be judged by the very clock that the second is to set right.

    :raises ConfigError: if a file cannot be used.
    """
    undated = HubClient(tls, proxy=proxy, dated=False)
    async with HubClient(tls, proxy=proxy, now=now) as client, undated:
        yield client, undated


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _no_password() -> bytes:
    return b""  # else OpenSSL asks at the terminal for one
