"""What a client's certificate says, where a gate has shown one: whose it is, and whether it counts.

OpenSSL has checked that the hub's authority signed it, and that the client has its key.
"""

from __future__ import annotations

import hmac
import ssl
from datetime import UTC, datetime

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.ports import Clock
from hub.devices import require_allowed
from hub.errors import ForbiddenError
from hub.store.devices import DeviceStore


class Presented(msgspec.Struct, frozen=True):
    """A client's certificate: the raw public key that it is for, and when it ends."""

    public_key: bytes
    ends: datetime


def presented(request: web.BaseRequest) -> Presented | None:
    """Return what the client has shown, or None if that is nothing, or nothing of a device."""
    connection = request.get_extra_info("ssl_object")
    if not isinstance(connection, ssl.SSLObject | ssl.SSLSocket):
        return None
    der = connection.getpeercert(binary_form=True)
    if not der:
        return None
    certificate = x509.load_der_x509_certificate(der)
    key = certificate.public_key()
    if not isinstance(key, Ed25519PublicKey):
        return None
    return Presented(key.public_bytes_raw(), certificate.not_valid_after_utc)


def require_same(request: web.BaseRequest, public_key: bytes) -> None:
    """Check that a certificate, if one was shown, is for this raw public key.

    :raises ForbiddenError: if it is for another.
    """
    shown = presented(request)
    if shown is not None and not hmac.compare_digest(shown.public_key, public_key):
        raise ForbiddenError("the client certificate is another device's")


def only_allowed(store: DeviceStore, clock: Clock, *, free: frozenset[str]) -> Middleware:
    """Return what refuses a certificate that has ended, or of a device that is denied or unknown.

    :param free: paths on which an ended certificate may be shown: there it is renewed.
    """

    @web.middleware
    async def judged(request: web.Request, handler: Handler) -> web.StreamResponse:
        shown = presented(request)
        if shown is not None:
            device = await store.device_by_key(shown.public_key)
            if device is None:
                raise ForbiddenError("the client certificate is of no enrolled device")
            require_allowed(device)
            now = datetime.fromtimestamp(clock.now().wall_ns / 1e9, UTC)
            if now >= shown.ends and request.path not in free:
                raise ForbiddenError("the client certificate has ended")
        return await handler(request)

    return judged


def is_private(request: web.BaseRequest) -> bool:
    """Return whether nobody between can read along: TLS, or this very machine."""
    if request.get_extra_info("sslcontext") is not None:
        return True
    peer = request.get_extra_info("peername")
    return isinstance(peer, tuple) and str(peer[0]) in {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
