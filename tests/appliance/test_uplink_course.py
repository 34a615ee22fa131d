"""Gate and hub over the worst of lines: no order of mishaps loses, doubles or overstates an entry.

The hub is the real intake over a store in memory; the machine plays the line between them, which
loses, repeats, delays and reorders requests and answers, and restarts or puts back both ends.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import zstandard
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from admission.upload import Mark, sign_mark, unpack_signed_batch
from admission.wire import MAX_BATCH_BYTES
from appliance.errors import HubUnavailable
from appliance.uplink_ports import Answer
from hub.intake import Intake, arrival_of
from hub.store.entries import JournalKey
from tests.appliance.uplink_ends import DEVICE, HEAD_KEY, JOURNAL, FakeJournal, Gate
from tests.hub.memory_store import MemoryStore
from tests.worlds import ManualClock

T = TypeVar("T")
KEY = JournalKey(DEVICE, JOURNAL)


class Hub:
    """The hub behind its door. `restart` keeps what is stored."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = ManualClock()
        self.restart()

    def restart(self) -> None:
        self.intake = Intake(self.store)

    async def answer(self, body: bytes) -> bytes:
        data = zstandard.ZstdDecompressor().decompress(body, max_output_size=MAX_BATCH_BYTES)
        batch = unpack_signed_batch(data).batch
        self.clock.advance(0.001)
        receipt = await self.intake.receive(arrival_of(batch), self.clock.now())
        held = receipt.watermark
        mark = Mark(2, DEVICE, JOURNAL, held.through, held.chain_hash, self.clock.wall_ns)
        return sign_mark(mark, HEAD_KEY)

    async def through(self) -> int:
        return (await self.store.watermark(KEY)).through


class Line:
    """Keeps every request; answers the one that waits when the machine says so."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.answers: list[bytes] = []
        self.waiting: asyncio.Future[Answer] | None = None

    async def post_entries(self, body: bytes) -> Answer:
        self.requests.append(body)
        self.waiting = asyncio.get_running_loop().create_future()
        try:
            return await self.waiting
        finally:
            self.waiting = None


class AtOnce(ThreadPoolExecutor):
    """Does in the caller's thread what another would: the same course every time."""

    def submit(self, work: Callable[..., T], /, *given: Any, **named: Any) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(work(*given, **named))
        return future


class Course(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(AtOnce())
        self.hub = Hub()
        self.copies: list[tuple[MemoryStore, int]] = []
        self.unseen = 0  # through which entry the hub held before it was put back, until told
        self.gate = self.do(self._gate())
        self.begin()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    async def _gate(self) -> Gate:
        return Gate(FakeJournal(), Line())  # type: ignore[arg-type]

    @property
    def line(self) -> Line:
        return self.gate.hub  # type: ignore[return-value]

    def begin(self) -> None:
        self.gate.hub = Line()  # type: ignore[assignment]
        self.gate.restart()
        self.task = self.loop.create_task(self.gate.uplink.run())
        self.do(self.until_it_waits())

    async def until_it_waits(self) -> None:
        """Let the uplink come to rest: at the line, or for want of entries."""
        for _ in range(100):
            await asyncio.sleep(0)
            if self.line.waiting is not None:
                return

    @rule(count=st.integers(1, 1_200))
    def grow(self, count: int) -> None:
        self.gate.journal.grow(count)
        self.do(self.until_it_waits())

    @precondition(lambda self: self.line.requests)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        """Bring any request to the hub that was ever made, once more if need be."""
        at = data.draw(st.integers(0, len(self.line.requests) - 1))
        self.line.answers.append(self.do(self.hub.answer(self.line.requests[at])))

    @precondition(lambda self: self.line.waiting is not None and self.line.answers)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """Give the gate any answer that the hub ever gave it."""
        at = data.draw(st.integers(0, len(self.line.answers) - 1))
        self.settle(Answer(self.line.answers[at]))

    @precondition(lambda self: self.line.waiting is not None)
    @rule()
    def exchange(self) -> None:
        """Let one request go through as it should."""
        self.line.answers.append(self.do(self.hub.answer(self.line.requests[-1])))
        self.settle(Answer(self.line.answers[-1]))

    @precondition(lambda self: self.line.waiting is not None)
    @rule(garbage=st.booleans())
    def fail(self, *, garbage: bool) -> None:
        self.settle(Answer(b"\x92") if garbage else HubUnavailable("connection reset"))

    def settle(self, outcome: Answer | Exception) -> None:
        waiting = self.line.waiting
        assert waiting is not None
        if isinstance(outcome, Exception):
            waiting.set_exception(outcome)
        else:
            waiting.set_result(outcome)
        self.do(self.until_it_waits())

    @rule(forgets=st.booleans())
    def restart_gate(self, *, forgets: bool) -> None:
        self.stop()
        if forgets:
            self.gate.journal.acknowledged_through, self.gate.journal.mark = 0, b""
        self.begin()

    @rule()
    def restart_hub(self) -> None:
        self.hub.restart()

    @rule()
    def keep_a_copy_of_the_hub(self) -> None:
        self.copies.append((copy.deepcopy(self.hub.store), self.do(self.hub.through())))

    @precondition(lambda self: self.copies)
    @rule(data=st.data())
    def put_the_hub_back(self, data: st.DataObject) -> None:
        store, _ = self.copies[data.draw(st.integers(0, len(self.copies) - 1))]
        self.unseen = max(self.unseen, self.do(self.hub.through()))
        self.hub.store = copy.deepcopy(store)
        self.hub.clock.advance(60)
        self.hub.restart()

    @invariant()
    def the_watermark_never_passes_what_the_hub_holds(self) -> None:
        acknowledged = self.gate.journal.acknowledged_through
        held = self.do(self.hub.through())
        if acknowledged <= held:
            return
        # Only where the hub was put back, and its own mark has not told the gate of it yet.
        assert acknowledged <= self.unseen

    @invariant()
    def nobody_cries_wolf(self) -> None:
        assert not self.gate.uplink.status().alarm

    def stop(self) -> None:
        self.task.cancel()
        self.do(asyncio.wait([self.task]))

    def teardown(self) -> None:
        try:
            self.end()
        finally:
            self.stop()
            self.loop.close()

    def end(self) -> None:
        """Let the line heal, and look at what has become of all."""
        journal = self.gate.journal
        journal.grow(1)
        self.do(self.until_it_waits())
        for _ in range(60):
            if self.do(self.hub.through()) == journal.last_sequence and not journal.pending:
                break
            if self.line.waiting is not None:
                self.exchange()
            else:
                self.do(self.until_it_waits())
        assert not journal.pending
        held = self.do(self.hub.store.held(KEY, range(1, journal.last_sequence + 2)))
        assert {n: (e.chain_hash, e.packed) for n, e in held.items()} == {
            e.sequence: (e.chain_hash, e.packed) for e in journal.entries
        }
        counted = self.do(self.hub.store.count(DEVICE))
        assert (counted.entries, counted.conflicts) == (journal.last_sequence, 0)


TestCourse = Course.TestCase
TestCourse.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
