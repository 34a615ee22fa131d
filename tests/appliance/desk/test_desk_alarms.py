"""An officer is told what happens at the gate: on whom it followed, and without anything to do."""

from __future__ import annotations

import pytest

from admission.incident import incident
from admission.passage import Event
from admission.site import Direction
from admission.standing import CredentialStatus, Officer
from admission.verdict import Alert, Outcome
from appliance.desk.desk import Desk
from appliance.desk.refusal import Refusal
from appliance.desk.view import VerdictView, desk_view
from appliance.observation import Happening
from tests.appliance.desk.desk_world import ADMITTED, ISOLATED, DeskWorld
from tests.appliance.desk.test_desk import CHECKED, refused
from tests.worlds import a_site

BINH = Officer(CredentialStatus.ACTIVE, 4001)


@pytest.fixture
async def world() -> DeskWorld:
    return DeskWorld()


def seen(world: DeskWorld, cookie: str) -> tuple[VerdictView, ...]:
    desk: Desk = world.desk
    return desk_view(desk, desk.session(cookie), "b").verdicts


def forced(world: DeskWorld, sequence: int | None = 77) -> Happening:
    entry = incident(
        a_site(), "gate-1", Event.FORCED, "", direction=Direction.IN, now=world.clock.now()
    )
    return Happening("gate-1", "forced", Alert.FORCED, sequence, entry)


async def test_a_forced_gate_is_a_line_of_its_own_on_which_nobody_can_act(
    world: DeskWorld,
) -> None:
    cookie = world.signed_in()
    version = world.desk.version
    world.desk.happened(forced(world))
    assert world.desk.version > version, "waiting pages are told at once"
    (line,) = seen(world, cookie)
    assert [alert.alert for alert in line.alerts] == ["forced"]
    assert (line.sequence, line.may, line.correctable, line.holder) == (77, (), False, "")
    assert line.reason.en == "This gate's alarm is on."
    act = world.desk.override(BINH, 77, Outcome.ADMIT, CHECKED)
    assert await refused(act) is Refusal.VERDICT_GONE


async def test_who_was_followed_through_is_where_it_is_told(world: DeskWorld) -> None:
    cookie = world.signed_in()
    sequence = world.scan(ADMITTED)
    world.scan(ADMITTED)
    world.desk.happened(Happening("gate-1", "tailgated", Alert.TAILGATED, sequence))
    alerted = [line for line in seen(world, cookie) if line.alerts]
    assert [(line.sequence, line.alerts[0].alert) for line in alerted] == [(sequence, "tailgated")]


async def test_an_alert_that_was_told_does_not_hide_the_next(world: DeskWorld) -> None:
    cookie = world.signed_in()
    sequence = world.scan(ISOLATED)
    world.desk.happened(Happening("gate-1", "tailgated", Alert.TAILGATED, sequence))
    world.desk.happened(Happening("gate-1", "tailgated", Alert.TAILGATED, 4_000))
    told = [(line.sequence, line.alerts[0].alert) for line in seen(world, cookie)]
    assert told == [(4_000, "tailgated"), (sequence, "tailgated"), (sequence, "isolation")]


async def test_what_is_no_alarm_or_only_counted_is_no_line(world: DeskWorld) -> None:
    cookie = world.signed_in()
    world.desk.happened(Happening("gate-1", "passed", None, 5))
    world.desk.happened(forced(world, None))
    assert seen(world, cookie) == ()
