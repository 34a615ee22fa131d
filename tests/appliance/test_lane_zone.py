"""Protects the zone behind lanes: who counts as passed, and what officers decide, over lanes."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from admission.credential import Credential, CredentialKind, Proof, Signature
from admission.identity import Identifier, IdentifierKind
from admission.instant import Instant
from admission.passage import Event, Passage
from admission.reading import Reading
from admission.signal import ADMIT, REFUSE
from admission.site import Demands, Direction
from admission.standing import PersonFacts
from admission.verdict import Alert, Outcome, Reason, Verdict
from tests.appliance.test_lane import CODE, GREEN, PERSON, Gate
from tests.doors import MemoryBridge, MemoryJournal
from tests.worlds import a_reading

OTHER = Identifier(IdentifierKind.DOCUMENT, "000093029318")
OTHER_CODE = CODE.replace("000093029317", "000093029318")
IN, OUT = Direction.IN, Direction.OUT


class Site(Gate):
    """Two ways in and one way out."""

    def __init__(self, demands: Demands) -> None:
        super().__init__()
        self.book.people = {PERSON: GREEN, OTHER: GREEN}
        self.site = msgspec.structs.replace(self.site, demands=demands)
        self.lane = self.a_lane("in-1")
        self.beside = self.a_lane("in-2")
        self.exit = self.a_lane("out", OUT)

    def inside(self) -> int:
        return self.zone.count(self.clock.now()).inside

    def override(self, outcome: Outcome, about: int) -> Passage:
        return msgspec.structs.replace(
            self.journal.entries[about - 1],
            outcome=outcome,
            reasons=(Reason.OVERRIDDEN,),
            event=Event.OVERRIDE,
            about=about,
            officer=7,
        )


@pytest.fixture
async def gate() -> Site:
    return Site(Demands(capacity=1, anti_passback_s=600))


async def test_a_full_zone_says_how_many_must_leave_and_lets_in_once_they_have(gate: Site) -> None:
    assert (await gate.lane.serve(a_reading(CODE))).outcome is Outcome.ADMIT
    full = await gate.beside.serve(a_reading(OTHER_CODE))
    assert (full.reasons, full.to_leave) == ((Reason.ZONE_FULL,), 1)
    left = await gate.exit.serve(a_reading(CODE))
    assert (left.outcome, left.reasons) == (Outcome.ADMIT, (Reason.CHECKED_OUT,))
    assert gate.journal.entries[-1].direction is OUT
    assert gate.inside() == 0
    assert (await gate.beside.serve(a_reading(OTHER_CODE))).outcome is Outcome.ADMIT


class UnhurriedJournal(MemoryJournal):
    """Lets others have a turn before an entry is durable, as every medium does."""

    async def append(
        self, entry: Passage, *, timeout_s: float | None = None, unsecured: bool = False
    ) -> int:
        await asyncio.sleep(0)
        return await super().append(entry, timeout_s=timeout_s, unsecured=unsecured)


async def test_two_lanes_do_not_give_the_last_place_away_twice(gate: Site) -> None:
    gate.lane._journal = UnhurriedJournal()
    verdicts = await asyncio.gather(
        gate.lane.serve(a_reading(CODE)), gate.beside.serve(a_reading(OTHER_CODE))
    )
    assert sorted(verdict.outcome for verdict in verdicts) == [Outcome.ADMIT, Outcome.REFUSE]
    assert gate.inside() == 1


async def test_one_code_does_not_pass_twice_in_one_direction(gate: Site) -> None:
    gate.site = msgspec.structs.replace(gate.site, demands=Demands(anti_passback_s=600))
    gate.journal = UnhurriedJournal()
    first, second = gate.a_lane("a"), gate.a_lane("b")
    verdicts = await asyncio.gather(first.serve(a_reading(CODE)), second.serve(a_reading(CODE)))
    assert [verdict.reason for verdict in verdicts] == [Reason.CARD_OPENS, Reason.ANTI_PASSBACK]
    gate.clock.advance(601)
    assert (await second.serve(a_reading(CODE))).outcome is Outcome.ADMIT


@pytest.mark.parametrize("door", ["journal", "bridge"])
async def test_whoever_was_not_let_through_is_not_inside(gate: Site, door: str) -> None:
    getattr(gate, door).broken = True
    assert (await gate.lane.serve(a_reading(CODE))).outcome is Outcome.REFER
    assert gate.inside() == 0
    getattr(gate, door).broken = False
    assert (await gate.lane.serve(a_reading(CODE))).outcome is Outcome.ADMIT


async def test_a_walk_that_is_cut_off_leaves_nobody_counted(gate: Site) -> None:
    asked = asyncio.Event()

    class Slow(MemoryBridge):
        async def show(self, signal: object, *, entry: int = 0) -> None:
            asked.set()
            await asyncio.Event().wait()

    gate.lane._bridge = Slow()
    walk = asyncio.create_task(gate.lane.serve(a_reading(CODE)))
    await asked.wait()
    assert gate.inside() == 1
    walk.cancel()
    await asyncio.wait([walk])
    assert gate.inside() == 0


async def test_a_scan_tells_of_its_entry(gate: Site) -> None:
    await gate.lane.serve(a_reading(CODE))
    assert gate.observer.scans[0].entry == gate.journal.entries[0]
    assert gate.observer.scans[0].officer is None


class TestAnOfficerDecides:
    """`Lane.decided`: the entry first, then the light, the screen, the zone."""

    async def test_to_let_somebody_in(self, gate: Site) -> None:
        gate.book.people = {PERSON: PersonFacts()}
        assert (await gate.lane.serve(a_reading(CODE))).outcome is not Outcome.ADMIT
        act = await gate.lane.decided(gate.override(Outcome.ADMIT, 1), "N***** V** AN")
        assert (act.sequence, act.lit) == (2, True)
        assert gate.bridge.shown[-1] is ADMIT
        assert gate.bridge.journal_at_show[-1] == 2
        lane, verdict, holder = gate.screen.published[-1]
        assert (lane, verdict.reason, holder) == ("in-1", Reason.OVERRIDDEN, "N***** V** AN")
        assert gate.inside() == 1

    async def test_to_turn_somebody_back(self, gate: Site) -> None:
        await gate.lane.serve(a_reading(CODE))
        await gate.lane.decided(gate.override(Outcome.REFUSE, 1), "")
        assert gate.bridge.shown[-1] is REFUSE
        assert gate.inside() == 0

    async def test_without_an_entry_nothing_moves(self, gate: Site) -> None:
        await gate.lane.serve(a_reading(CODE))
        gate.journal.broken = True
        act = await gate.lane.decided(gate.override(Outcome.REFUSE, 1), "")
        assert act.sequence is None
        assert gate.inside() == 1

    async def test_a_dead_board_opens_nothing_and_nobody_is_counted(self, gate: Site) -> None:
        gate.book.people = {}
        await gate.lane.serve(a_reading(CODE))
        gate.bridge.broken = True
        act = await gate.lane.decided(gate.override(Outcome.ADMIT, 1), "")
        assert (act.sequence, act.lit) == (2, False)
        assert gate.screen.published[-1][1].reason is Reason.FAULT
        assert gate.inside() == 0


class OnceLaw:
    """Reads every text as a wallet's rotating code of the same person."""

    def __init__(self, gate: Gate) -> None:
        self.law, self.whole = self, True
        self.site_at = gate.law.site_at
        self.rulebook_at = gate.law.rulebook_at

    def read(self, reading: Reading, now: Instant) -> Credential:
        proof = Proof(Signature.VALID, expires_ns=now.wall_ns + 10**12)
        return Credential(
            CredentialKind.ROTATING_CODE, (PERSON,), proof=proof, once=reading.text.encode()
        )


async def test_a_code_that_counts_once_counts_once_over_all_lanes(gate: Site) -> None:
    gate.site = msgspec.structs.replace(gate.site, demands=Demands(anti_passback_s=0))
    gate.law = OnceLaw(gate)  # type: ignore[assignment]
    first, second = gate.a_lane("a"), gate.a_lane("b")
    assert (await first.serve(a_reading("123"))).outcome is Outcome.ADMIT
    replayed = await second.serve(a_reading("123"))
    assert (replayed.reason, replayed.alerts) == (Reason.CODE_USED, (Alert.REPLAY,))
    assert (await second.serve(a_reading("456"))).outcome is Outcome.ADMIT


async def test_a_code_that_let_nobody_pass_may_be_shown_again(gate: Site) -> None:
    gate.law = OnceLaw(gate)  # type: ignore[assignment]
    lane = gate.a_lane("a")
    gate.bridge.broken = True
    assert (await lane.serve(a_reading("123"))).outcome is Outcome.REFER
    gate.bridge.broken = False
    assert (await lane.serve(a_reading("123"))).outcome is Outcome.ADMIT


WRONG = ["10000000007", "10000000016", "10000000029", "10000000034", "10000000045", "10000000058"]


async def test_guessing_at_numbers_is_slowed_and_told(gate: Site) -> None:
    gate.law = GuessLaw(gate)  # type: ignore[assignment]
    lane, beside = gate.a_lane("pad"), gate.a_lane("pad-2")
    verdicts: list[Verdict] = [await lane.serve(a_reading(number)) for number in WRONG]
    told = [Alert.GUESSING in verdict.alerts for verdict in verdicts]
    assert told == [False, False, False, False, True, False]  # once for each hold
    assert verdicts[4].reason is not Reason.TOO_MANY_ATTEMPTS
    assert verdicts[5].reason is Reason.TOO_MANY_ATTEMPTS
    assert gate.journal.entries[5].person is None  # it was not even looked up
    assert (await beside.serve(a_reading(WRONG[0]))).reason is not Reason.TOO_MANY_ATTEMPTS
    gate.clock.advance(31)
    assert (await lane.serve(a_reading(WRONG[0]))).reason is not Reason.TOO_MANY_ATTEMPTS


class GuessLaw(OnceLaw):
    """Reads every text as an SMS code of somebody."""

    def read(self, reading: Reading, now: Instant) -> Credential:
        number = Identifier(IdentifierKind.DOCUMENT, reading.text)
        return Credential(CredentialKind.TYPED_CODE, (number,))
