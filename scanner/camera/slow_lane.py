"""The lane beside: what was not read inline is tried again, on another core, and handed back late.

`SlowLane` is what a camera's reader asks of it. `ThreadLane` runs beside the inline lane with at
most one job in flight; `ImmediateLane` runs inside the call, for recordings and pictures.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec

from scanner.camera.mailbox import Mailbox
from scanner.camera.slow_reading import Found, Job

LIMIT_NS = 500_000_000
"""What one job may take: a later answer is of no use at a gate."""
_WAITING_RESULTS = 16
_TAKE_S = 60.0


class SlowLaneStatistics(msgspec.Struct, frozen=True, gc=False):
    """Counts since the start."""

    jobs: int = 0
    """Jobs that were begun..."""
    reads: int = 0
    """...of which so many read something,"""
    timeouts: int = 0
    """and so many ran out of time."""
    faults: int = 0
    """Rungs and readers that failed on a picture, and workers that died of one."""


class ReadsJobs(Protocol):
    """Whatever reads a job, in this thread or somewhere else."""

    def open(self) -> None:
        """Make ready, which may take seconds. Whatever is not ready by then is tried again."""
        ...

    def read(self, job: Job, until_ns: int) -> Found:
        """Return what is read by `until_ns`, or soon after. Never raises for what pictures hold."""
        ...

    def close(self) -> None:
        """Give back what reading needs, from any thread. Closing twice does nothing."""
        ...


class SlowLane(Protocol):
    """Takes jobs and hands back what came of them. Used by one thread."""

    def start(self, failed: Callable[[BaseException], None]) -> None:
        """Make ready. `failed` is called once with what ended the lane before its time."""
        ...

    def offer(self, job: Job) -> None:
        """Leave a job; one that waits gives way to it."""
        ...

    def take(self) -> list[Found]:
        """Return what was finished since the last call, oldest first."""
        ...

    def stop(self, timeout_s: float) -> bool:
        """End the lane; return whether it did within `timeout_s`."""
        ...

    def statistics(self) -> SlowLaneStatistics:
        """Return the counts so far, from any thread."""
        ...


class _Counting:
    """Runs jobs one after another, and counts."""

    def __init__(self, reader: ReadsJobs, monotonic_ns: Callable[[], int], limit_ns: int) -> None:
        self._reader = reader
        self._monotonic_ns = monotonic_ns
        self._limit_ns = limit_ns
        self.statistics = SlowLaneStatistics()

    def run(self, job: Job) -> Found:
        found = self._reader.read(job, self._monotonic_ns() + self._limit_ns)
        before = self.statistics
        self.statistics = SlowLaneStatistics(
            jobs=before.jobs + 1,
            reads=before.reads + bool(found.sightings),
            timeouts=before.timeouts + found.timed_out,
            faults=before.faults + found.faults,
        )
        return found


class ImmediateLane:
    """Reads each job inside `offer`: the same pictures give the same readings on any machine.

    :param every_ns: jobs that come sooner after the last one, by their stamps, are left out, as a
        lane beside would leave them out while it is busy.
    """

    def __init__(
        self,
        reader: ReadsJobs,
        monotonic_ns: Callable[[], int],
        *,
        limit_ns: int = LIMIT_NS,
        every_ns: int = 0,
    ) -> None:
        self._work = _Counting(reader, monotonic_ns, limit_ns)
        self._reader = reader
        self._every_ns = every_ns
        self._last_ns: int | None = None
        self._results: list[Found] = []

    def start(self, failed: Callable[[BaseException], None]) -> None:
        """Make the reader ready; what fails, fails in `offer`."""
        del failed
        self._reader.open()

    def offer(self, job: Job) -> None:
        """Read the job."""
        last_ns = self._last_ns
        if last_ns is not None and 0 <= job.captured_ns - last_ns < self._every_ns:
            return
        self._last_ns = job.captured_ns
        self._results.append(self._work.run(job))

    def take(self) -> list[Found]:
        """Return what was read since the last call."""
        results, self._results = self._results, []
        return results

    def stop(self, timeout_s: float) -> bool:
        """Close the reader."""
        del timeout_s
        self._reader.close()
        return True

    def statistics(self) -> SlowLaneStatistics:
        """Return the counts so far."""
        return self._work.statistics


class ThreadLane:
    """Reads jobs on a thread of its own: the newest wins, and one is in flight at most."""

    def __init__(
        self,
        reader: ReadsJobs,
        monotonic_ns: Callable[[], int],
        *,
        name: str = "slow-lane",
        limit_ns: int = LIMIT_NS,
    ) -> None:
        self._work = _Counting(reader, monotonic_ns, limit_ns)
        self._reader = reader
        self._jobs: Mailbox[Job] = Mailbox()
        self._results: deque[Found] = deque(maxlen=_WAITING_RESULTS)
        self._failed: Callable[[BaseException], None] = lambda _: None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self, failed: Callable[[BaseException], None]) -> None:
        """Start the thread.

        :raises RuntimeError: it was started before.
        """
        self._failed = failed
        self._thread.start()

    def offer(self, job: Job) -> None:
        """Leave a job for the thread."""
        self._jobs.put(job)

    def take(self) -> list[Found]:
        """Return what the thread has finished since the last call."""
        results = []
        while self._results:
            results.append(self._results.popleft())
        return results

    def stop(self, timeout_s: float) -> bool:
        """End the thread with the job in flight; return whether it ended within `timeout_s`."""
        self._jobs.close()
        self._reader.close()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def statistics(self) -> SlowLaneStatistics:
        """Return the counts so far."""
        return self._work.statistics

    def _run(self) -> None:
        try:
            self._reader.open()
            while True:
                job = self._jobs.take(_TAKE_S)
                if self._jobs.closed:
                    return
                if job is not None:
                    self._results.append(self._work.run(job))
        except BaseException as error:  # noqa: BLE001 - a thread's edge: its death is reported
            self._failed(error)
