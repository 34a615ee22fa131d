"""What the hub's word may do to the watermark: forward by new marks, back by newer ones only."""

from __future__ import annotations

import pytest

from admission.upload import Mark
from appliance.errors import ChotError, HistoryContradicted, HubUnavailable
from appliance.mark_check import UNKNOWN, Local, Move
from tests.appliance.uplink_ends import DEVICE, JOURNAL

OURS, ANOTHER = bytes([1]) * 32, bytes([2]) * 32
LOCAL = Local(DEVICE, JOURNAL, acknowledged=50, marked_ns=1_000, last=100)


def a_mark(through: int, wall_ns: int = 2_000, chain_hash: bytes = OURS) -> Mark:
    return Mark(2, DEVICE, JOURNAL, through, chain_hash, wall_ns)


@pytest.mark.parametrize(
    ("mark", "move"),
    [
        (a_mark(50), Move.FORWARD),
        (a_mark(100), Move.FORWARD),
        (a_mark(60, wall_ns=5), Move.FORWARD),  # the hub's clock was set back
        (a_mark(49), Move.BACK),
        (a_mark(0, chain_hash=UNKNOWN), Move.BACK),
        (a_mark(60, chain_hash=UNKNOWN), Move.FORWARD),  # a place that could not be read when sent
    ],
)
def test_a_mark_of_this_journals_history_moves_the_watermark(mark: Mark, move: Move) -> None:
    assert LOCAL.judge(mark, OURS) is move


def test_what_cannot_be_read_here_any_more_is_taken_on_the_hubs_word() -> None:
    assert LOCAL.judge(a_mark(60), UNKNOWN) is Move.FORWARD


@pytest.mark.parametrize("wall_ns", [999, 1_000])
def test_a_lower_mark_that_is_not_newer_is_an_old_one(wall_ns: int) -> None:
    with pytest.raises(HubUnavailable, match="old one"):
        LOCAL.judge(a_mark(49, wall_ns), OURS)


def test_a_mark_from_before_the_hub_was_put_back_counts_no_more() -> None:
    local = Local(DEVICE, JOURNAL, acknowledged=10, marked_ns=3_000, last=100, void_ns=3_000)
    with pytest.raises(HubUnavailable, match="old one"):
        local.judge(a_mark(50, wall_ns=2_000), OURS)
    assert local.judge(a_mark(50, wall_ns=3_001), OURS) is Move.FORWARD


@pytest.mark.parametrize("through", [1, 50, 100])
def test_another_history_is_found_wherever_the_mark_stands(through: int) -> None:
    with pytest.raises(HistoryContradicted, match="altered"):
        LOCAL.judge(a_mark(through, chain_hash=ANOTHER), OURS)


def test_entries_that_the_hub_holds_and_are_not_here_were_taken_away() -> None:
    with pytest.raises(HistoryContradicted, match="ends at 100"):
        LOCAL.judge(a_mark(101), UNKNOWN)


def test_of_a_journal_that_was_ended_the_hub_may_hold_more() -> None:
    ended = Local(DEVICE, JOURNAL, acknowledged=50, marked_ns=0, last=100, ended=True)
    assert ended.judge(a_mark(130, chain_hash=ANOTHER), OURS) is Move.FORWARD


@pytest.mark.parametrize(
    "mark",
    [Mark(2, "gate-2", JOURNAL, 60, OURS, 2_000), Mark(2, DEVICE, bytes(16), 60, OURS, 2_000)],
)
def test_a_mark_about_somebody_elses_journal_is_refused(mark: Mark) -> None:
    with pytest.raises(ChotError, match="another"):
        LOCAL.judge(mark, OURS)
