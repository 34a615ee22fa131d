"""The uplink: in the end the hub holds what the journal holds, once, whatever happens between."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.wire import MAX_BATCH_ENTRIES, MAX_PASSAGE_BYTES
from appliance.errors import HubRefused
from appliance.uplink import RETRY, SLICE_ENTRIES
from appliance.uplink_ports import Answer
from tests.appliance.uplink_ends import FakeHub, FakeJournal, Gate

MISHAPS = st.sampled_from(
    ["", "request lost", "answer lost", "error", "twice", "slow", "garbage", "grow"]
)


@given(st.lists(MISHAPS, max_size=25), st.integers(1, 2_500))
@settings(max_examples=40, deadline=None)
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
    assert len(gate.hub.held) == 2_400  # unpack_signed_batch refuses what is over
    small = Gate(FakeJournal(2_400), FakeHub())
    await small.run_until_settled()
    assert small.hub.sent == [(1, MAX_BATCH_ENTRIES), (1_001, 1_000), (2_001, 400)]


async def test_a_lost_outbox_costs_one_question() -> None:
    gate = Gate(FakeJournal(2_500), FakeHub())
    await gate.run_until_settled()
    gate.journal.acknowledged_through, gate.journal.mark = 0, b""
    gate.restart()
    await gate.run_until_settled()
    assert len(gate.hub.sent) == 3
    assert not gate.hub.batches[-1].entries


async def test_what_cannot_be_read_any_more_blocks_nothing() -> None:
    gate = Gate(FakeJournal(1_500), FakeHub())
    gate.journal.gone(700, 1_010)
    await gate.run_until_settled()
    assert gate.hub.through == 1_500
    assert not gate.hub.held[1_000].packed
    gate.restart()  # the hub's own word on the last place that it holds
    await gate.run_until_settled()


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


async def test_a_long_outage_reads_what_waits_once() -> None:
    gate = Gate(FakeJournal(1_000), FakeHub())
    gate.hub.mishaps = ["", *["error"] * 20]
    await gate.run_until_settled()
    assert gate.journal.reads == 1_000 // SLICE_ENTRIES


async def test_a_hub_that_asks_to_be_left_alone_is() -> None:
    class BusyHub(FakeHub):
        async def post_entries(self, body: bytes) -> Answer:
            raise HubRefused("the hub answered 503", retry_after_s=120.0)

    gate = Gate(FakeJournal(1), BusyHub())
    await gate.run_until(lambda: len(gate.sleeps) >= 10)
    assert all(slept >= 120 for slept in gate.sleeps)
    assert len(set(gate.sleeps)) == len(gate.sleeps), "they do not all come back at one moment"


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
    gate.hub.held = {entry.sequence: entry for entry in gate.journal.entries[:2]}
    gate.journal.refuses = True
    await gate.run_until(lambda: gate.hub.through == 5)
    status = gate.uplink.status()
    assert "disk is full" in status.last_error
    gate.journal.refuses = False
    gate.journal.grow(1)
    await gate.run_until_settled()
    assert gate.hub.sent == [(3, 3), (6, 1)]
    assert not gate.uplink.status().last_error


async def test_a_watermark_that_cannot_be_kept_holds_up_nothing() -> None:
    """On a full disk nothing is let go that the hub does not hold: the upload is the way out."""
    gate = Gate(FakeJournal(2_500), FakeHub())
    gate.journal.refuses = True
    await gate.run_until(lambda: gate.hub.through == 2_500)
    assert not gate.sleeps
    assert "disk is full" in gate.uplink.status().last_error


async def test_a_success_clears_the_error_and_is_dated() -> None:
    gate = Gate(FakeJournal(1), FakeHub())
    gate.hub.mishaps = ["error", "slow"]
    assert gate.uplink.status().last_success is None
    await gate.run_until_settled()
    status = gate.uplink.status()
    assert status.last_success == gate.clock.now()
    assert (status.last_error, status.hint, status.failures, status.attempts) == ("", "", 0, 4)


@pytest.mark.parametrize(
    ("ahead_s", "round_trip_s", "said"),
    [
        (-29, 0, ""),
        (29, 0, ""),
        (3_600, 0, "3600 s behind the hub's"),
        (-90, 0, "90 s ahead of the hub's"),
        (31, 20, ""),  # the answer was on its way for longer than the clocks are apart
        (50, 20, "50 s behind"),
    ],
)
async def test_clocks_that_are_apart_are_told(ahead_s: int, round_trip_s: int, said: str) -> None:
    gate: Gate

    class FarHub(FakeHub):
        async def post_entries(self, body: bytes) -> Answer:
            gate.clock.advance(round_trip_s)
            return await super().post_entries(body)

    gate = Gate(FakeJournal(1), FarHub())
    gate.hub.wall_ns += ahead_s * 10**9 + round_trip_s * 10**9 // 2
    await gate.run_until(lambda: bool(gate.journal.marks))
    status = gate.uplink.status()
    assert said in status.notice
    assert bool(said) == bool(status.notice)
    assert status.skew_s == pytest.approx(ahead_s, abs=0.01)
