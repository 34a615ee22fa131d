"""Devices: which gates may upload, by which key they are known, and which of them are denied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A gate that may upload.

    :ivar name: its name at the hub, the CN of its certificate.
    :ivar enrolled_ns: wall time at which it was registered, in nanoseconds since 1970 (UTC).
    :ivar public_key: its Ed25519 key, raw, 32 bytes (RFC 8032 §5.1.5); empty for one that was known
        by a token, as before there were keys: it has to be enrolled.
    :ivar site: the site that it was enrolled for, empty where nobody said.
    :ivar serial: its hardware's serial number, empty where nobody said.
    :ivar denied_ns: wall time from which on nothing is taken from it and nothing given to it.
    :ivar expires_ns: wall time at which its newest certificate ends; None if it has none of ours.
    """

    name: str
    enrolled_ns: int
    public_key: bytes = b""
    site: str = ""
    serial: str = ""
    denied_ns: int | None = None
    expires_ns: int | None = None

    @property
    def denied(self) -> bool:
        """Whether it is on the deny list."""
        return self.denied_ns is not None


class DeviceStore(Protocol):
    """Which gates may upload."""

    async def put_device(self, device: Device) -> None:
        """Register a device; an earlier one of the same name is replaced as a whole.

        Its earlier key ends to count with that.

        :raises StoreError: if the public key is another device's.
        """
        ...

    async def device_by_name(self, name: str) -> Device | None:
        """Return the device of this name."""
        ...

    async def device_by_key(self, public_key: bytes) -> Device | None:
        """Return the device of this raw public key; none for an empty one."""
        ...

    async def devices(self) -> Sequence[Device]:
        """Return all devices by name."""
        ...

    async def set_denied(self, name: str, denied_ns: int | None) -> bool:
        """Put a device on the deny list as of a wall time, or take it off; return if it exists.

        One that is on the list already keeps the time from which on it is.
        """
        ...
