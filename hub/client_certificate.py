"""What a client's certificate says, where a gate has shown one: whose it is.

OpenSSL has checked that the hub's authority signed it, and that the client has its key. Whether the
device's newest certificate has ended is judged where entries come in: `hub.devices`.
"""

from __future__ import annotations

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hub.devices import require_allowed
from hub.errors import ForbiddenError
from hub.store.devices import DeviceStore


def presented_key(request: web.BaseRequest) -> bytes | None:
    """Return the raw key of the certificate that the client has shown, None if it has shown none.

    Empty if that is no device's: its key is no Ed25519 key.
    """
    connection = request.get_extra_info("ssl_object")
    der = connection.getpeercert(binary_form=True) if connection is not None else None
    if not der:
        return None
    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return b""
    return key.public_bytes_raw() if isinstance(key, Ed25519PublicKey) else b""


def require_same(request: web.BaseRequest, public_key: bytes) -> None:
    """Check that a certificate, if one was shown, is for this raw public key.

    :raises ForbiddenError: if it is for another.
    """
    shown = presented_key(request)
    if shown is not None and not hmac.compare_digest(shown, public_key):
        raise ForbiddenError("the client certificate is another device's")


def only_allowed(store: DeviceStore) -> Middleware:
    """Return what refuses whoever shows the certificate of a device that is denied or unknown."""

    @web.middleware
    async def judged(request: web.Request, handler: Handler) -> web.StreamResponse:
        shown = presented_key(request)
        if shown is not None:
            device = await store.device_by_key(shown)
            if device is None:
                raise ForbiddenError("the client certificate is of no enrolled device")
            require_allowed(device)
        return await handler(request)

    return judged


def is_private(request: web.BaseRequest) -> bool:
    """Return whether nobody between can read along: TLS, or this very machine."""
    if request.get_extra_info("sslcontext") is not None:
        return True
    peer = request.get_extra_info("peername")
    return isinstance(peer, tuple) and str(peer[0]) in {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
