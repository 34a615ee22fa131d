"""Devices and their enrolment in memory: the part of the memory store that knows them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.errors import StoreError
from hub.store.devices import Device
from hub.store.enrolment import (
    EnrolmentRequest,
    EnrolmentToken,
    IssuedCertificate,
    RequestState,
)

replace = msgspec.structs.replace


class MemoryDevices:
    def __init__(self) -> None:
        super().__init__()
        self._devices: dict[str, Device] = {}
        self._tokens: dict[bytes, EnrolmentToken] = {}
        self._requests: dict[str, EnrolmentRequest] = {}
        self.certificates: dict[str, IssuedCertificate] = {}

    async def put_device(self, device: Device) -> None:
        for other in self._devices.values():
            same = device.public_key and other.public_key == device.public_key
            if other.name != device.name and same:
                raise StoreError("the key is already another device's")
        self._devices[device.name] = device

    async def device_by_name(self, name: str) -> Device | None:
        return self._devices.get(name)

    async def device_by_key(self, public_key: bytes) -> Device | None:
        found = (d for d in self._devices.values() if d.public_key == public_key)
        return next(found, None) if public_key else None

    async def devices(self) -> Sequence[Device]:
        return [device for _, device in sorted(self._devices.items())]

    async def set_denied(self, name: str, denied_ns: int | None) -> bool:
        device = self._devices.get(name)
        if device is None:
            return False
        if denied_ns is None or device.denied_ns is None:
            self._devices[name] = replace(device, denied_ns=denied_ns)
        return True

    async def put_enrolment_token(self, token: EnrolmentToken) -> None:
        if token.secret_sha256 in self._tokens:
            raise StoreError("there is such a token already")
        self._tokens[token.secret_sha256] = token

    async def enrolment_token(self, secret_sha256: bytes) -> EnrolmentToken | None:
        return self._tokens.get(secret_sha256)

    async def file_request(self, request: EnrolmentRequest) -> EnrolmentRequest:
        for held in self._requests.values():
            if held.secret_sha256 != request.secret_sha256:
                continue
            again = held.public_key == request.public_key and held.state is RequestState.PENDING
            if request.secret_sha256 or again:
                return held
        self._requests[request.number] = request
        if token := self._tokens.get(request.secret_sha256):
            self._tokens[token.secret_sha256] = replace(token, used_by=request.public_key)
        return request

    async def requests(self) -> Sequence[EnrolmentRequest]:
        return sorted(self._requests.values(), key=lambda one: (one.created_ns, one.number))

    async def request_of_token(self, secret_sha256: bytes) -> EnrolmentRequest | None:
        found = (r for r in self._requests.values() if r.secret_sha256 == secret_sha256)
        return next(found, None) if secret_sha256 else None

    async def approve(
        self, number: str, device: Device, certificate: IssuedCertificate, decided_ns: int
    ) -> bool:
        if not self._pending(number):
            return False
        await self.put_device(device)
        self._decide(number, RequestState.APPROVED, decided_ns)
        self.certificates[certificate.serial_number] = certificate
        return True

    async def refuse(self, number: str, decided_ns: int) -> bool:
        if not self._pending(number):
            return False
        self._decide(number, RequestState.DENIED, decided_ns)
        return True

    async def issue(self, certificate: IssuedCertificate) -> bool:
        device = self._devices.get(certificate.device)
        if device is None or device.denied or device.public_key != certificate.public_key:
            return False
        self._devices[device.name] = replace(device, expires_ns=certificate.not_after_ns)
        self.certificates[certificate.serial_number] = certificate
        return True

    async def newest_certificate(self, public_key: bytes) -> IssuedCertificate | None:
        mine = [one for one in self.certificates.values() if one.public_key == public_key]
        return max(mine, key=lambda one: one.not_after_ns, default=None)

    def _pending(self, number: str) -> bool:
        request = self._requests.get(number)
        return request is not None and request.state is RequestState.PENDING

    def _decide(self, number: str, state: RequestState, decided_ns: int) -> None:
        request = self._requests[number]
        self._requests[number] = replace(request, state=state, decided_ns=decided_ns)
