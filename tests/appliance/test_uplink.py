"""The uplink: in the end the hub holds what the journal holds, once, whatever happens between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.wire import MAX_BATCH_ENTRIES, MAX_PASSAGE_BYTES, Entry
from appliance.errors import HubRefused
from appliance.uplink import RETRY, SLICE_ENTRIES
from appliance.uplink_ports import Answer
from tests.appliance.uplink_ends import AnsweringHub, FakeHub, FakeJournal, Gate

MISHAPS = st.sampled_from(
    ["", "request lost", "answer lost", "error", "twice", "slow", "garbage", "grow"]
)
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)


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


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda hub: hub.signed_mark(journal=bytes(16)), "another journal"),
        (lambda hub: hub.signed_mark(device="gate-2"), "another device"),
        (lambda hub: hub.signed_mark(version=3), "version"),
        (lambda hub: hub.signed_mark(STRANGER), "not signed by a key that is trusted"),
        (lambda hub: hub.signed_mark()[:-1], "well-formed"),
        (lambda hub: hub.signed_mark() + b"\x00", "well-formed"),
        (lambda _: b"", "well-formed"),
        (lambda _: b"\xdd\xff\xff\xff\xff", "well-formed"),
        (lambda _: b"<html>", ""),
        (lambda hub: hub.signed_mark(through=2, chain_hash=bytes(32)), "took none"),
        (lambda hub: hub.signed_mark(through=0, chain_hash=bytes(32), wall_ns=1), "an old one"),
    ],
)
async def test_an_answer_that_no_honest_hub_gives_moves_nothing(
    answer: Callable[[AnsweringHub], bytes], said: str
) -> None:
    hub = FakeHub()
    gate = Gate(FakeJournal(2), hub)
    await gate.run_until_settled()
    gate.journal.grow(3)
    mark = gate.journal.mark
    gate.hub = AnsweringHub(answer)
    gate.restart()
    gate.sleeps.clear()
    await gate.run_until(lambda: len(gate.sleeps) >= 3)
    status = gate.uplink.status()
    assert said in status.last_error
    assert status.hint
    assert (status.acknowledged_through, status.pending) == (2, 3)
    assert status.failures >= 1
    assert not status.alarm
    if said != "took none":
        assert gate.journal.mark == mark


@pytest.mark.parametrize(
    "answer",
    [
        lambda hub: hub.signed_mark(through=6),
        lambda hub: hub.signed_mark(through=2**62),
        lambda hub: hub.signed_mark(through=5, chain_hash=bytes([1]) * 32),
        lambda hub: hub.signed_mark(through=1, chain_hash=bytes([1]) * 32),
    ],
)
async def test_a_mark_over_another_history_is_an_alarm_and_moves_nothing(
    answer: Callable[[AnsweringHub], bytes],
) -> None:
    gate = Gate(FakeJournal(5), AnsweringHub(answer))
    await gate.run_until(lambda: len(gate.sleeps) >= 3)
    status = gate.uplink.status()
    assert status.alarm == status.last_error != ""
    assert "journal verify" in status.hint
    assert (status.acknowledged_through, gate.journal.marks) == (0, [])


async def test_an_altered_journal_is_found_out_by_the_hubs_mark() -> None:
    gate = Gate(FakeJournal(50), FakeHub())
    await gate.run_until_settled()
    altered = FakeJournal(10)
    altered.grow(40, salt=1)  # rewritten from the eleventh on, and chained anew
    altered.acknowledged_through, altered.mark = 50, gate.journal.mark
    gate.journal = altered
    gate.restart()
    await gate.run_until(lambda: len(gate.sleeps) >= 2)
    assert "altered" in gate.uplink.status().alarm
    assert gate.hub.conflicts == 0, "a question tells before anything is sent"


async def test_while_histories_contradict_nothing_is_sent_but_the_question() -> None:
    gate = Gate(FakeJournal(50), FakeHub())
    await gate.run_until_settled()
    gate.hub.batches.clear()
    honest = gate.hub.held[50]
    gate.hub.held[50] = Entry(50, bytes([1]) * 32, honest.packed)
    gate.journal.grow(10)
    gate.hub.mishaps = ["request lost"]
    gate.restart()
    await gate.run_until(lambda: len(gate.hub.batches) >= 3)
    assert gate.hub.sent == []
    gate.hub.held[50] = honest
    await gate.run_until_settled()
    assert gate.hub.sent == [(51, 10)]
    assert not gate.uplink.status().alarm


async def test_a_journal_that_was_cut_off_is_found_out_by_the_hubs_mark() -> None:
    gate = Gate(FakeJournal(50), FakeHub())
    await gate.run_until_settled()
    gate.journal = FakeJournal(40)
    gate.restart()
    await gate.run_until(lambda: len(gate.sleeps) >= 2)
    assert "ends at 40" in gate.uplink.status().alarm


@pytest.mark.parametrize("through", [0, 3, 1_400])
async def test_a_hub_put_back_to_an_older_copy_gets_again_what_it_lacks(through: int) -> None:
    gate = Gate(FakeJournal(1_500), FakeHub())
    await gate.run_until_settled()
    gate.hub.restore(through)
    gate.journal.gone(1, 2)
    gate.journal.grow(10)
    await gate.run_until_settled()
    assert gate.hub.through == 1_510
    status = gate.uplink.status()
    assert f"entries {through + 1} to 1500" in status.sent_again
    assert ("2 of them are not here" in status.sent_again) == (through == 0)
    assert (status.last_error, status.alarm, status.notice) == ("", "", "")


async def test_an_old_mark_served_again_does_not_pass_for_a_restored_hub() -> None:
    hub = FakeHub()
    gate = Gate(FakeJournal(5), hub)
    await gate.run_until_settled()
    old = gate.journal.mark
    gate.journal.grow(5)
    await gate.run_until_settled()
    gate.journal.grow(5)
    gate.hub = AnsweringHub(lambda _: old)
    gate.restart()  # with the wall time of the last mark from the disk
    gate.sleeps.clear()
    await gate.run_until(lambda: bool(gate.sleeps))
    assert "an old one" in gate.uplink.status().last_error
    assert gate.journal.acknowledged_through == 10


async def test_a_partial_mark_moves_the_watermark_so_far() -> None:
    hub = AnsweringHub(lambda h: h.signed_mark(through=3, chain_hash=h.held[3].chain_hash))
    gate = Gate(FakeJournal(5), hub)
    hub.held = {entry.sequence: entry for entry in gate.journal.entries}
    await gate.run_until(lambda: gate.uplink.status().acknowledged_through == 3)
    await gate.run_until(lambda: bool(gate.sleeps))  # and asks no further without a pause


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
    await gate.run_until(lambda: len(gate.sleeps) >= 2)
    status = gate.uplink.status()
    assert "disk is full" in status.last_error
    gate.journal.refuses = False
    await gate.run_until_settled()
    assert gate.hub.sent == [(3, 3)]


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
