"""One moment, as the appliance knows it: wall time with its trust, monotonic time, and the boot."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

import msgspec

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClockTrust(StrEnum):
    """How far the wall time may be believed."""

    SYNCHRONISED = "synchronised"
    """Disciplined by NTP, or told by the hub: live, and signed."""
    RTC = "rtc"
    """Carried over the last boot by a battery-backed clock."""
    UNKNOWN = "unknown"
    """Nobody vouches for it: checks that depend on a date REFER."""


class Instant(msgspec.Struct, frozen=True, gc=False):
    """A moment: `wall_ns` since the Unix epoch (UTC), `monotonic_ns` since `boot_id` began.

    Intervals are differences of `monotonic_ns` within one boot; dates come from `wall_ns` and only
    count as far as `trust` allows.
    """

    wall_ns: int
    monotonic_ns: int
    boot_id: str
    trust: ClockTrust

    @property
    def dated(self) -> bool:
        """Whether checks that depend on a date may be decided."""
        return self.trust is not ClockTrust.UNKNOWN

    def at(self, zone: tzinfo) -> datetime:
        """Return the wall time in `zone`, to the microsecond.

        >>> from datetime import timezone
        >>> Instant(1_631_318_400_000_000_000, 0, "b", ClockTrust.RTC).at(timezone.utc).isoformat()
        '2021-09-11T00:00:00+00:00'
        """
        return (EPOCH + timedelta(0, 0, self.wall_ns // 1000)).astimezone(zone)

    def date_in(self, zone: tzinfo) -> date:
        """Return the calendar date in `zone`."""
        return self.at(zone).date()
