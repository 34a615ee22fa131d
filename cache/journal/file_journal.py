"""The journal of one device, behind `admission.ports.Journal`: many lanes, one writer thread."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

import msgspec

from admission.journal_record import MAX_SEAL_BYTES, Followup
from admission.passage import JOURNAL_ID_BYTES, Passage
from admission.sealing import MAX_PERSONAL_BYTES
from admission.wire import MAX_PASSAGE_BYTES
from cache.journal.deadlines import Deadlines
from cache.journal.errors import (
    EntryTooLarge,
    JournalOverflow,
    JournalTimeout,
    JournalUnavailable,
)
from cache.journal.medium import Medium, PosixMedium
from cache.journal.opening import locked
from cache.journal.recorder import Recipient, Recorder, draft_of
from cache.journal.recovery import Position, Recovery
from cache.journal.segment_file import SegmentWriter
from cache.journal.space import Space
from cache.journal.statistics import JournalSettings, JournalStatistics
from cache.journal.ticket import GivenUp, Group, Ticket
from cache.journal.writer import GroupCommitter

__all__ = ["FileJournal", "JournalSettings", "JournalStatistics"]

MAX_PUBLIC_BYTES = MAX_PASSAGE_BYTES - MAX_SEAL_BYTES - 8
"""So long may a passage's part in the clear be: its record holds the seal besides."""
MEDIUM_HINT = "the medium is too slow or hangs: check it (dmesg)"


class FileJournal:
    """Append-only, hash-chained files in one directory that this process alone has open.

    Create it with `open`, end it with `close`. All methods belong to the loop it was opened on.
    """

    def __init__(
        self,
        medium: Medium,
        directory: Path,
        lock: int,
        recovery: Recovery,
        recorder: Recorder,
        *,
        settings: JournalSettings,
        monotonic_ns: Callable[[], int],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._medium = medium
        self._lock: int | None = lock
        self._settings = settings
        self._monotonic_ns = monotonic_ns
        self._head = recovery.position
        self._grown = asyncio.Event()
        self._statistics = JournalStatistics(
            recovery.position.last_sequence,
            budget_bytes=settings.budget_bytes,
            damages=len(recovery.damages),
            torn_bytes=recovery.torn_bytes,
            damaged_files=recovery.damaged_files,
            retired_journals=recovery.retired_journals,
        )
        self._recorder = recorder
        self._segment = SegmentWriter(
            medium,
            directory,
            recovery.position,
            recorder,
            Space(settings.budget_bytes, recovery.used_bytes),
            rotate_bytes=settings.rotate_bytes,
        )
        self._committer = GroupCommitter(
            self._segment,
            self._report,
            monotonic_ns=monotonic_ns,
            queue_entries=settings.queue_entries,
            group_entries=settings.group_entries,
        )
        self._deadlines = Deadlines(self._loop, self._expire)
        self._committer.start()

    @classmethod
    async def open(
        cls,
        directory: Path,
        *,
        monotonic_ns: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        medium: Medium | None = None,
        settings: JournalSettings | None = None,
        acknowledged: Mapping[bytes, int] | None = None,
        recipient: Recipient = lambda: None,
    ) -> Self:
        """Return the journal of `directory`, continued where the last run left it.

        The directory is created where it is missing; a new journal gets 16 random bytes as its id.
        A journal whose true end is unknown is not continued but followed by a new one.

        :param random_bytes: `os.urandom` or the like.
        :param acknowledged: what the hub acknowledged, by journal (`cache.journal.outbox
            .watermarks`): tells that entries are gone which nothing in the directory tells of.
        :param recipient: tells the hub's public key that personal data is sealed to now, None
            while it is not known. Called on the writer's thread, often; must not block.
        :raises JournalLocked: if another process has the directory open.
        :raises JournalDamaged: if what is there cannot be continued.
        :raises JournalUnavailable: if the medium does not let it be read or locked.
        """
        medium = medium or PosixMedium()
        new_journal = random_bytes(JOURNAL_ID_BYTES)
        lock, recovery = await asyncio.to_thread(
            locked, medium, directory, new_journal, acknowledged or {}
        )
        return cls(
            medium,
            directory,
            lock,
            recovery,
            Recorder(recipient, random_bytes, recovery.position.journal),
            settings=settings or JournalSettings(),
            monotonic_ns=monotonic_ns,
        )

    @property
    def journal_id(self) -> bytes:
        """The journal's 16-byte id."""
        return self._head.journal

    @property
    def head(self) -> Position:
        """The journal's id, its last durable entry and that entry's chain hash."""
        return self._head

    @property
    def last_sequence(self) -> int:
        """Sequence of the last durable entry, 0 if there is none."""
        return self._statistics.last_sequence

    @property
    def alive(self) -> bool:
        """Whether the writer's thread runs. Without it no entry will ever be durable again."""
        return self._committer.alive

    def statistics(self) -> JournalStatistics:
        """Return a copy of the counters."""
        return msgspec.structs.replace(
            self._statistics,
            waiting=self._committer.waiting,
            unsecured_waiting=self._committer.unsecured,
            unsecured_lost=self._committer.unsecured_lost,
            followups_lost=self._committer.followups_lost,
            unsealed=self._recorder.unsealed,
            used_bytes=self._segment.space.used_bytes,
            free_bytes=self._segment.free_bytes,
        )

    async def append(
        self, entry: Passage, *, timeout_s: float | None = None, unsecured: bool = False
    ) -> int:
        """Return the entry's sequence once it is durable on the medium; see the port.

        After an error with `in_doubt` the entry may nevertheless come to stand in the journal: the
        writer had begun on it, or goes on trying. The journal then notes by itself, behind it, that
        it was withheld, or that it was acted on before it was durable.

        :param timeout_s: how long to wait, in place of the settings' bound.
        :param unsecured: whether the entry stays in the queue at the bound: the caller acts anyway.
        :raises JournalTimeout: if it was not durable in time. Not in doubt while it still waited
            in the queue: it has been taken back.
        :raises JournalUnavailable: if the medium refused it.
        :raises JournalOverflow: if too many entries wait already.
        :raises JournalClosed: after `close`.
        :raises EntryTooLarge: if it is longer than the wire allows.
        """
        receipt: asyncio.Future[int] = self._loop.create_future()
        bound_s = self._settings.timeout_s if timeout_s is None else timeout_s
        deadline = self._loop.time() + bound_s
        ticket = Ticket(entry, receipt, deadline, self._monotonic_ns(), unsecured)
        if (
            len(ticket.public) > MAX_PUBLIC_BYTES
            or len(ticket.personal or b"") > MAX_PERSONAL_BYTES
        ):
            msg = f"an entry of {len(ticket.public)} bytes is over the limit of {MAX_PUBLIC_BYTES}"
            raise EntryTooLarge(msg)
        try:
            self._committer.submit(ticket)
        except JournalOverflow:
            self._statistics.overflows += 1
            raise
        self._deadlines.watch(ticket)
        try:
            return await receipt
        except asyncio.CancelledError:
            self._committer.give_up(ticket, keep=False)
            raise

    def follow(self, followup: Followup) -> None:
        """Let what followed on an entry be written with the next group, or within a second.

        Never raises and never waits: what cannot be kept is counted.
        """
        self._committer.follow(draft_of(followup))

    async def flush(self) -> None:
        """Return once every followup that was taken until now is durable."""
        due = self._committer.followed
        while self._statistics.followups < due:
            self._committer.hurry()
            self._grown.clear()
            await self._grown.wait()

    def freed(self, count: int) -> None:
        """Count `count` bytes of the folder's files as gone: pruning has removed them."""
        self._segment.space.give_back(count)

    async def wait_beyond(self, sequence: int) -> None:
        """Return once an entry after `sequence` is durable."""
        while self.last_sequence <= sequence:
            self._grown.clear()
            await self._grown.wait()

    async def close(self) -> None:
        """Make durable what waits, end the writer and let go of the directory. Once is enough.

        :raises JournalTimeout: if the medium hangs for longer than `close_timeout_s`; the directory
            then stays locked until the process ends.
        """
        if self._lock is None:
            return
        self._committer.close()
        if not await asyncio.to_thread(self._committer.join, self._settings.close_timeout_s):
            msg = f"the journal did not close within {self._settings.close_timeout_s} s"
            raise JournalTimeout(msg, hint=MEDIUM_HINT, in_doubt=True)
        lock, self._lock = self._lock, None
        if lock is not None:
            self._medium.close(lock)

    def _report(self, group: Group) -> None:
        """On the writer's thread: hand a group to the loop, in one step for all its entries."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._settle, group)

    def _settle(self, group: Group) -> None:
        statistics = self._statistics
        statistics.groups += 1
        statistics.commit_ns += group.commit_ns
        statistics.slowest_commit_ns = max(statistics.slowest_commit_ns, group.commit_ns)
        if group.error is not None:
            statistics.failed_groups += 1
            hint = f"; {group.error.hint}" if group.error.hint else ""
            statistics.last_error = f"{group.error}{hint}"
            for ticket in group.tickets:
                self._refuse(ticket, group.error)
            return
        size = len(group.tickets) + group.followups
        statistics.last_error = ""
        statistics.last_sequence = group.position.last_sequence
        statistics.entries += len(group.tickets)
        statistics.followups += group.followups
        statistics.largest_group = max(statistics.largest_group, size)
        statistics.withheld += group.withheld
        self._head = group.position
        for sequence, ticket in enumerate(group.tickets, start=group.first_sequence):
            if not ticket.receipt.done():
                ticket.receipt.set_result(sequence)
        self._grown.set()

    def _refuse(self, ticket: Ticket, error: JournalUnavailable) -> None:
        """Give each waiter an error of its own: a shared one would gather all their tracebacks."""
        if ticket.receipt.done():
            return
        self._statistics.unsecured += ticket.unsecured
        in_doubt = error.in_doubt or ticket.unsecured
        own = type(error)(str(error), hint=error.hint, in_doubt=in_doubt)
        own.__cause__ = error
        ticket.receipt.set_exception(own)

    def _expire(self, ticket: Ticket) -> None:
        given_up = self._committer.give_up(ticket, keep=ticket.unsecured)
        if given_up is GivenUp.SETTLED:
            return  # it has just become durable, or was refused: the waiter is told at once
        in_doubt = given_up is GivenUp.KEPT
        self._statistics.timeouts += 1
        self._statistics.in_doubt += in_doubt
        self._statistics.unsecured += ticket.unsecured
        late_s = self._loop.time() - ticket.deadline
        msg = f"the entry was not durable within its bound (noticed {late_s:.3f} s after it)"
        # A medium that hangs reports no group: nothing but these bounds can tell of it.
        self._statistics.last_error = f"{msg}; {MEDIUM_HINT}"
        ticket.receipt.set_exception(JournalTimeout(msg, hint=MEDIUM_HINT, in_doubt=in_doubt))
