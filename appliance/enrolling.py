"""How a gate becomes a device: the hub known by the token's pin, a request, a person's word.

Nothing is written here: `Enrolled` is what the caller keeps, once it is whole.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import aiohttp
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.enrolment import (
    AUTHORITY_PATH,
    ENROL_PATH,
    MAX_ANSWER_BYTES,
    REGION_PATH,
    REQUEST_CONTENT_TYPE,
    USER,
    Region,
    Token,
    basic_password,
)
from admission.errors import WireError
from admission.identity import HASH_KEY_BYTES
from admission.ports import Clock
from admission.wire import unpack_bounded
from appliance.certificates import Names, certificates_in, pem, request_for, require_ours
from appliance.errors import EnrolmentPending, EnrolmentRefused, HubUnavailable
from appliance.hub_answer import bounded_body, word_in
from appliance.hub_failures import failure_of
from cache.errors import TrustError
from cache.replica.trust.judge import pinned

ANSWER_S = 20.0
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
_REFUSED_HINT = "ask at the hub for a new token: `chot hub enrol token`"
_FOREIGN_HINT = (
    "the token is of another hub, or somebody answers in its place: ask at the hub for a new one"
)


class Enrolled(msgspec.Struct, frozen=True):
    """What a gate gets: the authorities to judge the hub's TLS by, its certificate, the region.

    The first two are PEM. `repr` shows nothing of the region's secret.
    """

    authorities: bytes
    certificate: bytes
    region: Region


class Enrolling:
    """One gate's way through the enrolment.

    :param waiting: told the request's number once it waits for a person.
    :param wait_s: how long to wait for that person, monotonic.
    :param sleep: `asyncio.sleep`, or what a test puts in its place.
    """

    def __init__(
        self,
        token: Token,
        names: Names,
        key: Ed25519PrivateKey,
        clock: Clock,
        *,
        waiting: Callable[[str], None],
        wait_s: float,
        proxy: str = "",
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._token = token
        self._names = names
        self._key = key
        self._clock = clock
        self._waiting = waiting
        self._wait_ns = int(wait_s * 1e9)
        self._options: dict[str, Any] = {"proxy": proxy} if proxy else {}
        self._sleep = sleep
        self._request = request_for(names, key)
        self._base = token.url.rstrip("/")

    async def enrol(self) -> Enrolled:
        """Return what the hub gives to this gate, once a person has approved it.

        :raises HubUnavailable: if the hub is not reached, or what answers is not the token's hub.
        :raises EnrolmentRefused: if the hub turns the request down.
        :raises EnrolmentPending: if nobody has decided in time; asking again goes on from there.
        """
        anchor = await self._anchor()
        context = _context(anchor)
        async with self._session() as session:
            authorities = certificates_in(await self._get(session, AUTHORITY_PATH, context))
            certificate = await self._certificate(session, context)
            authority = require_ours(certificate, self._names, self._key.public_key(), authorities)
            status, body, _ = await self._post(session, REGION_PATH, context)
            region = _region(body) if status == 200 else self._refuse(status, body)
        kept = [anchor] if anchor == authority else [anchor, authority]
        return Enrolled(b"".join(map(pem, kept)), pem(certificate), region)

    async def _anchor(self) -> x509.Certificate:
        """Return the certificate that the token has pinned. Nothing secret is said before."""
        blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        blind.check_hostname = False
        blind.verify_mode = ssl.CERT_NONE
        async with self._session() as session:
            shown = certificates_in(await self._get(session, AUTHORITY_PATH, blind))
        for certificate in shown:
            if hmac.compare_digest(certificate.fingerprint(hashes.SHA256()), self._token.pin):
                return certificate
        raise HubUnavailable("this is not the hub that made the token", hint=_FOREIGN_HINT)

    async def _certificate(
        self, session: aiohttp.ClientSession, context: ssl.SSLContext
    ) -> x509.Certificate:
        began_ns = self._clock.now().monotonic_ns
        told = False
        while True:
            try:
                status, body, pause_s = await self._post(session, ENROL_PATH, context)
            except HubUnavailable:
                if not told:
                    raise
                status, body, pause_s = 503, b"", LONGEST_PAUSE_S  # it was there: it comes back
            if status == 200:
                return certificates_in(body)[0]
            if status == 202 and not told:
                told = True
                self._waiting(word_in(body, "request"))
            elif status != 202 and not (told and status in {429, 502, 503, 504}):
                self._refuse(status, body)
            if self._clock.now().monotonic_ns - began_ns > self._wait_ns:
                raise EnrolmentPending(
                    "nobody at the hub has decided yet",
                    hint="run this again with the same token: it goes on from here",
                )
            await self._sleep(pause_s)

    async def _get(
        self, session: aiohttp.ClientSession, path: str, context: ssl.SSLContext
    ) -> bytes:
        async with self._answer(session, "GET", path, context) as answer:
            body = await bounded_body(answer.content, MAX_ANSWER_BYTES)
            if answer.status != 200:
                msg = f"the hub answered {answer.status} when asked for its authority"
                raise HubUnavailable(msg, hint="update the hub, and run `chot hub init` there")
            return body

    async def _post(
        self, session: aiohttp.ClientSession, path: str, context: ssl.SSLContext
    ) -> tuple[int, bytes, float]:
        """Return status, body, and how long to wait before the next question."""
        headers = {
            "Authorization": aiohttp.encode_basic_auth(USER, basic_password(self._token.secret)),
            "Content-Type": REQUEST_CONTENT_TYPE,
        }
        body = base64.encodebytes(self._request)
        async with self._answer(
            session, "POST", path, context, data=body, headers=headers
        ) as answer:
            answered = await bounded_body(answer.content, MAX_ANSWER_BYTES)
            return answer.status, answered, _pause_s(answer)

    @asynccontextmanager
    async def _answer(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        context: ssl.SSLContext,
        **options: Any,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with session.request(
                method,
                self._base + path,
                ssl=context,
                allow_redirects=False,
                **self._options,
                **options,
            ) as answer:
                yield answer
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            raise failure_of(error, self._clock.now()).unavailable() from error

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=ANSWER_S),
            trust_env=not self._options,
            auto_decompress=False,
            headers={"Accept-Encoding": "identity"},
        )

    def _refuse(self, status: int, body: bytes) -> NoReturn:
        said = word_in(body) or f"status {status}"
        msg = f"the hub turned this gate down: {said}"
        raise EnrolmentRefused(msg, hint=_REFUSED_HINT)


def _context(anchor: x509.Certificate) -> ssl.SSLContext:
    """Return the settings of TLS that trusts this certificate alone, names and dates checked."""
    context = ssl.create_default_context(cadata=pem(anchor).decode("ascii"))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _pause_s(answer: aiohttp.ClientResponse) -> float:
    said = answer.headers.get("Retry-After", "")
    seconds = float(said) if said.isascii() and said.isdigit() and len(said) < 7 else 0.0
    return min(max(seconds, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)


def _region(body: bytes) -> Region:
    try:
        region = msgspec.convert(unpack_bounded(body, MAX_ANSWER_BYTES), Region)
        pinned(region.root)
    except (WireError, msgspec.ValidationError, TrustError) as error:
        raise HubUnavailable(
            "the hub's root of trust cannot be used", hint="`chot hub init` at the hub mends it"
        ) from error
    if len(region.hash_key) != HASH_KEY_BYTES:
        raise HubUnavailable("the hub's hash key is of another length", hint="see the hub's log")
    return region
