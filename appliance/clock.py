"""The only reader of clocks: wall time with its trust, monotonic time, the boot's identity.

Wall time is believed when the kernel says that NTP disciplines it, when a signed head received in
this boot agrees with it, or, more weakly, when a battery-backed clock set it at boot. A signed head
is also a floor: it was issued, so it cannot be earlier than that now (as Uptane lets a clockless
device take time from a signed statement).
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path

from admission.instant import ClockTrust, Instant

RECHECK_NS = 1_000_000_000
TOLERANCE_NS = 300 * 1_000_000_000
"""How far behind a signed head's issue time the wall clock may be and still agree with it."""

BUILD_FLOOR_NS = 1_760_000_000 * 1_000_000_000
"""This software did not exist before (October 2025): an earlier wall clock is wrong."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_RTC = Path("/sys/class/rtc")
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_TIMEX_BYTES = 256


def kernel_synchronised() -> bool:
    """Return whether the kernel's clock is disciplined (adjtimex(2) is not TIME_ERROR)."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        state: int = libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return False
    return 0 <= state < _TIME_ERROR


def set_from_rtc(folder: Path = _RTC) -> bool:
    """Return whether the kernel took its time from a battery-backed clock at boot."""
    try:
        return any(p.read_text().strip() == "1" for p in folder.glob("rtc*/hctosys"))
    except OSError:
        return False


def read_boot_id(path: Path = _BOOT_ID) -> str:
    """Return the kernel's random identity of this boot, or 'unknown' where there is none."""
    try:
        return path.read_text().strip()
    except OSError:
        return "unknown"


class SystemClock:
    """The Clock port on this machine. Its sources can be replaced for tests."""

    def __init__(
        self,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        synchronised: Callable[[], bool] = kernel_synchronised,
        rtc: Callable[[], bool] = set_from_rtc,
        boot_id: str | None = None,
    ) -> None:
        self.monotonic_ns = monotonic_ns
        self._wall_ns = wall_ns
        self._synchronised = synchronised
        self._rtc = rtc
        self._boot_id = read_boot_id() if boot_id is None else boot_id
        self._anchor: tuple[int, int] | None = None  # wall and monotonic time of a head's issue
        self._floor_ns = BUILD_FLOOR_NS
        self._vouched = False
        self._from_rtc: bool | None = None
        self._trust = ClockTrust.UNKNOWN
        self._recheck_at = 0

    def now(self) -> Instant:
        """Return the present moment. Microseconds: the trust is looked up once a second."""
        monotonic = self.monotonic_ns()
        if monotonic >= self._recheck_at:
            self._recheck_at = monotonic + RECHECK_NS
            self._trust = self._judge(self._wall(monotonic))
        return Instant(self._wall(monotonic), monotonic, self._boot_id, self._trust)

    def raise_floor(self, wall_ns: int) -> None:
        """Take note that it is later than `wall_ns`, as state kept from an earlier boot says."""
        self._floor_ns = max(self._floor_ns, wall_ns)
        self._recheck_at = 0

    def anchor(self, issued_ns: int, expires_ns: int) -> None:
        """Take a signed head just received as evidence of the time.

        A wall clock behind its issue time is set forward to it, for as long as it stays behind; one
        between issue and expiry agrees with it; one past its expiry proves nothing, since an old
        head may be served for ever.
        """
        self.raise_floor(issued_ns - TOLERANCE_NS)
        monotonic = self.monotonic_ns()
        if self._wall(monotonic) < issued_ns - TOLERANCE_NS:
            self._anchor = (issued_ns, monotonic)
        if self._wall(monotonic) <= expires_ns:
            self._vouched = True

    def _wall(self, monotonic: int) -> int:
        """Return the system's wall clock, or what an anchor says if that is later.

        No standing offset: a clock that NTP sets right afterwards must not be set twice.
        """
        wall = self._wall_ns()
        if self._anchor is None:
            return wall
        issued_ns, at_ns = self._anchor
        return max(wall, issued_ns + monotonic - at_ns)

    def _judge(self, wall_ns: int) -> ClockTrust:
        if wall_ns < self._floor_ns:
            return ClockTrust.UNKNOWN
        if self._vouched or self._synchronised():
            return ClockTrust.SYNCHRONISED
        if self._from_rtc is None:
            self._from_rtc = self._rtc()
        return ClockTrust.RTC if self._from_rtc else ClockTrust.UNKNOWN
