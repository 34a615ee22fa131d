"""Devices that sent something a moment ago: not asked of the store again for every batch."""

from __future__ import annotations

from collections import OrderedDict

from admission.ports import Clock
from hub.store.devices import Device, DeviceStore

LASTING_NS = 1_000_000_000
"""How long what was known of a device is believed: so long a denial may take to be felt."""
MAX_DEVICES = 4_096


class RecentDevices:
    """Looks devices up by name, and remembers for a second those that are there and not denied."""

    def __init__(self, devices: DeviceStore, clock: Clock) -> None:
        self._devices = devices
        self._clock = clock
        self._known: OrderedDict[str, tuple[int, Device]] = OrderedDict()

    async def by_name(self, name: str) -> Device | None:
        """Return the device of this name.

        :raises StoreError: if the store failed.
        """
        now_ns = self._clock.now().monotonic_ns
        asked_ns, device = self._known.get(name, (0, None))
        if device is not None and 0 <= now_ns - asked_ns < LASTING_NS:
            return device
        return await self.by_name_now(name)

    async def by_name_now(self, name: str) -> Device | None:
        """Return the device of this name as it is known at this moment.

        :raises StoreError: if the store failed.
        """
        asked_ns = self._clock.now().monotonic_ns
        device = await self._devices.device_by_name(name)
        self._known.pop(name, None)
        if device is not None and not device.denied:
            self._known[name] = (asked_ns, device)
            if len(self._known) > MAX_DEVICES:
                self._known.popitem(last=False)
        return device
