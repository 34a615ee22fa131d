"""What comes to the doors of enrolment is bounded, counted, and answered without a secret in it."""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateSigningRequestBuilder, Name

from admission.enrolment import (
    AUTHORITY_PATH,
    ENROL_PATH,
    MAX_REQUEST_BYTES,
    REGION_PATH,
    RENEW_PATH,
    USER,
    basic_password,
)
from appliance.certificates import Names, certificates_in
from hub.authority import Authority, create_authority, load_authority
from hub.guesses import MAX_FAILURES, WINDOW_NS
from tests.hub.enrolments import NAMES, REGION, STRANGER, TOKEN, World, a_world, csr
from tests.worlds import ManualClock


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("keys")
    create_authority(folder, ManualClock().now())
    return load_authority(folder)


@pytest.fixture
async def world(authority: Authority) -> AsyncIterator[World]:
    async with a_world(authority, ManualClock()) as world:
        yield world


async def test_the_whole_way(world: World) -> None:
    async with world.session.get(world.url + AUTHORITY_PATH) as answer:
        assert certificates_in(await answer.read()) == [world.authority.certificate]
        assert answer.headers["Cache-Control"] == "no-store"
    status, body, pause = await world.post(ENROL_PATH)
    assert (status, pause) == (202, "5")
    (request,) = await world.store.requests()
    assert request.number.encode() in body
    assert (await world.post(REGION_PATH))[0] == 403
    await world.approve_all()
    status, body, _ = await world.post(ENROL_PATH)
    assert status == 200
    (certificate,) = certificates_in(body)
    certificate.verify_directly_issued_by(world.authority.certificate)
    status, body, _ = await world.post(REGION_PATH)
    assert status == 200
    assert REGION.hash_key in body
    assert (await world.post(RENEW_PATH))[:2] == (200, (await world.post(ENROL_PATH))[1])


_EC = generate_private_key(SECP256R1())
_WRONG_KEY = CertificateSigningRequestBuilder().subject_name(Name([])).sign(_EC, SHA256())


def altered() -> bytes:
    der = bytearray(csr())
    at = der.index(b"gate-1")
    der[at : at + 6] = b"gate-2"
    return bytes(der)


@pytest.mark.parametrize("path", [ENROL_PATH, RENEW_PATH, REGION_PATH])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"!", 400),
        (base64.b64encode(b"\x30\x82\xff\xff" + b"\x00" * 500), 400),
        (base64.b64encode(altered()), 400),
        (base64.b64encode(_WRONG_KEY.public_bytes(Encoding.DER)), 400),
        (base64.b64encode(csr(Names("a b", "site-1", "s"))), 400),
        (base64.b64encode(csr(Names("gate-1", "UP", "s"))), 400),
        (b"A" * (2 * MAX_REQUEST_BYTES + 1), 413),
        (b"\n" * 1_000_000, 413),
    ],
)
async def test_hostile_bodies_are_refused_in_a_sentence(
    world: World, path: str, body: bytes, status: int
) -> None:
    answered, said, _ = await world.post(path, body)
    assert answered == status, said
    assert len(said) < 200
    assert list(await world.store.requests()) == []


@pytest.mark.parametrize("headers", [{"Content_Type": "text/plain"}, {"Content_Encoding": "gzip"}])
async def test_other_types_and_codings_are_refused(world: World, headers: dict[str, str]) -> None:
    assert (await world.post(ENROL_PATH, **headers))[0] == 415


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer abc", "Basic", "Basic !!!", "Basic " + "A" * 5_000, "Basic OmFiYw=="],
)
async def test_what_is_no_token_is_refused(world: World, authorization: str) -> None:
    status, said, _ = await world.post(ENROL_PATH, Authorization=authorization)
    assert status == 401
    assert b"token" in said


async def test_a_head_that_cannot_be_read_is_answered_and_logged_by_its_status_alone(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "chot.hub"):
        status, _, _ = await world.post(ENROL_PATH, Authorization="Basic " + "A" * 10_000)
    assert status == 400
    assert "unmatched" in caplog.text


async def test_guesses_are_few_and_then_wait(world: World) -> None:
    for guess in range(MAX_FAILURES):
        status, _, _ = await world.post(ENROL_PATH, secret=guess.to_bytes(16, "big"))
        assert status == 401
    status, _, pause = await world.post(ENROL_PATH)
    assert (status, pause) == (429, "60"), "whoever comes from there has to wait"
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(WINDOW_NS / 1e9 + 1)
    assert (await world.post(ENROL_PATH))[0] == 202


async def test_a_request_without_a_token_gets_no_further_than_a_renewal_of_nobody(
    world: World,
) -> None:
    assert (await world.post(RENEW_PATH))[0] == 403
    assert (await world.post(RENEW_PATH, base64.b64encode(csr(key=STRANGER))))[0] == 403
    assert list(await world.store.requests()) == []


async def test_no_secret_gets_into_a_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await world.post(ENROL_PATH)
        await world.post(ENROL_PATH, secret=b"x" * 16)
    shown = caplog.text + repr([record.args for record in caplog.records])
    assert "simpleenroll" in shown
    for secret in (TOKEN.secret, b"x" * 16):
        assert basic_password(secret) not in shown
        assert aiohttp.encode_basic_auth(USER, basic_password(secret)) not in shown
    assert NAMES.serial not in shown
