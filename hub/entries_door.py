"""`POST /v2/entries`: a signed batch in, a signed high-water mark out.

Who sends is told by the batch's own signature, which no proxy on the way can end; where the line
itself is mutual TLS, its certificate must be of the same key.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from admission.errors import WireError
from admission.instant import Instant
from admission.ports import Clock
from admission.upload import (
    MARK_CONTENT_TYPE,
    UPLOAD_VERSION,
    Mark,
    Received,
    sign_mark,
    unpack_signed_batch,
)
from hub.access import DEVICE
from hub.body import batch_bytes
from hub.client_certificate import presented_key
from hub.devices import require_allowed, require_current
from hub.errors import (
    ForbiddenError,
    MalformedUploadError,
    UnauthorisedError,
    UploadError,
)
from hub.intake import Arrival, Intake, Receipt, arrival_of
from hub.recent_devices import RecentDevices
from hub.store.devices import Device, DeviceStore
from hub.uploads import Uploads


class EntriesDoor:
    """Takes signed batches.

    :param head_key: signs the marks: the key whose public half every gate has.
    :param stored: is told of every receipt.
    """

    def __init__(
        self,
        devices: DeviceStore,
        intake: Intake,
        clock: Clock,
        uploads: Uploads,
        *,
        head_key: Ed25519PrivateKey,
        stored: Callable[[Receipt], None],
    ) -> None:
        self._devices = RecentDevices(devices, clock)
        self._intake = intake
        self._clock = clock
        self._uploads = uploads
        self._head_key = head_key
        self._stored = stored

    async def upload(self, request: web.Request) -> web.Response:
        """Store a batch; answer once everything that the mark covers is durable."""
        received = _received(await batch_bytes(request, places=self._uploads.arriving))
        batch = received.batch
        device = await self._authenticated(received, presented_key(request))
        request[DEVICE] = device.name
        async with self._uploads.place(device.name):
            receipt = await self._intake.receive(_arrival(received), self._clock.now())
        self._stored(receipt)
        through, chain_hash = receipt.watermark.through, receipt.watermark.chain_hash
        mark = Mark(
            UPLOAD_VERSION,
            batch.device,
            batch.journal,
            through,
            chain_hash,
            self._clock.now().wall_ns,
        )
        return web.Response(body=sign_mark(mark, self._head_key), content_type=MARK_CONTENT_TYPE)

    async def _authenticated(self, received: Received, line_key: bytes | None) -> Device:
        name = received.batch.device
        recent = await self._devices.by_name(name)
        try:
            return judged(recent, received, self._clock.now(), line_key)
        except UploadError:
            # Registered anew a moment ago? Then its new key counts at once.
            device = await self._devices.by_name_now(name)
            if device == recent:
                raise
            return judged(device, received, self._clock.now(), line_key)


def judged(
    device: Device | None, received: Received, now: Instant, line_key: bytes | None = None
) -> Device:
    """Return the device that a batch names, if it is the one that signed it.

    :param device: what is known of the name; None if nothing is.
    :param line_key: the raw key of the line's client certificate, None where there is none.
    :raises UnauthorisedError: if no device of this name is registered with the key that signed.
    :raises ForbiddenError: if the device is denied, its certificate has ended, or the line is
        another's.
    """
    if device is None or not device.public_key:
        raise UnauthorisedError("no device of this name is registered with a key")
    if not received.is_signed_by(Ed25519PublicKey.from_public_bytes(device.public_key)):
        raise UnauthorisedError("the batch is not signed by the device's key")
    require_allowed(device)
    require_current(device, now)
    if line_key is not None and line_key != device.public_key:
        raise ForbiddenError("the line's certificate is of another key than the batch")
    return device


def _received(data: bytes) -> Received:
    try:
        return unpack_signed_batch(data)
    except WireError as error:
        raise MalformedUploadError("the body is no batch of this version") from error


def _arrival(received: Received) -> Arrival:
    try:
        return arrival_of(received.batch)
    except WireError as error:
        raise MalformedUploadError("the batch does not say where its chain begins") from error
