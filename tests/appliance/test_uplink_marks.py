"""The hub's marks at work: what moves the watermark, what is an alarm, and what is sent again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.wire import Entry
from tests.appliance.uplink_ends import AnsweringHub, FakeHub, FakeJournal, Gate

STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda hub: hub.signed_mark(journal=bytes(16)), "another journal"),
        (lambda hub: hub.signed_mark(device="gate-2"), "another device"),
        (lambda hub: hub.signed_mark(version=3), "version"),
        (lambda hub: hub.signed_mark(STRANGER), "not signed by a key that is trusted"),
        (lambda hub: hub.signed_mark()[:-1], "not a message"),
        (lambda hub: hub.signed_mark() + b"\x00", "not a message"),
        (lambda _: b"", "not a message"),
        (lambda _: b"\xdd\xff\xff\xff\xff", "not a message"),
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
