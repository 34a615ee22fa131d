"""Over mutual TLS a certificate is of the hub's authority, of a known key, and not denied."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.enrolment import AUTHORITY_PATH, RENEW_PATH, REQUEST_CONTENT_TYPE
from admission.instant import Instant
from appliance.certificates import Names, pem
from cache.replica.keys import private_pem
from hub.authority import Authority, create_authority, load_authority
from hub.clock import HubClock
from hub.server_certificate import ServerCertificate, TlsOptions
from hub.store.devices import Device
from hub.store.enrolment import IssuedCertificate
from tests.hub.enrolments import KEY, NAMES, STRANGER, World, a_world, csr, later

OTHER = Names("gate-2", NAMES.site, NAMES.serial)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = HubClock()
    create_authority(tmp_path, clock.now())
    authority = load_authority(tmp_path)
    certificate = ServerCertificate(tmp_path, authority, TlsOptions(("localhost",)), clock)
    async with a_world(authority, clock, certificate=certificate) as world:
        for names, key in ((NAMES, KEY), (OTHER, STRANGER)):
            raw = key.public_key().public_bytes_raw()
            await world.store.put_device(
                Device(
                    name=names.device, enrolled_ns=1, public_key=raw, site=names.site,
                    serial=names.serial,
                )
            )  # fmt: skip
        yield world


def issued(authority: Authority, now: Instant, key: Ed25519PrivateKey = KEY) -> IssuedCertificate:
    names = NAMES if key is KEY else OTHER
    raw = key.public_key().public_bytes_raw()
    return authority.issue(names.device, names.site, names.serial, raw, now)


async def asks(
    world: World, folder: Path, shown: IssuedCertificate | None, key: Ed25519PrivateKey = KEY
) -> tuple[int, int]:
    """Ask for the authority, and to be renewed, over one client's TLS; return both statuses."""
    context = ssl.create_default_context(cadata=pem(world.authority.certificate).decode())
    if shown is not None:
        (folder / "device.crt").write_bytes(pem(x509.load_der_x509_certificate(shown.der)))
        (folder / "device.key").write_bytes(private_pem(key))
        context.load_cert_chain(folder / "device.crt", folder / "device.key")
    body, headers = base64.encodebytes(csr()), {"Content-Type": REQUEST_CONTENT_TYPE}
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
        session.get(world.url + AUTHORITY_PATH) as first,
        session.post(world.url + RENEW_PATH, data=body, headers=headers) as second,
    ):
        return first.status, second.status


async def test_a_device_s_own_certificate_is_let_in(world: World, tmp_path: Path) -> None:
    shown = issued(world.authority, world.clock.now())
    assert await world.store.issue(shown)
    assert await asks(world, tmp_path, shown) == (200, 200)
    assert await asks(world, tmp_path, None) == (200, 200), "it is optional"


async def test_one_that_has_ended_is_answered_and_waits_for_a_person(
    world: World, tmp_path: Path
) -> None:
    shown = issued(world.authority, later(world.clock.now(), -100))
    assert await world.store.issue(shown)
    assert await asks(world, tmp_path, shown) == (200, 202)


async def test_a_denied_device_s_is_refused_everywhere(world: World, tmp_path: Path) -> None:
    shown = issued(world.authority, world.clock.now())
    assert await world.store.issue(shown)
    await world.store.set_denied(NAMES.device, 1)
    assert await asks(world, tmp_path, shown) == (403, 403)


async def test_another_device_s_does_not_renew_this_one(world: World, tmp_path: Path) -> None:
    assert await world.store.issue(issued(world.authority, world.clock.now()))
    shown = issued(world.authority, world.clock.now(), STRANGER)
    assert await asks(world, tmp_path, shown, STRANGER) == (200, 403)


async def test_one_of_a_key_that_was_replaced_is_refused(world: World, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    shown = issued(world.authority, world.clock.now(), key)
    assert await asks(world, tmp_path, shown, key) == (403, 403)


async def test_one_of_another_authority_is_not_even_answered(world: World, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    create_authority(tmp_path / "other", world.clock.now())
    shown = issued(load_authority(tmp_path / "other"), world.clock.now())
    with pytest.raises((aiohttp.ClientError, OSError)):
        await asks(world, tmp_path, shown)
