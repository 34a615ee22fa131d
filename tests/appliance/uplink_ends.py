"""Both ends of an uplink in memory, with the mishaps of a network, and the uplink between."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from random import Random

from admission.wire import Acknowledgement, Batch, Entry, pack_acknowledgement, unpack_batch
from appliance.errors import HubUnavailable
from appliance.uplink import Answer, Uplink
from tests.worlds import ManualClock

JOURNAL = bytes(range(16))


class FakeJournal:
    """Journal, reader and outbox in one, in memory."""

    def __init__(self, entries: int = 0, size: int = 20) -> None:
        self.journal_id = JOURNAL
        self.acknowledged_through = 0
        self.refuses = False
        self.size = size
        self.entries: list[Entry] = []
        self.grown, self.moved = asyncio.Event(), asyncio.Event()
        self.grow(entries)

    @property
    def last_sequence(self) -> int:
        return len(self.entries)

    @property
    def pending(self) -> int:
        return self.last_sequence - self.acknowledged_through

    def grow(self, count: int) -> None:
        for _ in range(count):
            sequence = len(self.entries) + 1
            packed = sequence.to_bytes(self.size, "big")
            self.entries.append(Entry(sequence, sequence.to_bytes(32, "big"), packed))
        self.grown.set()

    async def wait_beyond(self, sequence: int) -> None:
        while self.last_sequence <= sequence:
            self.grown.clear()
            await self.grown.wait()

    async def read(
        self, after: int, through: int, *, max_entries: int, max_bytes: int
    ) -> list[Entry]:
        count = min(max_entries, max_bytes // (48 + self.size))
        return self.entries[after : min(through, after + count)]

    async def acknowledge(self, through: int) -> None:
        assert self.acknowledged_through <= through <= self.last_sequence
        self.acknowledged_through = through
        self.moved.set()
        if self.refuses:
            raise OSError("the watermark's disk is full")


class FakeHub:
    """Takes batches as the real one does: idempotent, acknowledging what it holds without gaps."""

    def __init__(self) -> None:
        self.held: dict[int, Entry] = {}
        self.batches: list[Batch] = []
        self.mishaps: list[str] = []

    @property
    def through(self) -> int:
        through = 0
        while through + 1 in self.held:
            through += 1
        return through

    async def post_entries(self, body: bytes) -> Answer:
        mishap = self.mishaps.pop(0) if self.mishaps else ""
        if mishap == "request lost":
            raise HubUnavailable("connection refused")
        if mishap == "error":
            return Answer(500, b"oops")
        batch = unpack_batch(zlib.decompress(body))
        for _ in range(2 if mishap == "twice" else 1):
            self._take(batch)
        if mishap == "answer lost":
            raise HubUnavailable("connection reset")
        if mishap == "slow":
            raise TimeoutError
        if mishap == "garbage":
            return Answer(200, b"<html>welcome to the hotel's network</html>")
        return Answer(200, self.acknowledgement())

    def acknowledgement(self, journal: bytes = JOURNAL, through: int | None = None) -> bytes:
        through = self.through if through is None else through
        return pack_acknowledgement(Acknowledgement(1, journal, through))

    def _take(self, batch: Batch) -> None:
        self.batches.append(batch)
        for entry in batch.entries:
            assert self.held.setdefault(entry.sequence, entry) == entry


class AnsweringHub(FakeHub):
    """Answers what it is told to."""

    def __init__(self, answer: Callable[[AnsweringHub], Answer]) -> None:
        super().__init__()
        self.answer = answer

    async def post_entries(self, body: bytes) -> Answer:
        await super().post_entries(body)
        return self.answer(self)


class Gate:
    """An uplink at work between a journal and a hub, its sleeps recorded instead of slept."""

    def __init__(self, journal: FakeJournal, hub: FakeHub, attempt_s: float = 20.0) -> None:
        self.journal, self.hub = journal, hub
        self.sleeps: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None
        self.uplink = Uplink(
            journal,
            journal,
            journal,
            hub,
            device="gate-1",
            clock=ManualClock(),
            rng=Random(7),
            sleep=self._sleep,
            attempt_s=attempt_s,
        )

    async def _sleep(self, delay_s: float) -> None:
        self.sleeps.append(delay_s)
        self.on_sleep()
        self.journal.moved.set()
        await asyncio.sleep(0)

    async def run_until(self, done: Callable[[], bool]) -> None:
        async def watch() -> None:
            while not done():
                self.journal.moved.clear()
                await self.journal.moved.wait()

        task = asyncio.create_task(self.uplink.run())
        await asyncio.wait_for(watch(), 20)
        task.cancel()
        await asyncio.wait([task])

    async def run_until_settled(self) -> None:
        await self.run_until(
            lambda: not self.journal.pending and not self.uplink.status().last_error
        )
