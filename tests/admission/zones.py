"""Entries and rebuilt zones for the tests of the zone."""

from __future__ import annotations

from typing import Any

import msgspec

from admission.credential import UNRECOGNISED
from admission.instant import Instant
from admission.journal_record import Followup
from admission.logged_passage import LoggedPassage, logged
from admission.passage import Passage, passage
from admission.reset import DailyReset
from admission.site import Direction
from admission.standing import Lookup, Standing
from admission.verdict import Outcome, Verdict
from admission.zone import MAX_PEOPLE, Zone
from tests.worlds import VIETNAM, ManualClock, a_reading, a_site

IN, OUT = Direction.IN, Direction.OUT
RESET = DailyReset(4 * 60, VIETNAM)
DAY_S = 86_400
BLANK = passage(
    a_reading("x"),
    UNRECOGNISED,
    Standing(Lookup.NOT_FOUND),
    Verdict(Outcome.ADMIT),
    ManualClock().now(),
    site=a_site(),
    lane="a",
    rulebook="r/1",
    digest_key=b"k" * 32,
)


def entry(now: Instant, **changes: Any) -> Passage:
    """Return an ADMIT of now."""
    stamps = {
        "wall_ns": now.wall_ns,
        "monotonic_ns": now.monotonic_ns,
        "boot_id": now.boot_id,
        "clock_trust": now.trust,
    }
    return msgspec.structs.replace(BLANK, **{**stamps, **changes})


def rebuilt(entries: list[Passage | Followup], now: Instant, capacity: int = MAX_PEOPLE) -> Zone:
    return recalled(
        [one if isinstance(one, Followup) else logged(one) for one in entries], now, capacity
    )


def recalled(
    records: list[LoggedPassage | Followup],
    now: Instant,
    capacity: int = MAX_PEOPLE,
    *,
    named_from: int = 0,
) -> Zone:
    return Zone.rebuilt(
        enumerate(records, start=1),
        RESET,
        site="site-1",
        now=now,
        named_from=named_from,
        capacity=capacity,
    )
