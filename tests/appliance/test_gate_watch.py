"""What a board tells of its gate: journaled once, believed only if it can be, never uncounted."""

from __future__ import annotations

import asyncio

import pytest

from admission.gate import GateOutcome, Input, Side
from admission.journal_record import FollowupKind
from admission.passage import Event
from admission.site import Direction
from admission.verdict import Alert
from appliance.event_pace import BURST
from appliance.gate_watch import MAX_WAITING
from firmware_bridge.link.messages import GateEvent
from tests.appliance.watched_gate import Turnstile

PASSED, NOT_PASSED = GateOutcome.PASSED, GateOutcome.NOT_PASSED
FORCED, TAILGATED = GateOutcome.FORCED, GateOutcome.TAILGATED


async def test_who_passed_is_noted_at_the_entry_that_the_board_names() -> None:
    turnstile = Turnstile()
    turnstile.admits(1)
    turnstile.clock.advance(2)
    turnstile.admits(2)
    turnstile.tells(PASSED, 2)
    turnstile.tells(PASSED, 1)
    await turnstile.settled()
    assert turnstile.followed == [(FollowupKind.PASSED, 2), (FollowupKind.PASSED, 1)]
    assert [one.after_ms for one in turnstile.journal.followups] == [0, 2_000]
    assert turnstile.inside == 2
    assert turnstile.alarms == 0


async def test_the_board_keeps_a_passage_until_it_would_outlive_the_daemon() -> None:
    turnstile = Turnstile()
    turnstile.admits(1)
    turnstile.journal.durable.clear()
    kept = turnstile.watch.sensed(GateEvent(PASSED, Side.A, 1, 0, 0))
    watching = asyncio.create_task(turnstile.watch.run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert turnstile.followed
    assert kept is not None
    assert not kept.done()
    turnstile.journal.durable.set()
    await asyncio.wait_for(kept, 5)
    turnstile.watch.close()
    await watching


async def test_the_board_keeps_an_event_until_it_stands_in_the_journal() -> None:
    turnstile = Turnstile()
    kept = turnstile.watch.sensed(GateEvent(FORCED, Side.A, 0, 0, 0))
    assert kept is not None
    assert not kept.done()
    kept.add_done_callback(lambda _: seen.append(turnstile.entries))
    seen: list[list[tuple[Event, str]]] = []
    await turnstile.settled()
    await asyncio.sleep(0)
    assert seen == [[(Event.FORCED, "")]]


async def test_who_does_not_pass_is_not_counted_inside() -> None:
    turnstile = Turnstile()
    turnstile.admits(1)
    turnstile.tells(NOT_PASSED, 1)
    await turnstile.settled()
    assert turnstile.followed == [(FollowupKind.NOT_PASSED, 1)]
    assert turnstile.inside == 0


async def test_a_board_cannot_annul_twice_nor_what_it_was_not_asked_to_admit() -> None:
    turnstile = Turnstile()
    turnstile.admits(1)
    turnstile.tells(PASSED, 1)
    for entry in (1, 7, 0):
        turnstile.tells(NOT_PASSED, entry)
    await turnstile.settled()
    assert turnstile.followed == [(FollowupKind.PASSED, 1)]
    assert turnstile.inside == 1
    assert turnstile.told == ["passed", "unbelieved", "unbelieved", "not_passed"]


async def test_who_follows_behind_is_noted_at_the_entry_and_told() -> None:
    turnstile = Turnstile()
    turnstile.admits(1)
    turnstile.tells(PASSED, 1)
    turnstile.tells(TAILGATED, 1)
    await turnstile.settled()
    assert turnstile.followed == [(FollowupKind.PASSED, 1), (FollowupKind.TAILGATED, 1)]
    told = turnstile.observer.happenings[-1]
    assert (told.alert, told.sequence, told.entry) == (Alert.TAILGATED, 1, None)
    assert turnstile.alarms == 1
    assert turnstile.inside == 1, "a sensor does not tell who, or how many"


async def test_who_follows_behind_an_unknown_admission_is_an_entry_of_its_own() -> None:
    turnstile = Turnstile()
    turnstile.tells(TAILGATED, 9)
    await turnstile.settled()
    assert turnstile.entries == [(Event.FORCED, "behind")]
    assert turnstile.alarms == 1


async def test_a_forced_gate_is_an_entry_of_nobody_with_an_alarm() -> None:
    turnstile = Turnstile()
    turnstile.tells(FORCED)
    await turnstile.settled()
    (entry,) = turnstile.journal.entries
    assert (entry.event, entry.alerts, entry.person) == (Event.FORCED, (Alert.FORCED,), None)
    told = turnstile.observer.happenings[-1]
    assert (told.kind, told.alert, told.sequence) == ("forced", Alert.FORCED, 1)
    assert turnstile.alarms == 1


@pytest.mark.parametrize(
    ("direction", "own", "side", "way"),
    [
        (Direction.IN, Side.A, Side.A, Direction.IN),
        (Direction.IN, Side.A, Side.B, Direction.OUT),
        (Direction.OUT, Side.B, Side.B, Direction.OUT),
        (Direction.OUT, Side.A, Side.B, Direction.IN),
    ],
)
async def test_a_forced_side_is_entered_under_the_way_that_it_leads(
    direction: Direction, own: Side, side: Side, way: Direction
) -> None:
    turnstile = Turnstile(direction=direction, side=own)
    turnstile.tells(FORCED, side=side)
    await turnstile.settled()
    assert turnstile.journal.entries[0].direction is way


async def test_tamper_fire_and_stop_are_entries_both_ways_and_readiness_is_none() -> None:
    turnstile = Turnstile()
    for source in (Input.TAMPER, Input.FIRE, Input.STOP, Input.READY, Input.BUTTON):
        turnstile.changes(source, 1)
        turnstile.changes(source, 0)
    await turnstile.settled()
    assert turnstile.entries == [
        (Event.TAMPER, "opened"),
        (Event.TAMPER, "closed"),
        (Event.FIRE, "began"),
        (Event.FIRE, "ended"),
        (Event.STOP, "pressed"),
        (Event.STOP, "released"),
    ]
    alerts = [one.alert for one in turnstile.observer.happenings if one.alert]
    assert alerts == [Alert.TAMPER, Alert.FIRE, Alert.STOP]
    assert turnstile.alarms == 1, "the light is for the housing"


async def test_a_contact_that_chatters_fills_no_disk_and_every_change_is_counted() -> None:
    turnstile = Turnstile()
    for _ in range(MAX_WAITING):
        turnstile.tells(FORCED)
    await turnstile.settled()
    assert turnstile.entries == [
        *[(Event.FORCED, "")] * BURST,
        (Event.UNLISTED, f"forced {MAX_WAITING - BURST - 1}"),
        (Event.FORCED, ""),
    ]
    assert turnstile.told.count("forced") == MAX_WAITING


@pytest.mark.parametrize("changes", range(BURST, BURST + 4))
async def test_however_a_contact_chatters_the_journal_ends_with_how_it_stands(
    changes: int,
) -> None:
    turnstile = Turnstile()
    for number in range(changes):
        turnstile.changes(Input.FIRE, 1 - number % 2)
    await turnstile.settled()
    assert turnstile.entries[-1] == (Event.FIRE, "began" if changes % 2 else "ended")
    singly = [event for event, _ in turnstile.entries if event is Event.FIRE]
    told = [int(note.split()[1]) for event, note in turnstile.entries if event is Event.UNLISTED]
    assert len(singly) + sum(told) == changes


async def test_so_many_behind_one_admission_are_counted_too() -> None:
    turnstile = Turnstile()
    turnstile.admits(1)
    for _ in range(BURST + 3):
        turnstile.tells(TAILGATED, 1)
    await turnstile.settled()
    assert len(turnstile.followed) == BURST
    assert turnstile.entries == [(Event.UNLISTED, "tailgated 3")]


async def test_what_was_lost_on_the_board_is_counted_and_written_down() -> None:
    turnstile = Turnstile()
    turnstile.changes(Input.BUTTON, 1, lost=3)
    turnstile.tells(FORCED, lost=255)
    await turnstile.settled()
    assert turnstile.entries == [(Event.FORCED, ""), (Event.UNLISTED, "lost 258")]
    lost = [one.count for one in turnstile.observer.happenings if one.kind == "lost"]
    assert lost == [3, 255]


async def test_more_events_than_can_wait_are_counted_as_lost() -> None:
    turnstile = Turnstile()
    for _ in range(MAX_WAITING + 5):
        turnstile.changes(Input.BUTTON, 1)
    await turnstile.settled()
    assert turnstile.entries == [(Event.UNLISTED, "lost 5")]


async def test_what_the_journal_does_not_take_is_in_the_list_once_it_does() -> None:
    turnstile = Turnstile()
    turnstile.journal.broken = True
    task = asyncio.create_task(turnstile.watch.run())
    turnstile.tells(FORCED)
    await asyncio.wait_for(turnstile.observer.news.wait(), 5)
    assert turnstile.entries == []
    assert turnstile.observer.happenings[0].sequence is None
    turnstile.journal.broken = False
    turnstile.watch.close()
    await asyncio.wait_for(task, 5)
    assert turnstile.entries == [(Event.FORCED, "")]


async def test_the_list_is_written_while_the_gate_goes_on() -> None:
    turnstile = Turnstile()
    task = asyncio.create_task(turnstile.watch.run())
    for _ in range(BURST + 2):
        turnstile.tells(FORCED)
    for _ in range(20 * BURST):
        await asyncio.sleep(0)
    assert len(turnstile.told) == BURST + 2
    turnstile.clock.advance(11)
    turnstile.changes(Input.BUTTON, 1)
    for _ in range(20):
        await asyncio.sleep(0)
    assert turnstile.entries[-2:] == [(Event.UNLISTED, "forced 1"), (Event.FORCED, "")]
    task.cancel()
