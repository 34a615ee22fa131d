"""Enrolment: tokens that count once, requests that wait for a person, certificates issued."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from hub.store.devices import Device


class EnrolmentToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was given out. Times are wall time in nanoseconds since 1970 (UTC).

    :ivar secret_sha256: `admission.enrolment.token_hash` of its secret, never the secret.
    :ivar device: the name that it is for, empty where the gate may name itself.
    :ivar used_by: the raw public key that has used it, empty before.
    """

    secret_sha256: bytes
    site: str
    serial: str
    device: str
    created_ns: int
    expires_ns: int
    used_by: bytes = b""


class RequestState(StrEnum):
    """What has become of a request. Values are in the store."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


class EnrolmentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A gate that asks for a certificate and waits for a person's word.

    :ivar number: what people call it by.
    :ivar secret_sha256: the token that it came with; empty for a gate whose certificate has ended.
    :ivar public_key: raw Ed25519, the key that the certificate will be for.
    """

    number: str
    secret_sha256: bytes
    device: str
    site: str
    serial: str
    public_key: bytes
    created_ns: int
    state: RequestState = RequestState.PENDING
    decided_ns: int | None = None


class IssuedCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that the authority has signed. `serial_number` is unique, positive."""

    serial_number: str
    device: str
    public_key: bytes
    not_before_ns: int
    not_after_ns: int
    der: bytes


class EnrolmentStore(Protocol):
    """What the hub keeps of enrolment."""

    async def put_enrolment_token(self, token: EnrolmentToken) -> None:
        """Keep a token that is given out.

        :raises StoreError: if its hash is there already.
        """
        ...

    async def enrolment_token(self, secret_sha256: bytes) -> EnrolmentToken | None:
        """Return the token of this hash."""
        ...

    async def file_request(self, request: EnrolmentRequest) -> EnrolmentRequest:
        """Keep a request, and note its key as the one that has used its token.

        Where the token has one already, or, without a token, where one of this key is pending, that
        one stays and is returned instead: of two that come at once with one token, one counts.
        """
        ...

    async def requests(self) -> Sequence[EnrolmentRequest]:
        """Return all requests, the oldest first."""
        ...

    async def request_of_token(self, secret_sha256: bytes) -> EnrolmentRequest | None:
        """Return the request that used this token."""
        ...

    async def approve(
        self, number: str, device: Device, certificate: IssuedCertificate, decided_ns: int
    ) -> bool:
        """Approve a pending request: register the device and keep its certificate, all or nothing.

        :returns: False, and nothing is changed, if no request of this number is pending.
        :raises StoreError: if the device's key is another device's.
        """
        ...

    async def refuse(self, number: str, decided_ns: int) -> bool:
        """Deny a pending request; return False if none of this number is pending."""
        ...

    async def issue(self, certificate: IssuedCertificate) -> bool:
        """Keep a device's next certificate.

        :returns: False, and nothing is kept, unless a device of this name and key is registered and
            not denied at this moment.
        """
        ...

    async def newest_certificate(self, public_key: bytes) -> IssuedCertificate | None:
        """Return the certificate for a raw public key that ends last."""
        ...
