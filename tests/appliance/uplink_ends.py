"""Both ends of an uplink in memory, with the mishaps of a network, and the uplink between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

import msgspec
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.passage import chained, genesis
from admission.upload import Mark, SignedBatch, entries_of, sign_mark, unpack_signed_batch
from admission.wire import MAX_BATCH_BYTES, Entry
from appliance.errors import HubRefused, HubUnavailable
from appliance.uplink import Uplink
from appliance.uplink_ports import Answer
from appliance.upload_pace import Pace
from tests.worlds import ManualClock

JOURNAL = bytes(range(16))
DEVICE = "gate-1"
DEVICE_KEY = Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32)
HEAD_KEY = Ed25519PrivateKey.from_private_bytes(bytes([4]) * 32)
NOTHING = bytes(32)


class FakeJournal:
    """Journal, reader and outbox in one, in memory."""

    def __init__(self, entries: int = 0, size: int = 20) -> None:
        self.journal_id = JOURNAL
        self.acknowledged_through = 0
        self.mark = b""
        self.marks: list[bytes] = []
        self.refuses = False
        self.size = size
        self.entries: list[Entry] = []
        self.reads = 0
        self.grown, self.moved = asyncio.Event(), asyncio.Event()
        self.grow(entries)

    @property
    def last_sequence(self) -> int:
        return len(self.entries)

    @property
    def pending(self) -> int:
        return self.last_sequence - self.acknowledged_through

    def grow(self, count: int, *, salt: int = 0) -> None:
        for _ in range(count):
            sequence = len(self.entries) + 1
            packed = (sequence + (salt << 32)).to_bytes(self.size, "big")
            previous = self.entries[-1].chain_hash if self.entries else genesis(self.journal_id)
            self.entries.append(Entry(sequence, chained(previous, sequence, packed), packed))
        self.grown.set()

    def gone(self, first: int, last: int) -> None:
        """Let places be unreadable: damaged, or pruned."""
        for sequence in range(first, last + 1):
            self.entries[sequence - 1] = Entry(sequence, NOTHING, b"")

    async def wait_beyond(self, sequence: int) -> None:
        while self.last_sequence <= sequence:
            self.grown.clear()
            await self.grown.wait()

    async def read(
        self, after: int, through: int, *, max_entries: int, max_bytes: int
    ) -> list[Entry]:
        self.reads += 1
        count = max(1, min(max_entries, max_bytes // (48 + self.size)))
        return self.entries[after : min(through, after + count)]

    async def acknowledge(self, through: int, mark: bytes = b"") -> None:
        assert self.acknowledged_through <= through <= self.last_sequence
        await self._move(through, mark)

    async def set_back(self, through: int, mark: bytes) -> None:
        assert 0 <= through < self.acknowledged_through
        await self._move(through, mark)

    async def _move(self, through: int, mark: bytes) -> None:
        assert mark
        self.acknowledged_through, self.mark = through, mark
        self.marks.append(mark)
        self.moved.set()
        if self.refuses:
            raise OSError("the watermark's disk is full")


class FakeHub:
    """Takes batches as the real one does: idempotent, with a mark over what it holds unbroken."""

    def __init__(self) -> None:
        self.held: dict[int, Entry] = {}
        self.batches: list[SignedBatch] = []
        self.bodies: list[bytes] = []
        self.mishaps: list[str] = []
        self.wall_ns = ManualClock().wall_ns
        self.conflicts = 0

    @property
    def sent(self) -> list[tuple[int, int]]:
        """First sequence and length of each batch that brought something."""
        return [(batch.first, len(batch.entries)) for batch in self.batches if batch.entries]

    @property
    def through(self) -> int:
        through = 0
        while through + 1 in self.held:
            through += 1
        return through

    def restore(self, through: int) -> None:
        """Go back to a copy from when the hub held this much."""
        self.held = {number: entry for number, entry in self.held.items() if number <= through}

    async def post_entries(self, body: bytes) -> Answer:
        mishap = self.mishaps.pop(0) if self.mishaps else ""
        if mishap == "request lost":
            raise HubUnavailable("connection refused")
        if mishap == "error":
            raise HubRefused("the hub answered 500")
        for _ in range(2 if mishap == "twice" else 1):
            self.take(body)
        if mishap == "answer lost":
            raise HubUnavailable("connection reset")
        if mishap == "slow":
            raise TimeoutError
        if mishap == "garbage":
            return Answer(b"<html>welcome to the hotel's network</html>")
        return Answer(self.signed_mark())

    def signed_mark(self, key: Ed25519PrivateKey = HEAD_KEY, **changed: object) -> bytes:
        self.wall_ns += 1
        through = self.through
        chain_hash = self.held[through].chain_hash if through else NOTHING
        mark = Mark(2, DEVICE, JOURNAL, through, chain_hash, self.wall_ns)
        return sign_mark(msgspec.structs.replace(mark, **changed), key)

    def take(self, body: bytes) -> None:
        data = zstandard.ZstdDecompressor().decompress(body, max_output_size=MAX_BATCH_BYTES)
        received = unpack_signed_batch(data)
        assert received.is_signed_by(DEVICE_KEY.public_key())
        self.bodies.append(body)
        self.batches.append(received.batch)
        for entry in entries_of(received.batch):
            held = self.held.setdefault(entry.sequence, entry)
            self.conflicts += held.packed != entry.packed


class AnsweringHub(FakeHub):
    """Answers what it is told to."""

    def __init__(self, answer: Callable[[AnsweringHub], bytes]) -> None:
        super().__init__()
        self.answer = answer

    async def post_entries(self, body: bytes) -> Answer:
        await super().post_entries(body)
        return Answer(self.answer(self))


class Gate:
    """An uplink at work between a journal and a hub, its sleeps recorded instead of slept."""

    def __init__(self, journal: FakeJournal, hub: FakeHub, attempt_s: float = 20.0) -> None:
        self.journal, self.hub = journal, hub
        self.sleeps: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None
        self.clock = ManualClock()
        self.attempt_s = attempt_s
        self.restart()

    def restart(self) -> None:
        """Begin anew with what is kept on disk."""
        self.uplink = Uplink(
            self.journal,
            self.journal,
            self.journal,
            self.hub,
            device=DEVICE,
            key=DEVICE_KEY,
            head_keys=lambda: [HEAD_KEY.public_key()],
            clock=self.clock,
            rng=Random(7),
            pace=Pace(lambda: self.clock.monotonic_ns, sleep=lambda _: asyncio.sleep(0)),
            sleep=self._sleep,
            attempt_s=self.attempt_s,
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
        try:
            await asyncio.wait_for(watch(), 20)
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def run_until_settled(self) -> None:
        """Run until the hub has said, after the last mishap, that it holds all."""
        begun = len(self.journal.marks)
        await self.run_until(lambda: len(self.journal.marks) > begun and not self.journal.pending)
