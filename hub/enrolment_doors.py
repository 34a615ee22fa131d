"""The hub's routes of enrolment, after EST (RFC 7030; RFC 8951 on its encoding).

| route | what |
|---|---|
| `GET /.well-known/est/cacerts` | among these is what a token has pinned (PKCS #7) |
| `POST /.well-known/est/simpleenroll` | a request (PKCS #10) with a token's secret: 202, then 200 |
| `POST /.well-known/est/simplereenroll` | a device's next certificate |
| `POST /v2/enrolment/region` | what every gate of the region has, for a device just approved |

Differences from EST: docs/enrolment.md.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Sequence
from http import HTTPStatus

import msgspec
from aiohttp import BasicAuth, web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates

from admission.enrolment import (
    AUTHORITY_PATH,
    CERTIFICATES_CONTENT_TYPE,
    ENROL_PATH,
    MAX_REQUEST_BYTES,
    REGION_CONTENT_TYPE,
    REGION_PATH,
    RENEW_PATH,
    REQUEST_CONTENT_TYPE,
    Region,
    fingerprint,
    secret_of_password,
)
from admission.ports import Clock
from hub import enrolment
from hub.access import DEVICE
from hub.authority import Authority
from hub.certificate_request import CertificateRequest, read_request
from hub.client_certificate import is_private, only_allowed, require_same
from hub.errors import (
    ForbiddenError,
    MalformedUploadError,
    OversizedUploadError,
    SlowUploadError,
    UnauthorisedError,
    UnsupportedUploadError,
)
from hub.guesses import Guesses
from hub.store.enrolment import EnrolmentRequest, IssuedCertificate
from hub.store.port import Store

RETRY_AFTER_S = 5
"""When a gate that waits for a person asks again."""
RENEWAL_RETRY_AFTER_S = 3_600
BODY_TIMEOUT_S = 10.0
_MAX_BODY_BYTES = 2 * MAX_REQUEST_BYTES  # base64, with line breaks
_MAX_AUTHORIZATION_LENGTH = 256
_PATHS = frozenset({AUTHORITY_PATH, ENROL_PATH, RENEW_PATH, REGION_PATH})


class EnrolmentDoors:
    """The handlers and what they share.

    :param chain: the certificates that a token may have pinned, the authority's first.
    :param region: returns what every gate of the region has.
    """

    def __init__(
        self,
        store: Store,
        authority: Authority,
        clock: Clock,
        *,
        chain: Sequence[x509.Certificate],
        region: Callable[[], Region],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._authority = authority
        self._clock = clock
        self._chain = list(chain)
        self._region = region
        self._random_bytes = random_bytes
        self._guesses = Guesses()

    def add_to(self, app: web.Application) -> None:
        """Add the routes, and the judgement of client certificates on all of the hub's."""
        app.middlewares.append(only_allowed(self._store))
        app.router.add_get(AUTHORITY_PATH, self._authorities)
        app.router.add_post(ENROL_PATH, self._enrol)
        app.router.add_post(RENEW_PATH, self._renew)
        app.router.add_post(REGION_PATH, self._told_region)
        app.on_response_prepare.append(_headers)

    async def _authorities(self, _: web.Request) -> web.Response:
        return _certificates(self._chain)

    async def _enrol(self, request: web.Request) -> web.Response:
        secret, asked = await self._asked(request)
        now = self._clock.now()
        try:
            answer = await enrolment.apply(self._store, secret, asked, now, self._random_bytes)
        except UnauthorisedError:
            self._guesses.failed(request.remote or "", now.monotonic_ns)
            raise
        request[DEVICE] = asked.device
        return _answered(answer, RETRY_AFTER_S)

    async def _renew(self, request: web.Request) -> web.Response:
        asked = await _request_in(request)
        require_same(request, asked.public_key)
        answer = await enrolment.renew(
            self._store, self._authority, asked, self._clock.now(), self._random_bytes
        )
        request[DEVICE] = asked.device
        return _answered(answer, RENEWAL_RETRY_AFTER_S)

    async def _told_region(self, request: web.Request) -> web.Response:
        secret, asked = await self._asked(request)
        now = self._clock.now()
        try:
            device = await enrolment.require_approved(self._store, secret, asked, now)
        except UnauthorisedError:
            self._guesses.failed(request.remote or "", now.monotonic_ns)
            raise
        request[DEVICE] = device.name
        region = await asyncio.to_thread(self._region)
        return web.Response(body=msgspec.msgpack.encode(region), content_type=REGION_CONTENT_TYPE)

    async def _asked(self, request: web.Request) -> tuple[bytes, CertificateRequest]:
        """Return the secret and the request, neither of them judged beyond its form."""
        if not is_private(request):
            raise ForbiddenError("enrolment needs TLS all the way to the hub")
        monotonic_ns = self._clock.now().monotonic_ns
        self._guesses.require_few(request.remote or "", monotonic_ns)
        secret = _secret(request.headers.get("Authorization", ""))
        if secret is None:
            self._guesses.failed(request.remote or "", monotonic_ns)
            raise UnauthorisedError("a token is needed")
        asked = await _request_in(request)
        require_same(request, asked.public_key)
        return secret, asked


def _secret(authorization: str) -> bytes | None:
    if len(authorization) > _MAX_AUTHORIZATION_LENGTH:
        return None
    try:
        return secret_of_password(BasicAuth.decode(authorization).password)
    except ValueError:
        return None


async def _request_in(request: web.Request) -> CertificateRequest:
    if request.content_type != REQUEST_CONTENT_TYPE:
        msg = f"the content type must be {REQUEST_CONTENT_TYPE}"
        raise UnsupportedUploadError(msg)
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedUploadError("the body must come without a content coding")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > _MAX_BODY_BYTES:
                    raise OversizedUploadError("the certificate request is too long")
    except TimeoutError as error:
        raise SlowUploadError("the body did not arrive in time") from error
    try:
        der = base64.b64decode(b"".join(bytes(body).split()), validate=True)
    except binascii.Error as error:
        raise MalformedUploadError("the body is not base64") from error
    return read_request(der)


def _answered(answer: EnrolmentRequest | IssuedCertificate, retry_after_s: int) -> web.Response:
    if isinstance(answer, IssuedCertificate):
        return _certificates([x509.load_der_x509_certificate(answer.der)])
    waiting = {
        "error": "a person at the hub has to approve this",
        "request": answer.number,
        "fingerprint": fingerprint(answer.public_key),
    }
    return web.Response(
        status=HTTPStatus.ACCEPTED,
        body=msgspec.json.encode(waiting),
        content_type="application/json",
        headers={"Retry-After": str(retry_after_s)},
    )


def _certificates(chain: list[x509.Certificate]) -> web.Response:
    der = serialize_certificates(chain, Encoding.DER)
    return web.Response(
        body=base64.encodebytes(der),
        headers={"Content-Type": f"{CERTIFICATES_CONTENT_TYPE}; smime-type=certs-only"},
    )


async def _headers(request: web.Request, response: web.StreamResponse) -> None:
    if request.path not in _PATHS:
        return
    response.headers["Cache-Control"] = "no-store"
    if response.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Basic realm="chot enrolment"'
