"""The gate's own time, as far as it can be trusted."""

from __future__ import annotations

from datetime import datetime

from admission.instant import Instant
from admission.site import Site
from admission.standing import Release

MAX_CLOCK_BEHIND_NS = 600 * 1_000_000_000
"""How far this clock may stand behind the hub's `issued` before it is the clock that is wrong."""


def local_time(now: Instant, release: Release | None, site: Site) -> datetime | None:
    """Return the gate's own time, or None where it cannot be trusted.

    Knowledge from the future means that this clock is wrong, whatever it says of itself: by it old
    knowledge would look fresh, and an isolation that is over would still last.
    """
    if not now.dated:
        return None
    if release is not None and release.vouched_ns - now.wall_ns > MAX_CLOCK_BEHIND_NS:
        return None
    try:
        return now.at(site.timezone)
    except (OverflowError, ValueError):
        return None  # outside the calendar: no clock that can be trusted shows that
