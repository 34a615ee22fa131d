"""Fan-out to pages: the present for whoever connects, the newest for whoever is slow."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from admission.instant import ClockTrust
from admission.verdict import LaneState, Outcome, Reason, Verdict
from appliance.web.screen import KioskScreen, TooManyViewers, Viewer, keep_status
from appliance.web.views import Status
from tests.worlds import ManualClock

ADMIT = Verdict(Outcome.ADMIT, (Reason.CARD_OPENS,))
REFUSE = Verdict(Outcome.REFUSE, (Reason.REVOKED,))
STATUS = Status(5.0, 3, ClockTrust.SYNCHRONISED, hub_reachable=True)


def a_screen(clock: ManualClock, *lanes: str, max_viewers: int = 64) -> KioskScreen:
    return KioskScreen(lambda: clock.monotonic_ns, lanes, max_viewers=max_viewers)


async def taken(viewer: Viewer) -> list[dict[str, Any]]:
    block = await asyncio.wait_for(viewer.take(), 2)
    assert block is not None
    return [json.loads(line[6:]) for line in block.splitlines() if line.startswith(b"data: ")]


async def test_a_page_that_connects_sees_the_present() -> None:
    clock = ManualClock()
    screen = a_screen(clock, "gate-1", "gate-2")
    screen.lane_state("gate-2", LaneState.OUT_OF_ORDER)
    screen.publish("gate-1", REFUSE, "L* CHI")
    screen.status(STATUS, ("hub",))
    clock.advance(5)
    with screen.viewer() as viewer:
        hello, *rest = await taken(viewer)
    assert hello["lanes"] == ["gate-1", "gate-2"]
    assert [message["kind"] for message in rest] == ["lane", "verdict", "status"]
    # The page's clock is set by now_ms: the verdict is five of its six seconds old.
    assert hello["now_ms"] - rest[1]["at_ms"] == 5_000
    assert rest[2]["now_ms"] == hello["now_ms"]


async def test_a_verdict_whose_time_is_over_is_not_shown_again() -> None:
    clock = ManualClock()
    screen = a_screen(clock, "gate-1")
    screen.publish("gate-1", ADMIT, "N***** V** AN")
    clock.advance(3)
    with screen.viewer() as viewer:
        assert [message["kind"] for message in await taken(viewer)] == ["hello"]


async def test_a_slow_page_finds_the_newest_and_the_rest_is_counted() -> None:
    screen = a_screen(ManualClock(), "gate-1")
    with screen.viewer() as viewer:
        await taken(viewer)
        for number in range(100):
            screen.publish("gate-1", ADMIT, str(number))
        (only,) = await taken(viewer)
        assert only["holder"] == "99"
        assert screen.statistics().skipped == 99
    assert screen.statistics().skipped == 99
    assert screen.statistics().viewers == 0


async def test_order_is_kept_across_topics() -> None:
    screen = a_screen(ManualClock(), "gate-1")
    with screen.viewer() as viewer:
        await taken(viewer)
        screen.lane_state("gate-1", LaneState.OPEN)
        screen.publish("gate-1", ADMIT, "")
        screen.lane_state("gate-1", LaneState.OUT_OF_ORDER)
        assert [m["kind"] for m in await taken(viewer)] == ["verdict", "lane"]


async def test_a_page_of_one_lane_hears_of_no_other() -> None:
    screen = a_screen(ManualClock(), "gate-1", "gate-2")
    screen.publish("gate-2", ADMIT, "")
    with screen.viewer("gate-1") as viewer:
        assert [m["kind"] for m in await taken(viewer)] == ["hello"]
        screen.publish("gate-2", ADMIT, "")
        screen.publish("gate-1", ADMIT, "")
        assert [m["lane"] for m in await taken(viewer)] == ["gate-1"]


async def test_a_lane_added_later_is_announced() -> None:
    screen = a_screen(ManualClock(), "gate-1")
    with screen.viewer() as viewer:
        await taken(viewer)
        screen.publish("gate-2", ADMIT, "")
        hello, verdict = await taken(viewer)
        assert hello["lanes"] == ["gate-1", "gate-2"]
        assert verdict["lane"] == "gate-2"


async def test_the_number_of_pages_is_bounded() -> None:
    screen = a_screen(ManualClock(), max_viewers=1)
    with screen.viewer():
        with pytest.raises(TooManyViewers) as caught, screen.viewer():
            pass
        assert caught.value.hint
    with screen.viewer():
        pass
    assert screen.statistics().turned_away == 1


async def test_close_lets_everybody_go() -> None:
    screen = a_screen(ManualClock(), "gate-1")
    with screen.viewer() as viewer:
        await taken(viewer)
        waiting = asyncio.create_task(viewer.take())
        await asyncio.sleep(0)
        screen.close()
        assert await asyncio.wait_for(waiting, 2) is None
    with screen.viewer() as late:
        assert await asyncio.wait_for(late.take(), 2) is None


async def test_status_is_kept_up_to_date() -> None:
    screen = a_screen(ManualClock())
    with screen.viewer() as viewer:
        await taken(viewer)
        telling = asyncio.create_task(
            keep_status(screen, lambda: STATUS, lambda: ("hub",), every_s=0)
        )
        for _ in range(3):
            (status,) = await taken(viewer)
            assert (status["pending"], status["faults"]) == (3, ["hub"])
        telling.cancel()


class Mailboxes(RuleBasedStateMachine):
    """However verdicts and readings interleave, each page ends with the newest of each lane."""

    def __init__(self) -> None:
        super().__init__()
        self.screen = a_screen(ManualClock(), "a", "b")
        self.newest: dict[str, str] = {}
        self.seen: dict[str, str] = {}
        self.opened = self.screen.viewer()
        self.viewer = self.opened.__enter__()
        self.number = 0

    @rule(lane=st.sampled_from(["a", "b"]), outcome=st.sampled_from([ADMIT, REFUSE]))
    def publish(self, lane: str, outcome: Verdict) -> None:
        self.number += 1
        self.newest[lane] = str(self.number)
        self.screen.publish(lane, outcome, str(self.number))

    @rule()
    def read(self) -> None:
        self.screen.status(STATUS)
        for message in asyncio.run(taken(self.viewer)):
            if message["kind"] == "verdict":
                self.seen[message["lane"]] = message["holder"]
        assert self.seen == self.newest

    @invariant()
    def bounded(self) -> None:
        assert len(self.viewer._waiting) <= 4

    def teardown(self) -> None:
        self.opened.__exit__(None, None, None)


TestMailboxes = Mailboxes.TestCase
TestMailboxes.settings = settings(max_examples=25, stateful_step_count=20)
