"""What every engine must keep of devices: who a key speaks for, and who is denied."""

from __future__ import annotations

import msgspec
import pytest

from hub.errors import StoreError
from hub.store.devices import Device
from hub.store.port import Store

GATE = Device(
    name="gate-1",
    enrolled_ns=1,
    public_key=b"k" * 32,
    site="site-1",
    serial="10000000abcdef01",
    expires_ns=5,
)


async def test_a_device_is_found_by_its_name_and_its_key(store: Store) -> None:
    await store.put_device(GATE)
    assert await store.device_by_name("gate-1") == GATE
    assert await store.device_by_key(b"k" * 32) == GATE
    assert await store.device_by_name("gate-2") is None


async def test_a_new_key_ends_the_old_one(store: Store) -> None:
    await store.put_device(GATE)
    newer = msgspec.structs.replace(GATE, public_key=b"l" * 32)
    await store.put_device(newer)
    assert await store.device_by_key(b"k" * 32) is None
    assert await store.device_by_key(b"l" * 32) == newer


async def test_two_devices_never_share_a_key(store: Store) -> None:
    other = Device(name="gate-2", enrolled_ns=1, public_key=b"k" * 32)
    await store.put_device(GATE)
    with pytest.raises(StoreError):
        await store.put_device(other)
    assert list(await store.devices()) == [GATE]


async def test_devices_without_a_key_do_not_share_it(store: Store) -> None:
    bare = [Device(name=f"gate-{n}", enrolled_ns=n) for n in range(3)]
    for device in reversed(bare):
        await store.put_device(device)
    assert list(await store.devices()) == bare, "by name"
    assert await store.device_by_key(b"") is None


async def test_a_denied_device_keeps_the_time_from_which_on_it_is(store: Store) -> None:
    await store.put_device(GATE)
    assert await store.set_denied("gate-1", 7)
    assert await store.set_denied("gate-1", 8)
    denied = await store.device_by_key(b"k" * 32)
    assert denied == msgspec.structs.replace(GATE, denied_ns=7)
    assert denied.denied
    assert await store.set_denied("gate-1", None)
    assert await store.device_by_name("gate-1") == GATE
    assert not await store.set_denied("gate-2", 7)
