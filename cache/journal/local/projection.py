"""What the local tables say of one journal, entry by entry. In memory, without I/O.

The same entries in the same order give the same tables, however often it is interrupted between
two of them and taken up again from what was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import NamedTuple

import msgspec

from admission.errors import WireError
from admission.journal_record import Followup, PassageRecord, Record, unpack_record
from admission.logged_passage import ZonePassage
from admission.reset import DailyReset
from admission.wire import Entry
from cache.journal.local.blocks import BLOCK_ENTRIES, Block, first_of_block
from cache.journal.local.counts import Tally
from cache.journal.local.names import Names
from cache.journal.local.reset_window import ResetWindow
from cache.journal.local.tries import WrongNumber, wrong_number
from cache.journal.local.zone_records import ZoneRecord, of_zone
from cache.journal.reader import Place


class ZonePlan(msgspec.Struct, frozen=True):
    """Whose records are kept for the zone, and until when."""

    site: str
    reset: DailyReset
    timezone: tzinfo

    @property
    def key(self) -> str:
        """What tells it from another: records that were kept by another do not do for this one."""
        return f"{self.site}|{self.reset.minute}|{self.reset.timezone}|{self.timezone}"


class Standing(NamedTuple):
    """How far the tables tell, in the order of the row that says so."""

    journal: bytes
    through: int
    zone: str
    whole: int
    ordinal: int | None
    last_dated: int


class Projection:
    """Takes entries in; what they change gathers in it until it has been written."""

    def __init__(
        self, standing: Standing, plan: ZonePlan, names: Names, block: Block | None
    ) -> None:
        self.plan = plan
        self.names = names
        self.tally = Tally(plan.timezone, names)
        self.zone_records: list[ZoneRecord] = []
        self.zone_over = 0
        """Records of the zone through this sequence do not count any more."""
        self.wrong_numbers: list[WrongNumber] = []
        self.changed_blocks: dict[int, Block] = {}
        self.written_through = standing.through
        """How far the tables told when they were read or written last."""
        self._journal = standing.journal
        self._through = standing.through
        self._block = block
        same = standing.zone == plan.key
        self._whole = bool(standing.whole) if same else standing.through == 0
        self._window = ResetWindow(
            plan.reset,
            standing.ordinal if same else None,
            standing.last_dated if same else 0,
        )
        if not same:
            self.zone_over = standing.through

    @property
    def through(self) -> int:
        """The last entry that was taken in."""
        return self._through

    @property
    def standing(self) -> Standing:
        """The row that says how far the tables tell once all that has gathered is written."""
        window = self._window
        return Standing(
            self._journal,
            self._through,
            self.plan.key,
            int(self._whole),
            window.ordinal,
            window.last_dated,
        )

    def skip_to(self, through: int) -> None:
        """Pass over entries that are not there any more."""
        if through > self._through:
            self._through = through
            self._block = None

    def room(self) -> int:
        """Return how many entries the block has room for that the next one belongs to."""
        return BLOCK_ENTRIES - self._through % BLOCK_ENTRIES

    def take(self, entries: Sequence[Entry], place: Place | None) -> None:
        """Take in the next entries, not more than there is `room` for.

        :param place: where the first of them stands, if that is known.
        """
        block = self._block_of(self._through + 1, place)
        for entry in entries:
            block.last = self._through = entry.sequence
            record = _unpacked(entry.packed)
            if record is not None:
                self.tally.take(entry.sequence, record)
            if isinstance(record, PassageRecord):
                block.take(record.passage, self.names)
                tried = wrong_number(entry.sequence, record.passage)
                self.wrong_numbers += [tried] if tried else []
            elif isinstance(record, Followup):
                block.about = min(block.about, record.about)
            told = of_zone(entry.packed, self.plan.site)
            if told is not None:
                self._take_zone(entry.sequence, told)

    def remember(self, entries: Sequence[Entry]) -> None:
        """Know entries again that were taken in by an earlier run."""
        for entry in entries:
            record = _unpacked(entry.packed)
            if isinstance(record, PassageRecord):
                self.tally.remember(entry.sequence, record.passage)

    def written(self) -> None:
        """Forget what had gathered: it is on the medium."""
        self.written_through = self._through
        self.zone_records = []
        self.zone_over = 0
        self.wrong_numbers = []
        self.changed_blocks = {} if self._block is None else {self._block.first: self._block}

    def _block_of(self, sequence: int, place: Place | None) -> Block:
        first = first_of_block(sequence)
        if self._block is None or first_of_block(self._block.first) != first:
            self._block = Block(sequence, sequence)
            if place is not None and place.sequence == sequence:
                self._block.file, self._block.place = place.file, place.offset
        self.changed_blocks[self._block.first] = self._block
        return self._block

    def _take_zone(self, sequence: int, told: ZonePassage | Followup) -> None:
        if isinstance(told, ZonePassage) and (over := self._window.take(sequence, told)):
            self.zone_over = over
            self._whole = True
            self.zone_records = [one for one in self.zone_records if one[0] > over]
        self.zone_records.append((sequence, told))


def _unpacked(packed: bytes) -> Record | None:
    if not packed:
        return None
    try:
        return unpack_record(packed)
    except WireError:
        return None


def chunks(records: Sequence[ZoneRecord], size: int) -> Iterator[Sequence[ZoneRecord]]:
    """Yield the records, some at a time."""
    for start in range(0, len(records), size):
        yield records[start : start + size]
