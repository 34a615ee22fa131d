"""Tokens: made once, kept as hashes, renewed by making another."""

from __future__ import annotations

import pytest

from hub.devices import authenticate, enrol, register, token_hash
from hub.errors import ForbiddenError, HubError, UnauthorisedError
from hub.store.devices import Device
from tests.hub.memory_store import MemoryStore
from tests.worlds import ManualClock

NOW = ManualClock().now()


async def test_a_token_speaks_for_its_device_until_there_is_a_newer_one() -> None:
    store = MemoryStore()
    old = await enrol(store, "gate-1", NOW, random_bytes=lambda n: b"\x01" * n)
    assert (await authenticate(store, f"Bearer {old}")).name == "gate-1"
    assert (await authenticate(store, f"bearer  {old} ")).name == "gate-1"
    new = await enrol(store, "gate-1", NOW, random_bytes=lambda n: b"\x02" * n)
    with pytest.raises(UnauthorisedError):
        await authenticate(store, f"Bearer {old}")
    assert (await authenticate(store, f"Bearer {new}")).name == "gate-1"


async def test_the_store_never_sees_the_token() -> None:
    store = MemoryStore()
    token = await enrol(store, "gate-1", NOW, random_bytes=lambda n: b"\x01" * n)
    device = await store.device_by_token(token_hash(token))
    assert device is not None
    assert token not in repr(device)
    assert len(token) >= 43, "256 bits"


@pytest.mark.parametrize("name", ["", " ", "a b", "../x", "-a", "a" * 65, "cổng", "a\n"])
async def test_odd_names_are_refused(name: str) -> None:
    with pytest.raises(HubError):
        await enrol(MemoryStore(), name, NOW, random_bytes=bytes)


async def test_a_denied_device_speaks_for_nobody() -> None:
    store = MemoryStore()
    token = await enrol(store, "gate-1", NOW, random_bytes=lambda n: b"\x01" * n)
    await store.set_denied("gate-1", 1)
    with pytest.raises(ForbiddenError):
        await authenticate(store, f"Bearer {token}")


async def test_a_new_key_ends_what_the_old_ones_certificate_said() -> None:
    store = MemoryStore()
    await store.put_device(Device(name="gate-1", enrolled_ns=1, public_key=b"a" * 32, expires_ns=9))
    await register(store, "gate-1", b"a" * 32, NOW)
    assert await store.device_by_key(b"a" * 32) == Device(
        name="gate-1", enrolled_ns=NOW.wall_ns, public_key=b"a" * 32, expires_ns=9
    )
    await register(store, "gate-1", b"b" * 32, NOW)
    assert await store.device_by_name("gate-1") == Device(
        name="gate-1", enrolled_ns=NOW.wall_ns, public_key=b"b" * 32
    )
