"""The writer thread: commits as one group what has gathered while the medium was busy.

Entries are waited for, what followed on them is not: that rides with the next group, or with a
tick of the idle thread. Where lanes have been sharing groups the thread lingers for a moment, so
that all of them share the next sync, too; for a lane that is alone it never does.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from admission.journal_record import Followup, FollowupKind
from cache.journal.errors import JournalClosed, JournalOverflow, JournalUnavailable
from cache.journal.recorder import Draft, draft_of
from cache.journal.segment_file import SegmentWriter
from cache.journal.ticket import GivenUp, Group, Ticket
from cache.journal.wake import Wake

_log = logging.getLogger(__name__)

_TICK_S = 1.0
_FIRST_PAUSE_S = 0.05
_MAX_DOUBLINGS = 8
_AT_ONCE = 1 << 31
_LINGER_NS = 2_000_000
_NS_PER_MS = 1_000_000


class _Load(NamedTuple):
    """What one group is to hold."""

    tickets: dict[Ticket, None]
    followups: list[Draft]


class GroupCommitter:
    """One thread that appends groups of waiting entries, in the order in which they came.

    `report` is called on that thread after every group, in order; it must not raise.

    :param queue_entries: how many entries may wait, and how many followups.
    :param group_entries: how many of each one group may hold.
    """

    def __init__(
        self,
        segment: SegmentWriter,
        report: Callable[[Group], None],
        *,
        monotonic_ns: Callable[[], int],
        queue_entries: int,
        group_entries: int,
    ) -> None:
        self._segment = segment
        self._report = report
        self._monotonic_ns = monotonic_ns
        self._queue_entries = queue_entries
        self._group_entries = group_entries
        self._lock = threading.Lock()
        self._wake = Wake(self._lock)
        self._waiting: dict[Ticket, None] = {}
        self._begun: dict[Ticket, None] = {}
        self._given_up: dict[Ticket, FollowupKind] = {}
        self._followups: deque[Draft] = deque()
        self._closing = False
        self._hurried = False
        self._expected = 1
        self._commit_ns = 0
        self._backlog = 0  # entries that wait for the pause after a failure, which kept some
        self._failures = 0
        self.followed = 0
        """How many followups were taken, those that the thread notes itself included."""
        self.followups_lost = 0
        self.unsecured_lost = 0
        # A daemon thread: a medium that never answers must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)

    @property
    def waiting(self) -> int:
        """How many entries wait for the group that is being written to end."""
        return len(self._waiting)

    @property
    def unsecured(self) -> int:
        """How many entries are not durable yet although their waiters have acted."""
        with self._lock:
            kinds = list(self._given_up.values())
        return kinds.count(FollowupKind.UNSECURED)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def submit(self, ticket: Ticket) -> None:
        """Let the entry wait for the next group.

        :raises JournalOverflow: if too many wait already.
        :raises JournalClosed: after `close`.
        """
        with self._lock:
            if self._closing:
                raise JournalClosed("the journal is closed")
            waiting = self._waiting
            if len(waiting) >= self._queue_entries:
                msg = f"{self._queue_entries} entries already wait for the medium"
                raise JournalOverflow(msg, hint="the medium is too slow or hangs: check it (dmesg)")
            waiting[ticket] = None
            self._wake.reached(len(waiting))

    def follow(self, draft: Draft) -> None:
        """Let a followup ride with the next group, or be written within a second. Counts losses."""
        with self._lock:
            if self._closing or len(self._followups) >= self._queue_entries:
                self.followups_lost += 1
            else:
                self._note(draft)

    def hurry(self) -> None:
        """Let what is taken be written at once."""
        with self._lock:
            self._hurried = True
            self._wake.now()

    def give_up(self, ticket: Ticket, *, keep: bool) -> GivenUp:
        """Note that nobody waits for the entry any more, and take it back where that is possible.

        :param keep: whether it shall be written all the same: its waiter acts without it.
        """
        with self._lock:
            if not keep and ticket in self._waiting:
                del self._waiting[ticket]
                return GivenUp.TAKEN_BACK
            if ticket not in self._waiting and ticket not in self._begun:
                return GivenUp.SETTLED
            self._given_up[ticket] = FollowupKind.UNSECURED if keep else FollowupKind.WITHHELD
            return GivenUp.KEPT

    def close(self) -> None:
        """Take nothing further; the thread ends once what waits has been written, or refused."""
        with self._lock:
            self._closing = True
            self._wake.now()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end (blocking); return whether it came in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            # A file begun early spares the first lane three syncs, and supersedes what a failed
            # group left. If that fails no entry is concerned yet: the first one tries again, and
            # is told of it. A fault of our own, too, must not end the thread.
            if not self._segment.ready:
                with contextlib.suppress(Exception):
                    self._segment.prepare()
            self._gather()
            load = self._take()
            if load is None:
                break
            if load.tickets or load.followups:
                self._report(self._commit(load))
        if self.unsecured_lost:  # the counters end with the process
            _log.error("%d entries were lost on which a gate had acted", self.unsecured_lost)
        self._segment.close()

    def _gather(self) -> None:
        """Sleep until an entry waits or the tick is over; then linger for lanes that will be back.

        They are expected back who shared the last group or waited at its end; the thread waits a
        quarter of what that group took, at most: the sync that is spared is worth more. Entries
        that were kept after a failure wake nobody: they are tried with others, or after a pause.
        """
        pause_s = min(_TICK_S, _FIRST_PAUSE_S * 2**self._failures) if self._backlog else _TICK_S
        self._wake.wait(self._gathered, self._backlog + 1, pause_s)
        if 0 < self._gathered() < self._expected:
            linger_s = min(self._commit_ns // 4, _LINGER_NS) / 1e9
            self._wake.wait(self._gathered, self._expected, linger_s)

    def _gathered(self) -> int:
        return _AT_ONCE if self._hurried or self._closing else len(self._waiting)

    def _take(self) -> _Load | None:
        """Return what is to be written next, perhaps nothing; None once closed and done."""
        with self._lock:
            self._hurried = False
            if len(self._waiting) <= self._group_entries:
                self._begun, self._waiting = self._waiting, {}
            else:
                self._begun = dict.fromkeys(islice(self._waiting, self._group_entries))
                for ticket in self._begun:
                    del self._waiting[ticket]
            count = min(len(self._followups), self._group_entries)
            load = _Load(self._begun, [self._followups.popleft() for _ in range(count)])
            done = self._closing and not load.tickets and not load.followups
            return None if done else load

    def _commit(self, load: _Load) -> Group:
        error: JournalUnavailable | None = None
        began_ns = self._monotonic_ns()
        try:
            self._segment.append_group([*load.tickets, *load.followups])
        except JournalUnavailable as unavailable:
            error = unavailable
        except Exception as fault:  # noqa: BLE001 - a dead writer thread would hold every lane for good
            error = JournalUnavailable(f"the journal's writer failed: {fault!r}", in_doubt=True)
            error.__cause__ = fault
        ended_ns = self._monotonic_ns()
        self._commit_ns = ended_ns - began_ns
        position = self._segment.position
        first = position.last_sequence - len(load.tickets) - len(load.followups) + 1
        with self._lock:
            self._begun = {}
            self._expected = len(load.tickets) + len(self._waiting)
            late: list[FollowupKind] = []
            if error is None:
                self._backlog = self._failures = 0
                late = self._late(load.tickets, first, ended_ns)
            else:
                self._keep(load)
        return Group(
            tuple(load.tickets),
            first,
            error,
            self._commit_ns,
            position,
            0 if error else len(load.followups),
            late.count(FollowupKind.WITHHELD),
        )

    def _late(self, tickets: dict[Ticket, None], first: int, now_ns: int) -> list[FollowupKind]:
        """Note behind entries that are durable now which of them came too late; return as what."""
        late: list[FollowupKind] = []
        if not self._given_up:
            return late
        for sequence, ticket in enumerate(tickets, start=first):
            kind = self._given_up.pop(ticket, None)
            if kind is not None:
                after_ms = max(0, now_ns - ticket.since_ns) // _NS_PER_MS
                self._note(draft_of(Followup(kind, sequence, after_ms)))
                late.append(kind)
        return late

    def _note(self, followup: Draft) -> None:
        self.followed += 1
        self._followups.append(followup)

    def _keep(self, load: _Load) -> None:
        """Keep after a failure what nobody else would try again."""
        unsecured: dict[Ticket, None] = {}
        for ticket in load.tickets:
            kind = self._given_up.pop(ticket, FollowupKind.UNSECURED)
            if ticket.unsecured and kind is FollowupKind.UNSECURED:
                unsecured[ticket] = None
        if self._closing:
            self.unsecured_lost += len(unsecured)
            self.followups_lost += len(load.followups)
            return
        self._given_up |= dict.fromkeys(unsecured, FollowupKind.UNSECURED)
        self._waiting = unsecured | self._waiting
        self._followups.extendleft(reversed(load.followups))
        # All that wait: those that found no room in the group would else wake the thread at once.
        self._backlog = len(self._waiting) if unsecured else 0
        self._failures = min(self._failures + 1, _MAX_DOUBLINGS)
