"""A gate tells its secret to the token's hub alone, and takes nothing but what it asked for."""

from __future__ import annotations

import base64
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates

from admission.enrolment import AUTHORITY_PATH, ENROL_PATH, MAX_ANSWER_BYTES, REGION_PATH, Token
from admission.ports import Clock
from appliance.certificates import Names
from appliance.enrolling import Enrolling
from appliance.errors import EnrolmentPending, EnrolmentRefused, HubUnavailable
from hub.authority import Authority, create_authority, load_authority
from hub.clock import HubClock
from hub.server_certificate import ServerCertificate, TlsOptions
from tests.hub.enrolments import KEY, NAMES, REGION, STRANGER, TOKEN, World, a_world
from tests.worlds import ManualClock

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    create_authority(folder, ManualClock().now())
    return folder


@pytest.fixture(scope="module")
def authority(keys: Path) -> Authority:
    return load_authority(keys)


@asynccontextmanager
async def a_tls_hub(keys: Path, clock: Clock) -> AsyncIterator[World]:
    for name in ("server.key", "server.crt"):
        (keys / name).unlink(missing_ok=True)
    authority = load_authority(keys)
    certificate = ServerCertificate(keys, authority, TlsOptions((HOST,)), clock)
    async with a_world(authority, clock, certificate=certificate) as world:
        yield world


def token(world: World, pin: bytes | None = None) -> Token:
    pinned = world.authority.pin if pin is None else pin
    return msgspec.structs.replace(TOKEN, url=world.url, pin=pinned)


def enrolling(
    token: Token,
    *,
    names: Names = NAMES,
    sleep: Callable[[float], Awaitable[object]] | None = None,
    wait_s: float = 60.0,
    told: list[str] | None = None,
) -> Enrolling:
    clock = ManualClock()

    async def passes(pause_s: float) -> None:
        clock.advance(pause_s)

    return Enrolling(
        token,
        names,
        KEY,
        clock,
        waiting=(told if told is not None else []).append,
        wait_s=wait_s,
        sleep=sleep or passes,
    )


async def test_a_gate_is_enrolled_over_tls_that_it_knows_by_its_token(keys: Path) -> None:
    told: list[str] = []
    async with a_tls_hub(keys, HubClock()) as world:
        assert world.url.startswith("https://")

        async def approved(_: float) -> None:
            await world.approve_all()

        enrolled = await enrolling(token(world), sleep=approved, told=told).enrol()
        (request,) = await world.store.requests()
    assert told == [request.number]
    assert enrolled.region == REGION
    assert "h" * 32 not in repr(enrolled)
    (kept,) = x509.load_pem_x509_certificates(enrolled.authorities)
    assert kept == world.authority.certificate
    certificate = x509.load_pem_x509_certificate(enrolled.certificate)
    certificate.verify_directly_issued_by(kept)


async def test_another_hub_than_the_token_s_is_told_nothing(keys: Path) -> None:
    async with a_tls_hub(keys, HubClock()) as world:
        with pytest.raises(HubUnavailable, match="not the hub that made the token"):
            await enrolling(token(world, pin=b"x" * 32)).enrol()
        assert list(await world.store.requests()) == []


async def test_a_clock_that_is_off_is_named(keys: Path) -> None:
    async with a_tls_hub(keys, ManualClock()) as world:  # a certificate of 2021
        with pytest.raises(HubUnavailable, match="expired") as caught:
            await enrolling(token(world)).enrol()
        assert "clock" in caught.value.hint
        assert list(await world.store.requests()) == []


async def test_nobody_waits_for_ever_and_the_same_token_goes_on(authority: Authority) -> None:
    async with a_world(authority, ManualClock()) as world:
        with pytest.raises(EnrolmentPending) as caught:
            await enrolling(token(world), wait_s=20).enrol()
        assert "same token" in caught.value.hint
        await world.approve_all()
        await enrolling(token(world)).enrol()
        assert len(await world.store.requests()) == 1


async def test_the_hub_s_refusal_is_told_in_its_words(authority: Authority) -> None:
    async with a_world(authority, ManualClock()) as world:
        elsewhere = Names(NAMES.device, "site-2", NAMES.serial)
        with pytest.raises(EnrolmentRefused, match="another site"):
            await enrolling(token(world), names=elsewhere).enrol()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _packed(*certificates: x509.Certificate) -> bytes:
    return base64.encodebytes(serialize_certificates(list(certificates), Encoding.DER))


def _issued(authority: Authority, names: Names = NAMES, key: Any = KEY) -> bytes:
    made = authority.issue(
        names.device,
        names.site,
        names.serial,
        key.public_key().public_bytes_raw(),
        ManualClock().now(),
    )
    return _packed(x509.load_der_x509_certificate(made.der))


@asynccontextmanager
async def a_strange_hub(**answers: list[web.Response]) -> AsyncIterator[str]:
    """Serve these answers one after the other, the last one again and again."""
    app = web.Application()
    for name, path in (("ca", AUTHORITY_PATH), ("enrol", ENROL_PATH), ("region", REGION_PATH)):
        given = answers.get(name, [web.Response(status=404)])
        turns = itertools.chain(given[:-1], itertools.repeat(given[-1]))

        async def answer(_: web.Request, turns: Any = turns) -> web.StreamResponse:
            said = next(turns)
            headers = {k: v for k, v in said.headers.items() if k == "Location"}
            return web.Response(status=said.status, body=said.body, headers=headers)

        app.router.add_route("*", path, answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    yield f"http://{HOST}:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(
    "answer",
    [
        (200, b""),
        (200, b"!!!"),
        (200, b"QUJD"),
        (200, b"A" * (MAX_ANSWER_BYTES + 1)),
        (404, b"gone"),
        (500, b""),
        (302, b""),
    ],
)
async def test_what_is_no_hub_is_an_error_of_ours(answer: tuple[int, bytes]) -> None:
    location = {"Location": "http://127.0.0.1:1/"} if answer[0] == 302 else None
    response = web.Response(status=answer[0], body=answer[1], headers=location)
    async with a_strange_hub(ca=[response]) as url:
        with pytest.raises(HubUnavailable):
            await enrolling(msgspec.structs.replace(TOKEN, url=url)).enrol()


@pytest.mark.parametrize(
    ("names", "key"),
    [(Names("gate-2", NAMES.site, NAMES.serial), KEY), (NAMES, STRANGER)],
)
async def test_another_device_s_certificate_is_not_taken(
    authority: Authority, names: Names, key: object
) -> None:
    chain = web.Response(body=_packed(authority.certificate))
    wrong = web.Response(body=_issued(authority, names, key))
    async with a_strange_hub(ca=[chain], enrol=[wrong]) as url:
        with pytest.raises(HubUnavailable, match="another device"):
            await enrolling(msgspec.structs.replace(TOKEN, url=url, pin=authority.pin)).enrol()


async def test_another_authority_s_certificate_is_not_taken(
    authority: Authority, tmp_path: Path
) -> None:
    create_authority(tmp_path, ManualClock().now())
    chain = web.Response(body=_packed(authority.certificate))
    wrong = web.Response(body=_issued(load_authority(tmp_path)))
    async with a_strange_hub(ca=[chain], enrol=[wrong]) as url:
        with pytest.raises(HubUnavailable, match="another authority"):
            await enrolling(msgspec.structs.replace(TOKEN, url=url, pin=authority.pin)).enrol()


@pytest.mark.parametrize(
    "region",
    [b"", b"\x92\xc4\x00\xc4\x00", msgspec.msgpack.encode((REGION.root, b"short")), b"\xc1" * 99],
)
async def test_a_region_that_cannot_be_used_is_not_kept(
    authority: Authority, region: bytes
) -> None:
    answers = {
        "ca": [web.Response(body=_packed(authority.certificate))],
        "enrol": [
            web.Response(status=202, body=b'{"request": "ABC"}'),
            web.Response(status=503),
            web.Response(body=_issued(authority)),
        ],
        "region": [web.Response(body=region)],
    }
    async with a_strange_hub(**answers) as url:
        with pytest.raises(HubUnavailable):
            await enrolling(msgspec.structs.replace(TOKEN, url=url, pin=authority.pin)).enrol()
