"""The walk of one scan: an entry before the light, REFER when anything fails, one verdict each."""

from __future__ import annotations

import asyncio
from datetime import date
from functools import partial
from typing import Any

import msgspec
import pytest

from admission.identity import Identifier, IdentifierKind
from admission.instant import Instant
from admission.law import Law
from admission.repeat import Presentations, UsedOnce
from admission.reset import DailyReset
from admission.rulebook_loading import load_rulebook
from admission.rulebooks import Rulebooks
from admission.signal import ADMIT, OUT_OF_ORDER, REFER, REFUSE, Output, Pulse, Signal, SignalName
from admission.site import Direction, Site
from admission.standing import CredentialStatus, PersonFacts, Product, Release
from admission.verdict import LaneState, Outcome, Reason
from admission.zone import Zone
from appliance.entry_log import EntryLog
from appliance.inbox import Inbox
from appliance.journal_table import WhenUnavailable
from appliance.judging import Judge
from appliance.lane import MISSES, Lane
from tests.doors import (
    BrokenDoorError,
    MemoryBook,
    MemoryBridge,
    MemoryJournal,
    MemoryObserver,
    MemoryScreen,
    MemoryTokens,
)
from tests.worlds import ROOT, VIETNAM, ManualClock, a_reading, a_site

GREEN = PersonFacts(doses=2, product=Product.PFIZER, last_dose=date(2021, 8, 1))
DOCUMENT = "000093029317"
PERSON = Identifier(IdentifierKind.DOCUMENT, DOCUMENT)
CODE = f"{DOCUMENT}|NGUYEN VAN AN|1993-01-18|0||"
SILENT = Signal(SignalName.ADMIT, (Pulse(Output.GREEN, 1_500),))
RULEBOOK = load_rulebook((ROOT / "configs/rulebooks/hcmc-2021-09.json").read_bytes())


class Gate:
    """One lane with doors in memory."""

    def __init__(self, policy: WhenUnavailable = WhenUnavailable.HOLD) -> None:
        self.policy = policy
        self.clock = ManualClock()
        vouched_ns = self.clock.wall_ns
        self.book = MemoryBook({PERSON: GREEN}, Release(7, vouched_ns, vouched_ns + 10**15))
        self.journal = MemoryJournal()
        self.bridge = MemoryBridge(self.journal)
        self.screen = MemoryScreen()
        self.observer = MemoryObserver()
        self.inbox = Inbox(asyncio.get_running_loop())
        self.zone = Zone(DailyReset(4 * 60, VIETNAM))
        self.used = UsedOnce()
        self.site = a_site()
        self.law = Law(Rulebooks(RULEBOOK))
        self.lane = self.a_lane("entrance")

    def a_lane(self, name: str, direction: Direction = Direction.IN, **settings: Any) -> Lane:
        """Return a further lane of the same zone, with other doors where `settings` name them."""
        judge = Judge(
            name,
            self.site,
            law=self.law,
            book=self.book,
            zone=self.zone,
            used=self.used,
            tokens=MemoryTokens(),
            direction=direction,
            digest_key=b"k" * 32,
        )
        defaults: dict[str, Any] = {
            "zone": self.zone,
            "clock": self.clock,
            "log": EntryLog(
                self.journal,
                policy=self.policy,
                failed=partial(self.observer.failed, name, "journal"),
            ),
            "bridge": self.bridge,
            "screen": self.screen,
            "inbox": self.inbox,
            "presentations": Presentations(2_000_000_000),
            "observer": self.observer,
        }
        return Lane(name, judge, **defaults | settings)

    async def serve_all(self) -> None:
        self.inbox.close()
        await asyncio.wait_for(self.lane.run(), 5)


@pytest.fixture
async def gate() -> Gate:
    return Gate()


async def test_a_scan_ends_in_an_entry_then_a_light_then_the_screen(gate: Gate) -> None:
    verdict = await gate.lane.serve(a_reading(CODE))
    assert verdict.outcome is Outcome.ADMIT
    assert gate.bridge.shown == [ADMIT]
    assert gate.bridge.journal_at_show == [1]  # durable before the gate moves
    assert gate.screen.published == [("entrance", verdict, "N***** V** AN")]
    assert gate.observer.scans[0].sequence == 1


async def test_the_light_is_shown_as_this_lane_shows_it(gate: Gate) -> None:
    await gate.a_lane("quiet", tuned=lambda signal: SILENT).serve(a_reading(CODE))
    assert gate.bridge.shown == [SILENT]


@pytest.mark.parametrize(
    ("direction", "reason"),
    [(Direction.IN, Reason.NO_RULE), (Direction.OUT, Reason.CHECKED_OUT)],
)
async def test_nobody_enters_by_a_law_of_which_a_part_could_not_be_read(
    gate: Gate, direction: Direction, reason: Reason
) -> None:
    gate.law = msgspec.structs.replace(gate.law, whole=False)
    verdict = await gate.a_lane("beside", direction).serve(a_reading(CODE))
    assert verdict.reason is reason
    assert gate.bridge.shown == [ADMIT if direction is Direction.OUT else REFER]


async def test_the_entry_holds_no_personal_data(gate: Gate) -> None:
    await gate.lane.serve(a_reading(CODE))
    entry = repr(gate.journal.entries[0])
    assert DOCUMENT not in entry
    assert "NGUYEN" not in entry


@pytest.mark.parametrize(
    ("text", "outcome", "reason", "signal"),
    [
        (CODE, Outcome.ADMIT, Reason.CARD_OPENS, ADMIT),
        ("hello", Outcome.REFUSE, Reason.UNRECOGNISED, REFUSE),
        ("x" * 4_000_000, Outcome.REFUSE, Reason.UNRECOGNISED, REFUSE),
        ("\x00" * 50, Outcome.REFUSE, Reason.UNRECOGNISED, REFUSE),
        ("\ud800|||||", Outcome.REFUSE, Reason.UNRECOGNISED, REFUSE),
        ("", Outcome.REFUSE, Reason.UNRECOGNISED, REFUSE),
    ],
)
async def test_verdicts_and_their_lights(
    gate: Gate, text: str, outcome: Outcome, reason: Reason, signal: object
) -> None:
    verdict = await gate.lane.serve(a_reading(text))
    assert (verdict.outcome, verdict.reasons[0]) == (outcome, reason)
    assert gate.bridge.shown == [signal]
    assert gate.journal.entries[0].reasons[0] is reason


async def test_revoked_is_refused(gate: Gate) -> None:
    gate.book.people = {PERSON: PersonFacts(status=CredentialStatus.REVOKED)}
    verdict = await gate.lane.serve(a_reading(CODE))
    assert verdict.reasons == (Reason.REVOKED,)


async def test_without_an_entry_the_gate_does_not_open(gate: Gate) -> None:
    gate.journal.broken = True
    verdict = await gate.lane.serve(a_reading(CODE))
    assert verdict.reasons == (Reason.JOURNAL_UNAVAILABLE,)
    assert gate.bridge.shown == [OUT_OF_ORDER]
    assert gate.observer.scans[0].sequence is None
    gate.journal.broken = False
    assert (await gate.lane.serve(a_reading(CODE))).outcome is Outcome.ADMIT


async def test_whatever_fails_in_deciding_is_referred_and_logged(gate: Gate) -> None:
    gate.book.broken = True
    verdict = await gate.lane.serve(a_reading(CODE))
    assert verdict.reasons == (Reason.FAULT,)
    assert gate.bridge.shown == [REFER]
    assert gate.journal.entries[0].outcome is Outcome.REFER
    assert gate.observer.failures == ["decide"]


async def test_a_law_that_fails_is_referred_and_logged(gate: Gate) -> None:
    class Broken:
        def site_at(self, site: Site, now: Instant) -> Site:
            raise BrokenDoorError("law")

    gate.law = Broken()  # type: ignore[assignment]
    verdict = await gate.a_lane("other").serve(a_reading(CODE))
    assert verdict.reasons == (Reason.FAULT,)
    assert gate.journal.entries[0].outcome is Outcome.REFER
    assert gate.observer.failures == ["decide"]


async def test_a_board_that_fails_costs_no_entry(gate: Gate) -> None:
    gate.bridge.broken = True
    shown = await gate.lane.serve(a_reading(CODE))
    assert len(gate.journal.entries) == 1
    assert gate.journal.entries[0].outcome is Outcome.ADMIT
    assert shown.reasons == (Reason.FAULT,)  # nobody is waved through a gate that did not open
    assert gate.screen.published[0][1] == shown
    assert gate.observer.scans[0].reading_to_light_ns is None
    assert gate.observer.failures == ["actuate"]
    assert gate.lane.unshown is None


async def test_a_board_that_shows_nothing_any_more_is_told(gate: Gate) -> None:
    gate.bridge.broken = True
    for _ in range(MISSES):
        assert gate.lane.unshown is None
        await gate.lane.serve(a_reading(CODE))
    assert gate.lane.unshown is not None
    gate.bridge.broken = False
    await gate.lane.serve(a_reading(CODE))
    assert gate.lane.unshown is None


async def test_one_verdict_per_presentation_however_many_frames(gate: Gate) -> None:
    for frame in range(50):
        gate.inbox.offer(a_reading(CODE, at_ns=frame * 33_000_000))
    await gate.serve_all()
    assert len(gate.journal.entries) == 1
    assert gate.observer.repeats == 49


async def test_a_code_that_left_and_came_back_is_presented_anew(gate: Gate) -> None:
    gate.inbox.offer(a_reading(CODE, at_ns=0))
    gate.inbox.offer(a_reading(CODE, at_ns=3_000_000_000))
    await gate.serve_all()
    assert len(gate.journal.entries) == 2


async def test_an_out_of_order_lane_turns_readings_away_and_says_so(gate: Gate) -> None:
    gate.lane.announce_state()
    gate.bridge.alive = False
    gate.lane.announce_state()
    gate.lane.announce_state()
    gate.inbox.offer(a_reading(CODE))
    await gate.serve_all()
    assert gate.journal.entries == []
    assert gate.observer.away == 1
    assert gate.screen.states == [
        ("entrance", LaneState.OPEN),
        ("entrance", LaneState.OUT_OF_ORDER),
    ]


async def test_a_code_turned_away_is_served_once_the_lane_is_back(gate: Gate) -> None:
    gate.bridge.alive = False
    gate.inbox.offer(a_reading(CODE, at_ns=0))
    runner = asyncio.create_task(gate.lane.run())
    await asyncio.wait_for(gate.observer.turned.wait(), 5)
    gate.bridge.alive = True
    gate.inbox.offer(a_reading(CODE, at_ns=33_000_000))
    gate.inbox.close()
    await asyncio.wait_for(runner, 5)
    assert len(gate.journal.entries) == 1


async def test_an_entry_bears_the_token_of_whom_it_is_of(gate: Gate) -> None:
    await gate.lane.serve(a_reading(CODE))
    await gate.lane.serve(a_reading("no code at all"))
    known, nobodys = gate.journal.entries
    assert known.token == known.person
    assert known.token is not None
    assert nobodys.token is None
