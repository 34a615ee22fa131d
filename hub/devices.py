"""Which gates may upload: tokens are made here, and only their hashes are kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable

from admission.instant import Instant
from hub.errors import HubError, UnauthorisedError
from hub.store.port import Device, DeviceStore

TOKEN_BYTES = 32
MAX_AUTHORIZATION_LENGTH = 256
"""Characters of the longest `Authorization` header that is looked at."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


async def enrol(
    store: DeviceStore, name: str, now: Instant, *, random_bytes: Callable[[int], bytes]
) -> str:
    """Enrol a device, or give it a new token, and return the token: it can't be asked for again.

    :param random_bytes: a cryptographic source, such as `secrets.token_bytes`.
    :raises HubError: if the name is not one.
    :raises StoreError: if the store failed.
    """
    if not _NAME.fullmatch(name):
        raise HubError(
            "a device's name has 1 to 64 letters, digits, dots, hyphens and underscores",
            hint="for example: gate-1",
        )
    token = base64.urlsafe_b64encode(random_bytes(TOKEN_BYTES)).rstrip(b"=").decode("ascii")
    await store.put_device(Device(name, token_hash(token), now.wall_ns))
    return token


async def authenticate(store: DeviceStore, authorization: str | None) -> Device:
    """Return the device that an `Authorization: Bearer` header (RFC 6750) speaks for.

    :raises UnauthorisedError: if it speaks for none.
    :raises StoreError: if the store failed.
    """
    scheme, _, token = (authorization or "")[:MAX_AUTHORIZATION_LENGTH].partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthorisedError("a device's token is needed")
    offered = token_hash(token.strip())
    device = await store.device_by_token(offered)
    # The engine's look-up may leak how much of a hash agrees; of a hash, that tells nothing about
    # a 256-bit token. The comparison that counts takes the same time wherever they differ.
    if device is None or not hmac.compare_digest(device.token_sha256, offered):
        raise UnauthorisedError("the token is of no enrolled device")
    return device


def token_hash(token: str) -> bytes:
    """Return the SHA-256 under which a token is kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
