"""The index: what occurs in each run of entries, so that a search reads only where it may find.

A zone map, one row per 1,024 entries: 4.8 million entries are 4,700 rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from admission.logged_passage import LoggedPassage
from cache.journal.local.names import SET_BYTES, Names, pack_set, unpack_set

BLOCK_ENTRIES = 1_024
NO_TIME = (1 << 63) - 1
NOTHING = (1 << 63) - 1
OUTCOME, EVENT, LANE, REASON = "outcome", "event", "lane", "reason"


class Block(msgspec.Struct):
    """One run of entries, as far as it has been read.

    `file` and `place` tell where the first entry stands (first sequence of the file's name, offset
    in it): a hint, checked by whoever reads there; 0 = not known. Times are wall milliseconds,
    `NO_TIME` and its negative where there is no passage. `about` is the first entry of which
    something in this run followed, `NOTHING` where nothing did.
    """

    first: int
    last: int
    file: int = 0
    place: int = 0
    earliest_ms: int = NO_TIME
    latest_ms: int = -NO_TIME
    about: int = NOTHING
    outcomes: int = 0
    events: int = 0
    lanes: int = 0
    reasons: int = 0

    def take(self, passage: LoggedPassage, names: Names) -> None:
        """Take the next passage in."""
        self.earliest_ms = min(self.earliest_ms, passage.wall_ms)
        self.latest_ms = max(self.latest_ms, passage.wall_ms)
        self.outcomes |= names.bit(OUTCOME, passage.outcome)
        self.events |= names.bit(EVENT, passage.event)
        self.lanes |= names.bit(LANE, passage.lane)
        for reason in passage.reasons:
            self.reasons |= names.bit(REASON, reason)

    def columns(self) -> tuple[Any, ...]:
        """Return the row without its checksum."""
        sets = (self.outcomes, self.events, self.lanes, self.reasons)
        times = (self.earliest_ms, self.latest_ms, self.about)
        return (self.first, self.last, self.file, self.place, *times, *map(pack_set, sets))


def first_of_block(sequence: int) -> int:
    """Return the first sequence of the block that an entry belongs to."""
    return sequence - (sequence - 1) % BLOCK_ENTRIES


def block_of(columns: Sequence[Any]) -> Block | None:
    """Return the block of a row, None if it is no such row."""
    *numbers, outcomes, events, lanes, reasons = columns
    sets = (outcomes, events, lanes, reasons)
    if not all(isinstance(number, int) for number in numbers):
        return None
    if not all(isinstance(one, bytes) and len(one) == SET_BYTES for one in sets):
        return None
    return Block(*numbers, *map(unpack_set, sets))
