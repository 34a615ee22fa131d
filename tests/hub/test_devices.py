"""Devices: known by their names and keys."""

from __future__ import annotations

import pytest

from hub.devices import register
from hub.errors import HubError
from hub.store.devices import Device
from tests.hub.memory_store import MemoryStore
from tests.worlds import ManualClock

NOW = ManualClock().now()


@pytest.mark.parametrize("name", ["", " ", "a b", "../x", "-a", "a" * 65, "cổng", "a\n"])
async def test_odd_names_are_refused(name: str) -> None:
    with pytest.raises(HubError):
        await register(MemoryStore(), name, b"a" * 32, NOW)


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
