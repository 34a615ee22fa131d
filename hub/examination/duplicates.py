"""The rule for one person who is admitted at two places at once.

An admission IN is a duplicate if another device admitted the same person IN at most a window before
it, and nobody passed out at that site under the person's name in between. How far two places are
from each other the hub does not know; the window stands for the shortest way between any two.

Two admissions by one device are its own affair: its zone has both before its eyes, and admits twice
only where its site's rules let it. Admissions by which nobody passed do not count.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from admission.site import Direction
from hub.examination.seen import Movement

WINDOW_MS = 10 * 60 * 1000
MAX_LOOKED = 256
"""Movements of one person before an admission: of more, somebody plays with a gate."""

_MAX_SITE = 64  # characters: a gate may write longer ones


def counterpart(
    one: Movement, line: Sequence[Movement], window_ms: int = WINDOW_MS
) -> Movement | None:
    """Return the latest admission that makes this one a duplicate; None if none does.

    :param line: movements of the same person that count, by `Movement.order`; `one` may be among
        them. The last `MAX_LOOKED` before it are looked at.
    """
    if one.direction is not Direction.IN:
        return None
    closed: set[str] = set()
    end = bisect_left(line, one.order, key=lambda other: other.order)
    for other in reversed(line[max(0, end - MAX_LOOKED) : end]):
        if other.wall_ms < one.wall_ms - window_ms:
            return None
        if other.direction is Direction.OUT:
            closed.add(other.site)
        elif other.key.device != one.key.device and other.site not in closed:
            return other
    return None


def detail(one: Movement, other: Movement) -> str:
    """Return what the flag on `one` says. It names nobody."""
    seconds = (one.wall_ms - other.wall_ms) // 1000
    site = other.site[:_MAX_SITE]
    return f"{other.key.device} entry {other.sequence} at {site} {seconds} s before"
