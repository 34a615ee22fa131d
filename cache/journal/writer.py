"""The writer thread: commits as one group what has gathered while the medium was busy."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from itertools import islice

import msgspec

from cache.journal.errors import JournalClosed, JournalOverflow, JournalUnavailable
from cache.journal.segment_file import SegmentWriter


class Group(msgspec.Struct, frozen=True):
    """How one group ended: durable from `first_sequence` on in the tickets' order, or `error`.

    `commit_ns` is the time that the medium took.
    """

    tickets: tuple[object, ...]
    first_sequence: int
    error: JournalUnavailable | None
    commit_ns: int


class GroupCommitter:
    """One thread that appends groups of waiting entries, in the order in which they came.

    `report` is called on that thread after every group, in order; it must not raise.

    :param queue_entries: how many entries may wait.
    :param group_entries: how many entries one group may hold.
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
        self._changed = threading.Condition()
        self._waiting: dict[object, bytes] = {}
        self._closing = False
        # A daemon thread: a medium that never answers must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)

    @property
    def waiting(self) -> int:
        """How many entries wait for the group that is being written to end."""
        return len(self._waiting)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def submit(self, ticket: object, packed: bytes) -> None:
        """Let the entry wait for the next group. `ticket` is hashable and comes back in `Group`.

        :raises JournalOverflow: if too many wait already.
        :raises JournalClosed: after `close`.
        """
        with self._changed:
            if self._closing:
                raise JournalClosed("the journal is closed")
            if len(self._waiting) >= self._queue_entries:
                msg = f"{self._queue_entries} entries already wait for the medium"
                raise JournalOverflow(msg, hint="the medium is too slow or hangs: check it (dmesg)")
            self._waiting[ticket] = packed
            self._changed.notify()

    def withdraw(self, ticket: object) -> bool:
        """Take a waiting entry back; return False if the writer has already begun on it."""
        with self._changed:
            return self._waiting.pop(ticket, None) is not None

    def close(self) -> None:
        """Take no further entries; the thread ends once those that wait have been written."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end (blocking); return whether it came in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        # A file begun early spares the first lane three syncs. If that fails no entry is concerned
        # yet: the first one tries again and gets the error.
        with contextlib.suppress(JournalUnavailable):
            self._segment.prepare()
        while group := self._take():
            self._report(self._commit(group))
        self._segment.close()

    def _take(self) -> dict[object, bytes]:
        """Return the next group; an empty one ends the thread."""
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            if len(self._waiting) <= self._group_entries:
                group, self._waiting = self._waiting, {}
                return group
            group = dict(islice(self._waiting.items(), self._group_entries))
            for ticket in group:
                del self._waiting[ticket]
            return group

    def _commit(self, group: dict[object, bytes]) -> Group:
        first_sequence = self._segment.position.last_sequence + 1
        error: JournalUnavailable | None = None
        began_ns = self._monotonic_ns()
        try:
            self._segment.append_group(list(group.values()))
        except JournalUnavailable as unavailable:
            error = unavailable
        except Exception as fault:  # noqa: BLE001 - a dead writer thread would hold every lane for good
            error = JournalUnavailable(f"the journal's writer failed: {fault!r}", in_doubt=True)
            error.__cause__ = fault
        taken_ns = self._monotonic_ns() - began_ns
        return Group(tuple(group), first_sequence, error, taken_ns)
