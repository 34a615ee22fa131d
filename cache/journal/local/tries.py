"""Numbers that were tried and found nowhere: when and in which lane, not which."""

from __future__ import annotations

from typing import NamedTuple

from admission.attempts import is_wrong_number
from admission.instant import ClockTrust
from admission.logged_passage import LoggedPassage


class WrongNumber(NamedTuple):
    """One try: its entry's sequence, lane and moment."""

    sequence: int
    lane: str
    wall_ms: int
    monotonic_ms: int
    boot_id: str
    clock_trust: str

    @property
    def dated(self) -> bool:
        """Whether somebody vouched for the date."""
        return self.clock_trust != ClockTrust.UNKNOWN.value


def wrong_number(sequence: int, passage: LoggedPassage) -> WrongNumber | None:
    """Return the try that an entry tells of, None if it tells of none."""
    if not is_wrong_number(passage):
        return None
    return WrongNumber(
        sequence,
        passage.lane,
        passage.wall_ms,
        passage.monotonic_ms,
        passage.boot_id,
        passage.clock_trust.value,
    )
