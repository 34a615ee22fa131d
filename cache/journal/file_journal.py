"""The journal of one device, behind `admission.ports.Journal`: many lanes, one writer thread."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from admission.journal_record import Followup
from admission.passage import JOURNAL_ID_BYTES, Passage
from admission.wire import MAX_PASSAGE_BYTES, pack_passage
from cache.journal.catalogue import LOCK_NAME
from cache.journal.errors import (
    EntryTooLarge,
    JournalLocked,
    JournalOverflow,
    JournalTimeout,
    JournalUnavailable,
)
from cache.journal.medium import Medium, PosixMedium
from cache.journal.recovery import Recovery, recover
from cache.journal.segment_file import SegmentWriter, unavailable
from cache.journal.writer import Group, GroupCommitter

MEDIUM_HINT = "the medium is too slow or hangs: check it (dmesg)"


class JournalSettings(msgspec.Struct, frozen=True):
    """Bounds of a journal. Times in seconds.

    `timeout_s` is how long an append may wait; `close_timeout_s` how long closing waits for a
    medium that hangs. A file that has reached `rotate_bytes` is followed by a new one.
    """

    rotate_bytes: int = 8 << 20
    queue_entries: int = 4_096
    group_entries: int = 512
    timeout_s: float = 0.15
    close_timeout_s: float = 5.0


class JournalStatistics(msgspec.Struct):
    """What the journal did since it was opened.

    `waiting` entries are not durable yet; `failed_groups` were refused by the medium; `timeouts`
    are appends that waited too long, `in_doubt` those of them on which the writer had begun.
    `followups_lost` of those that were given to `follow` were not kept.
    `commit_ns` sums the medium's time over all groups. `damages` and `torn_bytes` are what opening
    found in the newest file; `damaged_files` and `retired_journals` what it found besides, until
    somebody moves them away (see `cache.journal.recovery`). `last_error` says why the last entry
    was refused or not kept in time; it is empty once a group was committed again.
    """

    last_sequence: int
    waiting: int = 0
    groups: int = 0
    failed_groups: int = 0
    timeouts: int = 0
    in_doubt: int = 0
    overflows: int = 0
    followups_lost: int = 0
    commit_ns: int = 0
    slowest_commit_ns: int = 0
    damages: int = 0
    torn_bytes: int = 0
    damaged_files: int = 0
    retired_journals: int = 0
    last_error: str = ""


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
        *,
        settings: JournalSettings,
        monotonic_ns: Callable[[], int],
        recipient: Callable[[], X25519PublicKey | None],
    ) -> None:
        self._recipient = recipient
        self._loop = asyncio.get_running_loop()
        self._medium = medium
        self._lock: int | None = lock
        self._settings = settings
        self._journal_id = recovery.position.journal
        self._grown = asyncio.Event()
        self._statistics = JournalStatistics(
            recovery.position.last_sequence,
            damages=len(recovery.damages),
            torn_bytes=recovery.torn_bytes,
            damaged_files=recovery.damaged_files,
            retired_journals=recovery.retired_journals,
        )
        self._committer = GroupCommitter(
            SegmentWriter(medium, directory, recovery.position, rotate_bytes=settings.rotate_bytes),
            self._report,
            monotonic_ns=monotonic_ns,
            queue_entries=settings.queue_entries,
            group_entries=settings.group_entries,
        )
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
        recipient: Callable[[], X25519PublicKey | None] = lambda: None,
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
            _locked, medium, directory, new_journal, acknowledged or {}
        )
        return cls(
            medium,
            directory,
            lock,
            recovery,
            settings=settings or JournalSettings(),
            monotonic_ns=monotonic_ns,
            recipient=recipient,
        )

    @property
    def journal_id(self) -> bytes:
        """The journal's 16-byte id."""
        return self._journal_id

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
        return msgspec.structs.replace(self._statistics, waiting=self._committer.waiting)

    async def append(
        self, entry: Passage, *, timeout_s: float | None = None, unsecured: bool = False
    ) -> int:
        """Return the entry's sequence (from 1, without gaps) once it is durable on the medium.

        After an error with `in_doubt` the entry may nevertheless stand in the journal: the writer
        had begun on it. The gate stays shut all the same, and a caller that wants the log to say
        what was shown appends that verdict as a further entry. Of two, the later one holds.

        :param timeout_s: how long to wait, in place of the settings' bound.
        :param unsecured: whether the entry stays in the queue at the bound: the caller acts anyway.
        :raises JournalTimeout: if it was not durable in time. Not in doubt while it still waited
            in the queue: it has been taken back.
        :raises JournalUnavailable: if the medium refused it.
        :raises JournalOverflow: if too many entries wait already.
        :raises JournalClosed: after `close`.
        :raises EntryTooLarge: if it is longer than the wire allows.
        """
        packed = pack_passage(entry)
        if len(packed) > MAX_PASSAGE_BYTES:
            msg = f"an entry of {len(packed)} bytes is over the limit of {MAX_PASSAGE_BYTES}"
            raise EntryTooLarge(msg)
        receipt: asyncio.Future[int] = self._loop.create_future()
        try:
            self._committer.submit(receipt, packed)
        except JournalOverflow:
            self._statistics.overflows += 1
            raise
        bound_s = self._settings.timeout_s if timeout_s is None else timeout_s
        limit = self._loop.call_later(bound_s, self._expire, receipt, bound_s, unsecured)
        try:
            return await receipt
        except asyncio.CancelledError:
            self._committer.withdraw(receipt)
            raise
        finally:
            limit.cancel()

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
        receipts = cast("tuple[asyncio.Future[int], ...]", group.tickets)
        if group.error is not None:
            statistics.failed_groups += 1
            statistics.last_error = str(group.error)
            for receipt in receipts:
                _fail(receipt, group.error)
            return
        statistics.last_error = ""
        statistics.last_sequence = group.first_sequence + len(receipts) - 1
        for sequence, receipt in enumerate(receipts, start=group.first_sequence):
            if not receipt.done():
                receipt.set_result(sequence)
        self._grown.set()

    def follow(self, followup: Followup) -> None:  # noqa: ARG002 - see below
        """Note what followed on an earlier entry. Never raises.

        Files of version 1 have no place for it: it is counted as lost.
        """
        self._statistics.followups_lost += 1

    def _expire(self, receipt: asyncio.Future[int], bound_s: float, unsecured: bool) -> None:
        if receipt.done():
            return
        in_doubt = unsecured or not self._committer.withdraw(receipt)
        self._statistics.timeouts += 1
        self._statistics.in_doubt += in_doubt
        msg = f"the entry was not durable within {bound_s} s"
        # A medium that hangs reports no group: nothing but these bounds can tell of it.
        self._statistics.last_error = f"{msg}; {MEDIUM_HINT}"
        receipt.set_exception(JournalTimeout(msg, hint=MEDIUM_HINT, in_doubt=in_doubt))


def _locked(
    medium: Medium, directory: Path, new_journal: bytes, acknowledged: Mapping[bytes, int]
) -> tuple[int, Recovery]:
    try:
        medium.make_directory(directory)
        lock = medium.lock(directory / LOCK_NAME)
    except BlockingIOError as error:
        msg = f"another process has the journal in {directory} open"
        raise JournalLocked(
            msg, hint="stop the other daemon, or give each its own folder"
        ) from error
    except OSError as error:
        raise unavailable(error) from error
    try:
        return lock, recover(medium, directory, new_journal, acknowledged)
    except OSError as error:
        medium.close(lock)
        raise unavailable(error) from error
    except BaseException:  # whatever ends this, the directory must not stay locked
        medium.close(lock)
        raise


def _fail(receipt: asyncio.Future[Any], error: JournalUnavailable) -> None:
    """Give each waiter an error of its own: a shared one would gather all their tracebacks."""
    if receipt.done():
        return
    own = JournalUnavailable(str(error), hint=error.hint, in_doubt=error.in_doubt)
    own.__cause__ = error
    receipt.set_exception(own)
