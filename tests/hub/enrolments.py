"""Gates that ask a hub for a certificate, for tests of who gets one."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.enrolment import REQUEST_CONTENT_TYPE, USER, Region, Token, basic_password
from admission.instant import Instant
from admission.ports import Clock
from appliance.certificates import Names, request_for
from hub import enrolment
from hub.access import refusals
from hub.authority import Authority
from hub.certificate_request import CertificateRequest, read_request
from hub.enrolment_doors import EnrolmentDoors
from hub.server import listening
from hub.server_certificate import ServerCertificate
from hub.store.enrolment import RequestState
from hub.store.port import Store
from tests.cache.replica.trust.authority import an_authority
from tests.hub.memory_store import MemoryStore

NAMES = Names("gate-1", "site-1", "serial-1")
TOKEN = Token(b"s" * 16, b"p" * 32, "https://hub.example.org", NAMES.site, NAMES.serial)
KEY = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([8]) * 32)
DAY_NS = 86_400 * 10**9
REGION = Region(an_authority()[1], b"h" * 32)


def csr(names: Names = NAMES, key: Ed25519PrivateKey = KEY) -> bytes:
    return request_for(names, key)


def asked(names: Names = NAMES, key: Ed25519PrivateKey = KEY) -> CertificateRequest:
    return read_request(csr(names, key))


def later(now: Instant, days: float) -> Instant:
    return msgspec.structs.replace(now, wall_ns=now.wall_ns + int(days * DAY_NS))


async def give(store: Store, now: Instant, *, device: str = "", hours: int = 24) -> None:
    await enrolment.give_token(store, TOKEN, device, hours, now)


class World:
    """Doors of enrolment on a socket, and a client of them."""

    def __init__(self, authority: Authority, clock: Clock) -> None:
        self.store = MemoryStore()
        self.clock = clock
        self.authority = authority
        self.url = ""
        self.session: aiohttp.ClientSession

    async def post(
        self,
        path: str,
        body: bytes = base64.encodebytes(csr()),
        *,
        secret: bytes = TOKEN.secret,
        **headers: str,
    ) -> tuple[int, bytes, str]:
        sent = {
            "Content-Type": REQUEST_CONTENT_TYPE,
            "Authorization": aiohttp.encode_basic_auth(USER, basic_password(secret)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        async with self.session.post(self.url + path, data=body, headers=sent) as answer:
            return answer.status, await answer.read(), answer.headers.get("Retry-After", "")

    async def approve_all(self) -> None:
        for request in await self.store.requests():
            if request.state is RequestState.PENDING:
                now = self.clock.now()
                await enrolment.approve(
                    self.store, self.authority, request.number, now, replace=False
                )


@asynccontextmanager
async def a_world(
    authority: Authority, clock: Clock, *, certificate: ServerCertificate | None = None
) -> AsyncIterator[World]:
    """Serve the doors, over TLS where there is a certificate; `TOKEN`'s secret is given out."""
    world = World(authority, clock)
    await give(world.store, clock.now())
    app = web.Application(middlewares=[refusals])
    EnrolmentDoors(
        world.store,
        authority,
        clock,
        chain=[authority.certificate],
        region=lambda: REGION,
        random_bytes=secrets.token_bytes,
    ).add_to(app)
    async with (
        listening(app, "127.0.0.1", 0, certificate=certificate) as url,
        aiohttp.ClientSession() as session,
    ):
        world.url, world.session = url, session
        yield world
