"""What makes a gate's clock suspect, from what its entries say and when they came."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from admission.instant import ClockTrust
from admission.logged_passage import LoggedPassage

AHEAD_NS = 5 * 60 * 1_000_000_000
"""How far in the future of its receipt an entry may be dated."""
OLDEST_NS = 60 * 24 * 3600 * 1_000_000_000
"""How long before its receipt an entry may be dated: longer than any gate is offline."""
SENT_OFF_NS = 30 * 1_000_000_000
"""How far a gate's clock may be off the hub's when it sends."""
STEP_MS = 5_000
"""How far a clock may be set back within one boot: an NTP step after a start."""
_DRIFT_PER_MS = 1 / 10_000  # 100 ppm: no quartz is worse


class ClockMark(msgspec.Struct, frozen=True):
    """Where the clock stood at a passage."""

    boot_id: str
    wall_ms: int
    monotonic_ms: int


def mark_of(passage: LoggedPassage) -> ClockMark:
    """Return where the clock stood."""
    return ClockMark(passage.boot_id, passage.wall_ms, passage.monotonic_ms)


def state(passage: LoggedPassage, received_ns: int) -> tuple[str, ...]:
    """Return what is wrong with a passage's date in itself; as a rule it lasts for many entries."""
    return tuple(_state(passage, received_ns))


def set_back(passage: LoggedPassage, before: ClockMark | None) -> str:
    """Return by how much the clock was set back since the passage before, empty if it was not.

    Within one boot only: what a date was before a restart, nobody measured against.
    """
    if before is None or before.boot_id != passage.boot_id:
        return ""
    gone_ms = passage.monotonic_ms - before.monotonic_ms
    back_ms = before.wall_ms + gone_ms - passage.wall_ms
    if back_ms <= STEP_MS + abs(gone_ms) * _DRIFT_PER_MS:
        return ""
    return f"set back by {back_ms // 1000} s within one boot"


def _state(passage: LoggedPassage, received_ns: int) -> Iterable[str]:
    if passage.clock_trust is ClockTrust.UNKNOWN:
        yield "nobody vouched for the date"
    elif passage.wall_ns > received_ns + AHEAD_NS:
        yield "dated in the future of its receipt"
    elif passage.wall_ns < received_ns - OLDEST_NS:
        yield "dated more than 60 days before its receipt"
