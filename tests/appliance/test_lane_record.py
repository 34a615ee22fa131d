"""What the journal says of a scan besides its verdict, and when a gate opens without an entry."""

from __future__ import annotations

import pytest

from admission.journal_record import FollowupKind
from admission.signal import ADMIT, OUT_OF_ORDER
from admission.verdict import Outcome, Reason
from appliance.journal_table import WhenUnavailable
from tests.appliance.test_lane import CODE, Gate
from tests.doors import MemoryJournal
from tests.worlds import a_reading


class FullJournal(MemoryJournal):
    async def append(self, *_: object, **__: object) -> int:
        raise RuntimeError("no room")


def followed(gate: Gate) -> list[tuple[FollowupKind, int]]:
    return [(one.kind, one.about) for one in gate.journal.followups]


async def test_an_admitted_scan_is_followed_by_what_the_board_did() -> None:
    gate = Gate()
    await gate.lane.serve(a_reading(CODE))
    assert followed(gate) == [(FollowupKind.ACTUATED, 1)]


async def test_a_board_that_fails_is_noted_whatever_it_was_to_show() -> None:
    gate = Gate()
    gate.bridge.broken = True
    await gate.lane.serve(a_reading(CODE))
    await gate.lane.serve(a_reading("hello"))
    assert followed(gate) == [(FollowupKind.NOT_ACTUATED, 1), (FollowupKind.NOT_ACTUATED, 2)]


async def test_a_refusal_that_was_shown_needs_no_note() -> None:
    gate = Gate()
    await gate.lane.serve(a_reading("hello"))
    assert followed(gate) == []


async def test_a_lane_that_holds_opens_nothing_without_an_entry() -> None:
    gate = Gate(WhenUnavailable.HOLD)
    gate.journal.broken = True
    shown = await gate.lane.serve(a_reading(CODE))
    assert shown.reasons == (Reason.JOURNAL_UNAVAILABLE,)
    assert gate.bridge.shown == [OUT_OF_ORDER]
    assert gate.journal.unsecured == []
    assert gate.zone.count(gate.clock.now()).inside == 0


async def test_a_lane_that_admits_by_policy_opens_and_leaves_the_entry_with_the_journal() -> None:
    gate = Gate(WhenUnavailable.ADMIT)
    gate.journal.broken = True
    shown = await gate.lane.serve(a_reading(CODE))
    assert shown.outcome is Outcome.ADMIT
    assert gate.bridge.shown == [ADMIT]
    assert [entry.outcome for entry in gate.journal.unsecured] == [Outcome.ADMIT]
    assert gate.observer.failures == ["journal"], "it is an alarm all the same"
    assert gate.observer.scans[0].sequence is None
    assert gate.zone.count(gate.clock.now()).inside == 1


@pytest.mark.parametrize("policy", WhenUnavailable)
async def test_an_entry_that_nobody_goes_on_trying_opens_nothing(policy: WhenUnavailable) -> None:
    """The queue is full, say: even where policy does not wait, an entry must be on its way."""

    gate = Gate(policy)
    gate.journal = FullJournal()
    lane = gate.a_lane("beside")
    await lane.serve(a_reading(CODE))
    assert gate.bridge.shown == [OUT_OF_ORDER]
