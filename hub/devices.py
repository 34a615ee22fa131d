"""Which gates may upload, by their keys."""

from __future__ import annotations

import re

import msgspec

from admission.instant import Instant
from hub.errors import ForbiddenError, HubError
from hub.store.devices import Device, DeviceStore

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


async def register(store: DeviceStore, name: str, public_key: bytes, now: Instant) -> None:
    """Register a device by its raw Ed25519 key, in place of an earlier key of this name.

    :raises HubError: if the name is not one.
    :raises StoreError: if the key is another device's, or the store failed.
    """
    device = await _known(store, name, now)
    if device.public_key != public_key:
        # A certificate goes with the key that it is for.
        device = msgspec.structs.replace(device, expires_ns=None)
    await store.put_device(
        msgspec.structs.replace(device, public_key=public_key, enrolled_ns=now.wall_ns)
    )


def require_name(name: str) -> None:
    """Check that this may be a device's name.

    :raises HubError: if it may not.
    """
    if not _NAME.fullmatch(name):
        raise HubError(
            "a device's name has 1 to 64 letters, digits, dots, hyphens and underscores",
            hint="for example: gate-1",
        )


async def _known(store: DeviceStore, name: str, now: Instant) -> Device:
    require_name(name)
    device = await store.device_by_name(name)
    return device or Device(name=name, enrolled_ns=now.wall_ns)


def require_allowed(device: Device) -> None:
    """Check that a device is not on the deny list.

    :raises ForbiddenError: if it is.
    """
    if device.denied:
        raise ForbiddenError("this device is denied")


def require_current(device: Device, now: Instant) -> None:
    """Check that a device's newest certificate has not ended, if it has one of this hub's.

    :raises ForbiddenError: if it has: somebody has to approve the next one.
    """
    if device.expires_ns is not None and now.wall_ns >= device.expires_ns:
        raise ForbiddenError("this device's certificate has ended, and nobody approved the next")
