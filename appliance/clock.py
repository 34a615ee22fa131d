"""The only reader of clocks: wall time with its trust, monotonic time, the boot's identity.

Wall time is believed when the kernel says that NTP disciplines it, or did and time has gone on from
there; when the hub has answered a fresh nonce with a signed time since this process started; or,
more weakly, when a battery-backed clock set it at boot.

A signed head is a floor only: it was issued, so it cannot be earlier than that now, but somebody
may serve an old one for ever. Once the time was believed, a step of the wall clock that nobody
vouches for moves nothing, or ends the belief: neither back, which would make old knowledge fresh,
nor ahead, which would end an isolation early.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path

from admission.instant import ClockTrust, Instant
from admission.local_time import MAX_CLOCK_BEHIND_NS

RECHECK_NS = 1_000_000_000
TOLERANCE_NS = MAX_CLOCK_BEHIND_NS
"""How far the wall clock may be from what it should be and still count as the same clock."""

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
        self._system_ns = wall_ns
        self._kernel_says = synchronised
        self._from_rtc = rtc()
        self._boot_id = read_boot_id() if boot_id is None else boot_id
        self._head_floor_ns = 0
        self._disciplined = False
        self._contradicted = False
        # Wall and monotonic time of the last good word on it: the hub's, or NTP's while it lasted.
        self._vouched: tuple[int, int] | None = None
        self._believed: tuple[int, int] | None = None  # the same, of the last trusted look
        self._trust = ClockTrust.UNKNOWN
        self._recheck_at = 0

    @property
    def disciplined(self) -> bool:
        """Whether the kernel's clock is kept by NTP, as of the last look."""
        return self._disciplined

    def now(self) -> Instant:
        """Return the present moment. Microseconds: the trust is looked up once a second."""
        monotonic = self.monotonic_ns()
        if monotonic >= self._recheck_at:
            self._recheck_at = monotonic + RECHECK_NS
            self._disciplined = self._kernel_says()
            self._trust = self._judge(self._wall(monotonic), monotonic)
        return Instant(self._wall(monotonic), monotonic, self._boot_id, self._trust)

    def note_head(self, issued_ns: int) -> None:
        """Take note of the newest head that was accepted: it is no earlier than its issue.

        The newest by sequence, not the latest by time: a hub whose clock was wrong and is right
        again issues heads from before.
        """
        self._head_floor_ns = issued_ns - TOLERANCE_NS
        self._recheck_at = 0

    def vouch(self, wall_ns: int, monotonic_ns: int) -> bool:
        """Take the hub's word, given live, that it was `wall_ns` at `monotonic_ns`.

        It counts wherever the kernel's clock is not kept by NTP. False if it is refused: a time
        before the newest head's issue, or one that contradicts an earlier good word. Of two words
        nobody can tell which is wrong, so no time is believed until NTP, or a restart, decides.
        """
        if wall_ns < self._head_floor_ns or wall_ns < BUILD_FLOOR_NS:
            return False
        if self._vouched is not None and not self._disciplined:
            before_ns, at_ns = self._vouched
            if abs(wall_ns - before_ns - (monotonic_ns - at_ns)) > TOLERANCE_NS:
                self._contradicted = True
                self._recheck_at = 0
                return False
        self._vouched = (wall_ns, monotonic_ns)
        self._recheck_at = 0
        return True

    def _wall(self, monotonic: int) -> int:
        if self._disciplined or self._vouched is None:
            return self._system_ns()
        wall_ns, at_ns = self._vouched
        return wall_ns + monotonic - at_ns

    def _judge(self, wall_ns: int, monotonic: int) -> ClockTrust:
        trust = self._vouched_trust(wall_ns, monotonic)
        if trust is not ClockTrust.UNKNOWN:
            self._believed = (wall_ns, monotonic)
        if trust is ClockTrust.SYNCHRONISED and self._disciplined:
            # Goes on from here when NTP lets go, as it does without a network.
            self._vouched = (wall_ns, monotonic)
            self._contradicted = False
        return trust

    def _vouched_trust(self, wall_ns: int, monotonic: int) -> ClockTrust:
        if wall_ns < BUILD_FLOOR_NS:
            return ClockTrust.UNKNOWN
        if self._disciplined:
            return ClockTrust.SYNCHRONISED
        if self._contradicted or wall_ns < self._head_floor_ns:
            return ClockTrust.UNKNOWN
        if self._vouched is not None:
            return ClockTrust.SYNCHRONISED
        if self._from_rtc and not self._stepped(wall_ns, monotonic):
            return ClockTrust.RTC
        return ClockTrust.UNKNOWN

    def _stepped(self, wall_ns: int, monotonic: int) -> bool:
        if self._believed is None:
            return False
        before_ns, at_ns = self._believed
        return abs(wall_ns - before_ns - (monotonic - at_ns)) > TOLERANCE_NS
