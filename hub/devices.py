"""Which gates may upload: by their key, or by a token that is made here and kept as a hash."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable

import msgspec

from admission.instant import Instant
from hub.errors import ForbiddenError, HubError, UnauthorisedError
from hub.store.devices import Device, DeviceStore

TOKEN_BYTES = 32
MAX_AUTHORIZATION_LENGTH = 256
"""Characters of the longest `Authorization` header that is looked at."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


async def enrol(
    store: DeviceStore, name: str, now: Instant, *, random_bytes: Callable[[int], bytes]
) -> str:
    """Give a device a token, a new one if it had one: it can't be asked for again.

    A device of another name is registered with it; what else is known of one stays.

    :param random_bytes: a cryptographic source, such as `secrets.token_bytes`.
    :raises HubError: if the name is not one.
    :raises StoreError: if the store failed.
    """
    device = await _known(store, name, now)
    token = base64.urlsafe_b64encode(random_bytes(TOKEN_BYTES)).rstrip(b"=").decode("ascii")
    await store.put_device(
        msgspec.structs.replace(device, token_sha256=token_hash(token), enrolled_ns=now.wall_ns)
    )
    return token


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


async def authenticate(store: DeviceStore, authorization: str | None) -> Device:
    """Return the device that an `Authorization: Bearer` header (RFC 6750) speaks for.

    :raises UnauthorisedError: if it speaks for none.
    :raises ForbiddenError: if it speaks for one that is denied.
    :raises StoreError: if the store failed.
    """
    scheme, _, token = (authorization or "")[:MAX_AUTHORIZATION_LENGTH].partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthorisedError("a device's token is needed")
    offered = token_hash(token.strip())
    device = await store.device_by_token(offered)
    # The engine's look-up may leak how much of a hash agrees; of a hash, that tells nothing about
    # a 256-bit token. The comparison that counts takes the same time wherever they differ.
    if device is None or not hmac.compare_digest(device.token_sha256 or b"", offered):
        raise UnauthorisedError("the token is of no enrolled device")
    require_allowed(device)
    return device


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


def token_hash(token: str) -> bytes:
    """Return the SHA-256 under which a token is kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
