"""The task that keeps the local tables up with the journal, beside lanes that must not notice.

It reads a few entries at a time off the loop, rests in between for several times as long as that
took, and writes what came together in one transaction, which also says how far it tells. New
entries are let gather first: a memory card is worn by transactions, not by rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec

from admission.wire import Entry
from cache.journal.catalogue import list_files
from cache.journal.errors import JournalError
from cache.journal.local import tables
from cache.journal.local.counts import ATTRIBUTED_ENTRIES, Counted
from cache.journal.local.database import LocalDatabase
from cache.journal.local.projection import Projection, ZonePlan
from cache.journal.medium import Medium, PosixMedium
from cache.journal.reader import JournalReader

_log = logging.getLogger(__name__)

_MAX_STEP_BYTES = 1 << 20


class Pace(msgspec.Struct, frozen=True):
    """How much at a time. `gather_s` are let go by before new entries are written down.

    A step is at most `step_entries` entries; after it the task rests for `rest` times as long as
    the step took. A transaction holds at most `write_entries`. After an error the next try is
    `retry_s` later; every `forget_s` what the journal has pruned is taken out of the index. At the
    end at most `finish_entries` are written down yet.
    """

    step_entries: int = 128
    rest: float = 4.0
    write_entries: int = 8_192
    gather_s: float = 15.0
    retry_s: float = 30.0
    forget_s: float = 3_600.0
    finish_entries: int = 1_024


class ProjectorStatus(msgspec.Struct, frozen=True):
    """How the tables stand: through which entry they tell, how many are behind it; what went wrong.

    `entries` and `busy_ns` are what this run took in, and how long the steps took.
    """

    through: int
    behind: int
    entries: int
    busy_ns: int
    last_error: str


class Followed(Protocol):
    """The journal, as far as it is followed."""

    @property
    def journal_id(self) -> bytes:
        """The journal's 16-byte id."""
        ...

    @property
    def last_sequence(self) -> int:
        """Sequence of the last durable entry, 0 if there is none."""
        ...

    async def wait_beyond(self, sequence: int) -> None:
        """Return once an entry after `sequence` is durable."""
        ...


class Projector:
    """Follows one journal. `run` it as one task; ask `status` and `totals` at any time.

    :param folder: the journal's folder.
    :param sleep: `asyncio.sleep` or what a test puts in its place.
    """

    def __init__(
        self,
        journal: Followed,
        folder: Path,
        database: LocalDatabase,
        plan: ZonePlan,
        *,
        monotonic_ns: Callable[[], int],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        medium: Medium | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._journal = journal
        self._folder = folder
        self.database = database
        self._plan = plan
        self._monotonic_ns = monotonic_ns
        self._sleep = sleep
        self._medium = medium or PosixMedium()
        self._pace = pace or Pace()
        self._reader = JournalReader(folder, self._medium)
        self._projection: Projection | None = None
        self._through = self._entries = self._busy_ns = 0
        self._forgotten_ns: int | None = None
        self._last_error = ""
        self.totals: Counter[Counted] = Counter()
        """All counts that are written down, of all journals here; `day` is left out (0)."""

    def status(self) -> ProjectorStatus:
        """Return how the tables stand now."""
        return ProjectorStatus(
            through=self._through,
            behind=max(0, self._journal.last_sequence - self._through),
            entries=self._entries,
            busy_ns=self._busy_ns,
            last_error=self._last_error,
        )

    async def run(self) -> None:
        """Follow the journal until cancelled. Whatever fails is shown and tried again."""
        while True:
            try:
                await self._follow()
            except tables.DamagedRowsError as error:
                self._failed(error)
                await self._clear()
            except JournalError as error:
                self._failed(error)
                await self._sleep(self._pace.retry_s)

    async def catch_up(self) -> None:
        """Take in and write down what the journal holds now, at once and without resting.

        :raises JournalError: if that fails; the tables are as they were then.
        """
        try:
            projection = await self._opened()
            while projection.through < self._journal.last_sequence:
                await self._advance(projection, rest=0.0)
        except BaseException:  # cancelled, too: what is half taken in must not be gone on with
            self._projection = None
            raise

    async def finish(self) -> None:
        """Write down the last entries once `run` has ended, if they are no more than a few.

        What fails is left to the next start.
        """
        if self.status().behind <= self._pace.finish_entries:
            with contextlib.suppress(JournalError):
                await self.catch_up()

    async def _follow(self) -> None:
        pace = self._pace
        try:
            projection = await self._opened()
            while True:
                await self._journal.wait_beyond(projection.through)
                if self._journal.last_sequence - projection.through < pace.write_entries:
                    await self._sleep(pace.gather_s)
                await self._advance(projection, rest=pace.rest)
                self._last_error = ""
        except BaseException:  # what has gathered may be written in part: it is read anew
            self._projection = None
            raise

    async def _opened(self) -> Projection:
        if self._projection is None:
            journal = self._journal
            async with self.database.transaction() as raw:
                projection = await tables.load(
                    raw, journal.journal_id, journal.last_sequence, self._plan
                )
                self.totals = _totals(await tables.load_counts(raw))
            self._reader.place = None
            await self._remember(projection)
            self._projection = projection
            self._through = projection.through
        return self._projection

    async def _remember(self, projection: Projection) -> None:
        """Read again what something may yet follow on, and thereby find the place to go on."""
        sequence = max(0, projection.through - ATTRIBUTED_ENTRIES)
        while sequence < projection.through:
            entries = await self._read(sequence, projection.through, self._pace.step_entries)
            projection.remember(entries)
            sequence = entries[-1].sequence

    async def _advance(self, projection: Projection, *, rest: float) -> None:
        """Take in what is there, as much as one transaction may hold, and write it down."""
        await self._forget_pruned(projection)
        until = min(self._journal.last_sequence, projection.through + self._pace.write_entries)
        before = projection.through
        while projection.through < until:
            began_ns = self._monotonic_ns()
            await self._step(projection, until)
            took_ns = self._monotonic_ns() - began_ns
            self._busy_ns += took_ns
            if rest and projection.through < until:
                await self._sleep(rest * took_ns / 1e9)
        async with self.database.transaction() as raw:
            counted = await tables.save(raw, projection)
        projection.written()
        self._entries += projection.through - before
        self._through = projection.through
        self.totals = self.totals + _totals(counted)  # a new one: others may be reading it

    async def _step(self, projection: Projection, until: int) -> None:
        place = self._reader.place
        limit = min(self._pace.step_entries, projection.room())
        entries = await self._read(projection.through, until, limit)
        await asyncio.to_thread(projection.take, entries, place)

    async def _forget_pruned(self, projection: Projection) -> None:
        now_ns, last_ns = self._monotonic_ns(), self._forgotten_ns
        if last_ns is not None and now_ns - last_ns < self._pace.forget_s * 1e9:
            return
        self._forgotten_ns = now_ns
        try:
            files = await asyncio.to_thread(list_files, self._medium, self._folder)
        except OSError:
            return  # the reader tells of it
        if files:
            projection.skip_to(files[0].first_sequence - 1)
            async with self.database.transaction() as raw:
                await tables.forget_blocks(raw, files[0].first_sequence)

    async def _read(self, after: int, through: int, limit: int) -> list[Entry]:
        return await self._reader.read(after, through, max_entries=limit, max_bytes=_MAX_STEP_BYTES)

    async def _clear(self) -> None:
        try:
            async with self.database.transaction() as raw:
                await tables.clear(raw)
        except JournalError as error:
            self._failed(error)
            await self._sleep(self._pace.retry_s)

    def _failed(self, error: JournalError) -> None:
        if not self._last_error:
            _log.warning("the journal's index does not follow it", exc_info=error)
        self._last_error = str(error)


def _totals(counts: Counter[Counted]) -> Counter[Counted]:
    totals: Counter[Counted] = Counter()
    for counted, entries in counts.items():
        totals[counted._replace(day=0)] += entries
    return totals
