"""The uplink: in the end the hub holds what the journal holds, once, whatever happens between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.wire import (
    MAX_BATCH_ENTRIES,
    MAX_PASSAGE_BYTES,
    Acknowledgement,
    pack_acknowledgement,
)
from appliance.uplink import RETRY, Answer
from tests.appliance.uplink_ends import JOURNAL, AnsweringHub, FakeHub, FakeJournal, Gate
from tests.worlds import ManualClock

MISHAPS = st.sampled_from(
    ["", "request lost", "answer lost", "error", "twice", "slow", "garbage", "grow"]
)


@given(st.lists(MISHAPS, max_size=25), st.integers(1, 2_500))
@settings(max_examples=60, deadline=None)
def test_in_the_end_the_hub_holds_what_the_journal_holds_once(
    mishaps: list[str], entries: int
) -> None:
    async def history() -> None:
        gate = Gate(FakeJournal(entries), FakeHub())
        gate.hub.mishaps = [mishap for mishap in mishaps if mishap != "grow"]
        growths = mishaps.count("grow")

        def while_asleep() -> None:
            nonlocal growths
            if growths:
                growths -= 1
                gate.journal.grow(700)

        gate.on_sleep = while_asleep
        await gate.run_until_settled()
        assert list(gate.hub.held.values()) == gate.journal.entries
        assert gate.uplink.status().pending == 0

    asyncio.run(history())


async def test_a_batch_stays_within_the_limits_of_the_wire() -> None:
    gate = Gate(FakeJournal(2_400, size=MAX_PASSAGE_BYTES), FakeHub())
    await gate.run_until_settled()
    assert len(gate.hub.held) == 2_400  # unpack_batch refuses what is over
    small = Gate(FakeJournal(2_400), FakeHub())
    await small.run_until_settled()
    assert [len(b.entries) for b in small.hub.batches] == [MAX_BATCH_ENTRIES, 1_000, 400]


async def test_a_lost_outbox_is_sent_again_and_doubles_nothing() -> None:
    gate = Gate(FakeJournal(2_500), FakeHub())
    await gate.run_until_settled()
    gate.journal.acknowledged_through = 0
    await gate.run_until_settled()
    assert len(gate.hub.held) == 2_500
    assert [b.entries[0].sequence for b in gate.hub.batches] == [1, 1_001, 2_001] * 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda hub: Answer(200, hub.acknowledgement(through=6)), "does not exist"),
        (lambda hub: Answer(200, hub.acknowledgement(through=2**62)), "does not exist"),
        (lambda hub: Answer(200, hub.acknowledgement(through=2)), "took none"),
        (lambda hub: Answer(200, hub.acknowledgement(through=0)), "took none"),
        (lambda hub: Answer(200, hub.acknowledgement(journal=bytes(16))), "another journal"),
        (lambda hub: Answer(200, pack_acknowledgement(Acknowledgement(2, JOURNAL, 5))), "version"),
        (lambda hub: Answer(200, b""), "well-formed"),
        (lambda hub: Answer(200, b"\xdd\xff\xff\xff\xff"), "well-formed"),
        (lambda hub: Answer(302, hub.acknowledgement()), "302"),
        (lambda hub: Answer(401, b""), "401"),
        (lambda hub: Answer(503, hub.acknowledgement()), "503"),
    ],
)
async def test_an_answer_that_no_honest_hub_gives_moves_nothing(
    answer: Callable[[AnsweringHub], Answer], said: str
) -> None:
    gate = Gate(FakeJournal(5), AnsweringHub(answer))
    gate.journal.acknowledged_through = 2
    await gate.run_until(lambda: len(gate.sleeps) >= 3)
    status = gate.uplink.status()
    assert said in status.last_error
    assert status.hint
    assert (status.acknowledged_through, status.pending) == (2, 3)
    assert status.failures >= 3


async def test_a_partial_acknowledgement_moves_the_watermark_so_far() -> None:
    hub = AnsweringHub(lambda hub: Answer(200, hub.acknowledgement(through=3)))
    gate = Gate(FakeJournal(5), hub)
    await gate.run_until(lambda: gate.uplink.status().acknowledged_through == 3)
    await gate.run_until(lambda: bool(gate.sleeps))  # and asks no further without a pause


async def test_a_refused_token_is_told_with_what_to_do() -> None:
    gate = Gate(FakeJournal(5), AnsweringHub(lambda hub: Answer(401, b"")))
    await gate.run_until(lambda: bool(gate.sleeps))
    assert "token" in gate.uplink.status().hint


async def test_waits_grow_to_a_ceiling_and_start_anew_after_a_success() -> None:
    gate = Gate(FakeJournal(1), FakeHub())
    gate.hub.mishaps = ["error"] * 40
    await gate.run_until_settled()
    bounds = [RETRY.delay_s(failures, 1.0) for failures in range(1, 41)]
    assert all(0 <= slept <= bound for slept, bound in zip(gate.sleeps, bounds, strict=True))
    assert max(gate.sleeps) > 30
    assert min(gate.sleeps[8:]) < 15, "full jitter: the gates whose hub comes back spread out"
    gate.hub.mishaps = ["error"]
    gate.journal.grow(1)
    await gate.run_until_settled()
    assert gate.sleeps[-1] <= 0.5


async def test_a_hub_that_never_answers_is_left_at_the_bound() -> None:
    class SilentHub(FakeHub):
        async def post_entries(self, body: bytes) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

    gate = Gate(FakeJournal(1), SilentHub(), attempt_s=0.01)
    await gate.run_until(lambda: bool(gate.sleeps))
    assert "did not answer" in gate.uplink.status().last_error


async def test_a_watermark_that_cannot_be_kept_is_shown_and_sends_nothing_twice() -> None:
    gate = Gate(FakeJournal(5), FakeHub())
    gate.journal.refuses = True
    await gate.run_until(lambda: bool(gate.sleeps))
    status = gate.uplink.status()
    assert "disk is full" in status.last_error
    assert (status.pending, len(gate.hub.batches)) == (0, 1)


async def test_a_success_clears_the_error_and_is_dated() -> None:
    gate = Gate(FakeJournal(1), FakeHub())
    gate.hub.mishaps = ["error", "slow"]
    assert gate.uplink.status().last_success is None
    await gate.run_until_settled()
    status = gate.uplink.status()
    assert status.last_success == ManualClock().now()
    assert (status.last_error, status.hint, status.failures, status.attempts) == ("", "", 0, 3)
