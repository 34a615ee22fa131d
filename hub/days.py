"""Which day an entry lies in: what retention drops at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from admission.instant import ClockTrust

DAY_NS = 86_400 * 1_000_000_000
MAX_PAST_DAYS = 60
"""How long before it is received an entry's own time is believed: a gate may be cut off so long."""
MAX_AHEAD_DAYS = 1
_EPOCH = date(1970, 1, 1)


def day_of(wall_ns: int) -> int:
    """Return the UTC day of a wall time, counted from 1970-01-01."""
    return wall_ns // DAY_NS


def own_day(wall_ns: int, trust: ClockTrust, received_ns: int) -> int | None:
    """Return the UTC day that an entry itself says, None where that is not to be believed.

    It is where nobody vouched for the gate's clock, or the time lies more than `MAX_PAST_DAYS`
    before the receipt or `MAX_AHEAD_DAYS` after it.
    """
    if trust is ClockTrust.UNKNOWN:
        return None
    if not -MAX_PAST_DAYS * DAY_NS <= wall_ns - received_ns <= MAX_AHEAD_DAYS * DAY_NS:
        return None
    return wall_ns // DAY_NS


def filled(days: list[int | None], received_day: int) -> list[int]:
    """Return a day for each entry of a batch: its own, or else that of the one before it.

    What follows on a passage says no time of its own and lies beside it: a backlog of yesterday
    does not fall into two days, entry by entry. Those before the first that knows its day lie with
    that one; where none does, all lie in the day of receipt.
    """
    known = next((day for day in days if day is not None), received_day)
    placed = []
    for day in days:
        known = known if day is None else day
        placed.append(known)
    return placed


def name_of(day: int) -> str:
    """Return a day as `2021-09-16`."""
    return (_EPOCH + timedelta(days=day)).isoformat()


def day_named(name: str) -> int | None:
    """Return the day of a name as `name_of` gives it, None if it is none."""
    try:
        moment = datetime.strptime(name, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    day = (moment.date() - _EPOCH).days
    return day if name_of(day) == name else None
