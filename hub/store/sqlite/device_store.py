"""The store's part about devices and their enrolment, each call one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from hub.store.devices import Device
from hub.store.enrolment import EnrolmentRequest, EnrolmentToken, IssuedCertificate
from hub.store.sqlite import devices, enrolment
from hub.store.sqlite.connection import Connection


class SqliteDeviceStore:
    """Stands behind `hub.store.devices.DeviceStore` and `hub.store.enrolment.EnrolmentStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def put_device(self, device: Device) -> None:
        """Register a device; see the port."""
        async with self._connection.transaction() as raw:
            await devices.put(raw, device)

    async def device_by_name(self, name: str) -> Device | None:
        """Return the device of this name."""
        async with self._connection.transaction(write=False) as raw:
            return await devices.by(raw, "name", name)

    async def device_by_key(self, public_key: bytes) -> Device | None:
        """Return the device of this raw public key."""
        async with self._connection.transaction(write=False) as raw:
            return await devices.by(raw, "public_key", public_key)

    async def devices(self) -> Sequence[Device]:
        """Return all devices by name."""
        async with self._connection.transaction(write=False) as raw:
            return await devices.everyone(raw)

    async def set_denied(self, name: str, denied_ns: int | None) -> bool:
        """Put a device on the deny list, or take it off; see the port."""
        async with self._connection.transaction() as raw:
            return await devices.set_denied(raw, name, denied_ns)

    async def put_enrolment_token(self, token: EnrolmentToken) -> None:
        """Keep a token that is given out."""
        async with self._connection.transaction() as raw:
            await enrolment.put_token(raw, token)

    async def enrolment_token(self, secret_sha256: bytes) -> EnrolmentToken | None:
        """Return the token of this hash."""
        async with self._connection.transaction(write=False) as raw:
            return await enrolment.token(raw, secret_sha256)

    async def file_request(self, request: EnrolmentRequest) -> EnrolmentRequest:
        """Keep a request, or return the one that stands in its place; see the port."""
        async with self._connection.transaction() as raw:
            return await enrolment.file_request(raw, request)

    async def requests(self) -> Sequence[EnrolmentRequest]:
        """Return all requests, the oldest first."""
        async with self._connection.transaction(write=False) as raw:
            return await enrolment.requests(raw)

    async def request_of_token(self, secret_sha256: bytes) -> EnrolmentRequest | None:
        """Return the request that used this token."""
        async with self._connection.transaction(write=False) as raw:
            return await enrolment.request_of_token(raw, secret_sha256)

    async def approve(
        self, number: str, device: Device, certificate: IssuedCertificate, decided_ns: int
    ) -> bool:
        """Approve a pending request; see the port."""
        async with self._connection.transaction() as raw:
            return await enrolment.approve(raw, number, device, certificate, decided_ns)

    async def refuse(self, number: str, decided_ns: int) -> bool:
        """Deny a pending request; see the port."""
        async with self._connection.transaction() as raw:
            return await enrolment.refuse(raw, number, decided_ns)

    async def issue(self, certificate: IssuedCertificate) -> bool:
        """Keep a device's next certificate; see the port."""
        async with self._connection.transaction() as raw:
            return await enrolment.issue(raw, certificate)

    async def newest_certificate(self, public_key: bytes) -> IssuedCertificate | None:
        """Return the certificate for this key that ends last."""
        async with self._connection.transaction(write=False) as raw:
            return await enrolment.newest_certificate(raw, public_key)
