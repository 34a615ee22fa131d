"""The task that prunes: when, how far, and how gently. Nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator

import msgspec

from admission.errors import WireError
from admission.instant import Instant
from admission.upload import Mark
from cache.journal.disk_budget import DiskStatus, Level, Space, disk_status
from cache.journal.errors import JournalError
from cache.journal.pruning import Done, FilePruner, Limits
from cache.journal.retention import limit_ms
from cache.journal.segment_file import unavailable
from cache.journal.witness import stated_mark

INTERVAL_S = 60.0
PACE_S = 0.02
"""Pause after every step of two milliseconds: lanes come first."""
_log = logging.getLogger(__name__)


class PruningStatus(msgspec.Struct, frozen=True):
    """What was pruned since the start, and what keeps it from being done.

    :ivar pruned_entries: all that were removed; `released_entries` of them before their time,
        because the disk was nearly full.
    :ivar waiting_for: why nothing grows old at present, empty if nothing is in the way.
    :ivar last_error: why the last pass was broken off, empty if it was not.
    """

    pruned_entries: int = 0
    removed_files: int = 0
    rewritten_files: int = 0
    released_entries: int = 0
    waiting_for: str = ""
    last_error: str = ""


class Pruner:
    """Goes over the files every minute, in small steps beside the loop.

    :param journal: id of the journal that is pruned.
    :param mark: the hub's last signed mark that was checked, empty if there is none.
    :param now: the appliance's clock, with its trust.
    :param space: how full the disk is (`disk_budget.space_of`). Blocking; may raise OSError.
    :param sleep: waits for so many seconds.
    """

    def __init__(
        self,
        files: FilePruner,
        journal: bytes,
        *,
        mark: Callable[[], bytes],
        now: Callable[[], Instant],
        space: Callable[[], Space],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._files = files
        self._journal = journal
        self._mark, self._now, self._space = mark, now, space
        self._sleep = sleep
        self._releasing = False
        self._status = PruningStatus()
        self._disk: DiskStatus | None = None

    @property
    def status(self) -> PruningStatus:
        """What was pruned since the start."""
        return self._status

    @property
    def disk(self) -> DiskStatus | None:
        """How full the disk is, None until it was measured."""
        return self._disk

    async def run(self) -> None:
        """Prune until cancelled."""
        while True:
            await self.prune()
            await self._sleep(INTERVAL_S)

    async def prune(self) -> None:
        """Go over the files once, and over and over while room has to be made and can be.

        What goes wrong is told by `status`.
        """
        try:
            while await self._pass() and self._releasing:
                pass
        except JournalError as error:
            self._tell(error)
        except OSError as error:
            self._tell(unavailable(error))
        else:
            self._status = msgspec.structs.replace(self._status, last_error="")

    async def _pass(self) -> int:
        """Return how many files one pass removed."""
        await asyncio.to_thread(self._measure)
        mark = self._held()
        if mark is None:
            return 0
        limits = Limits(mark, limit_ms(self._now(), mark), self._releasing)
        if limits.limit_ms is None:
            self._wait_for("the date is not certain")
        done = Done()
        try:
            steps = self._files.steps(limits, done)
            while not await asyncio.to_thread(_is_over, steps):
                await self._sleep(PACE_S)
        finally:
            self._add(done, released=limits.release)
        return done.removed_files

    def _measure(self) -> None:
        self._disk = disk_status(self._space())
        # Of the budget, begun at 95 %, it goes on to below 85 %: otherwise every file would begin
        # it anew. What fills the file system may be others': no more is given than is needed.
        until = Level.WARNING if self._releasing else Level.CRITICAL
        self._releasing = self._disk.budget >= until or self._disk.system is Level.CRITICAL

    def _held(self) -> Mark | None:
        """Return through where the hub holds this journal."""
        self._wait_for("")
        try:
            mark = stated_mark(self._mark())
        except WireError:
            mark = None
        if mark is None or mark.journal != self._journal:
            self._wait_for("the hub has not said yet what it holds")
            return None
        return mark

    def _add(self, done: Done, *, released: bool) -> None:
        status = self._status
        if released and done.pruned:
            _log.warning(
                "the disk is nearly full: %d entries that the hub holds were let go early",
                done.pruned,
            )
        self._status = msgspec.structs.replace(
            status,
            pruned_entries=status.pruned_entries + done.pruned,
            removed_files=status.removed_files + done.removed_files,
            rewritten_files=status.rewritten_files + done.rewritten_files,
            released_entries=status.released_entries + done.pruned * released,
        )

    def _wait_for(self, what: str) -> None:
        self._status = msgspec.structs.replace(self._status, waiting_for=what)

    def _tell(self, error: JournalError) -> None:
        if str(error) != self._status.last_error:
            _log.warning("the journal cannot be pruned: %s", error)
        self._status = msgspec.structs.replace(self._status, last_error=str(error))


def _is_over(steps: Iterator[None]) -> bool:
    """Go one step on; return whether there is no other."""
    return next(steps, steps) is steps
