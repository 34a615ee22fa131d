"""The hub's clock: the one place in this package that reads time."""

from __future__ import annotations

import time
from pathlib import Path

from admission.instant import ClockTrust, Instant

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class HubClock:
    """Stands behind `admission.ports.Clock`.

    A hub's host is expected to keep its time by NTP, but nothing here can prove that it does, so
    moments are stamped with the trust of a battery-backed clock.
    """

    def __init__(self) -> None:
        self._boot_id = _BOOT_ID.read_text(encoding="ascii").strip()

    def now(self) -> Instant:
        """Return the present moment."""
        return Instant(time.time_ns(), time.monotonic_ns(), self._boot_id, ClockTrust.RTC)
