"""The Screen port: it shows the newest verdict, at once, and never gets in the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.ports import Screen
from admission.verdict import Card, LaneState, Outcome, Reason, Text, Verdict
from appliance.web.screen import KioskScreen
from tests.doors import MemoryScreen

ADMIT = Verdict(Outcome.ADMIT, (Reason.CARD_OPENS,), Card.GREEN, Text("5K, 2 m", "5K, 2 m"))
REFUSE = Verdict(Outcome.REFUSE, (Reason.REVOKED,))

Looked = Callable[[], dict[str, dict[str, Any]]]
"""What a person who looks now sees, by lane: `outcome`, `holder` and `state`, where shown."""


class Kiosk:
    """The kiosk screen, looked at by a page that connects now."""

    def __init__(self) -> None:
        self.screen = KioskScreen(lambda: 0)

    def look(self) -> dict[str, dict[str, Any]]:
        with self.screen.viewer() as viewer:
            taken = asyncio.run(viewer.take())
        seen: dict[str, dict[str, Any]] = {}
        for line in (taken or b"").splitlines():
            if line.startswith(b"data: "):
                message = json.loads(line[6:])
                seen.setdefault(message.get("lane", ""), {}).update(message)
        return seen


class Memory:
    """The screen of other tests."""

    def __init__(self) -> None:
        self.screen = MemoryScreen()

    def look(self) -> dict[str, dict[str, Any]]:
        return self.screen.seen


@pytest.fixture(params=[Kiosk, Memory])
def case(request: pytest.FixtureRequest) -> tuple[Screen, Looked]:
    made = request.param()
    return made.screen, made.look


def test_the_newest_verdict_of_each_lane_is_seen(case: tuple[Screen, Looked]) -> None:
    screen, look = case
    screen.publish("gate-1", ADMIT, "N***** V** AN")
    screen.publish("gate-2", ADMIT, "T*** BÌNH")
    screen.publish("gate-1", REFUSE, "L* CHI")
    seen = look()
    assert (seen["gate-1"]["outcome"], seen["gate-1"]["holder"]) == ("refuse", "L* CHI")
    assert (seen["gate-2"]["outcome"], seen["gate-2"]["holder"]) == ("admit", "T*** BÌNH")


def test_a_lane_out_of_order_admits_nobody(case: tuple[Screen, Looked]) -> None:
    screen, look = case
    screen.lane_state("gate-1", LaneState.OPEN)
    screen.publish("gate-1", ADMIT, "N***** V** AN")
    screen.lane_state("gate-1", LaneState.OUT_OF_ORDER)
    seen = look()["gate-1"]
    assert seen["state"] == "out_of_order"
    assert "outcome" not in seen
    screen.lane_state("gate-1", LaneState.OPEN)
    assert look()["gate-1"]["state"] == "open"


@pytest.mark.parametrize("make", [Kiosk, Memory])
@given(st.text(alphabet=st.characters(), max_size=200))
def test_no_holder_name_can_stop_it(make: type[Kiosk | Memory], name: str) -> None:
    made = make()
    made.screen.publish("gate-1", ADMIT, name)
    assert made.look()["gate-1"]["outcome"] == "admit"


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("reason", Reason)
def test_every_answer_of_the_law_can_be_shown(
    case: tuple[Screen, Looked], outcome: Outcome, reason: Reason
) -> None:
    screen, look = case
    screen.publish("gate-1", Verdict(outcome, (reason,)), "")
    assert look()["gate-1"]["outcome"] == outcome


def test_ten_thousand_verdicts_unlooked_at_leave_one(case: tuple[Screen, Looked]) -> None:
    screen, look = case
    for number in range(10_000):
        screen.publish("gate-1", ADMIT, str(number))
    assert look()["gate-1"]["holder"] == "9999"
