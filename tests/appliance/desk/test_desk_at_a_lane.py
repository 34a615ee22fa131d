"""The desk at a real lane: a signed badge opens it, a decision stands before the gate moves."""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec

from admission.credential import Credential, PassKind
from admission.credentials.chot_pass import sign_pass
from admission.credentials.trust import Trust
from admission.instant import Instant
from admission.law import Law
from admission.officer import CorrectionTopic, OverrideReason
from admission.passage import Event
from admission.repeat import Presentations, UsedOnce
from admission.reset import DailyReset
from admission.rulebook_loading import load_rulebook
from admission.rulebooks import Rulebooks
from admission.signal import ADMIT, REFER, REFUSE
from admission.site import Direction, Place
from admission.standing import CredentialStatus, Lookup, Officer, Release, Standing
from admission.verdict import Outcome, Reason
from admission.zone import Zone
from appliance.desk.desk import Desk, Done
from appliance.entry_log import EntryLog
from appliance.inbox import Inbox
from appliance.judging import Judge
from appliance.lane import Lane
from tests.admission.credentials.passes import DAY_S, ISSUED_S, KEY, a_permit, trusting
from tests.doors import KEY_OF, MemoryBridge, MemoryJournal, MemoryScreen, MemoryTokens
from tests.worlds import ROOT, VIETNAM, ManualClock, a_reading, a_site

RULEBOOK = load_rulebook((ROOT / "configs/rulebooks/hcmc-2021-09.json").read_bytes())
BADGE = sign_pass(
    msgspec.structs.replace(
        a_permit(kind=PassKind.OFFICER, officer=4_016, places=(), districts=(), hours=()),
        expires_s=ISSUED_S + 30 * DAY_S,
    ),
    KEY,
)
STRANGER = "000093029317|NGUYEN VAN AN|1993-01-18|0||"


class Book:
    """Knows the subject of every badge as an officer, and nobody else."""

    def standing_of(
        self, credential: Credential, now: Instant, *, permits: bool = True
    ) -> Standing:
        release = Release(7, now.wall_ns, now.wall_ns + 10**15)
        if credential.granted is not None:
            officer = Officer(CredentialStatus.ACTIVE, 4_016)
            subject = credential.granted.subject
            return Standing(Lookup.NOT_FOUND, subject, release=release, officer=officer)
        if not credential.identifiers:
            return Standing(Lookup.NOTHING_TO_LOOK_UP, release=release)
        return Standing(Lookup.NOT_FOUND, KEY_OF(credential.identifiers[0]), release=release)


class Gate:
    """One lane with doors in memory, and a desk that observes it."""

    def __init__(self) -> None:
        self.clock, self.journal = ManualClock(), MemoryJournal()
        self.bridge, self.screen = MemoryBridge(self.journal), MemoryScreen()
        book, site, zone = Book(), a_site(Place.CONTROL_STATION), Zone(DailyReset(4 * 60, VIETNAM))
        self.desk = Desk(
            site,
            ["gate-1"],
            clock=self.clock,
            book=book,
            journal=self.journal,
            zone=zone,
            tokens=MemoryTokens(),
            random_bytes=bytes,
            idle_s=600,
            override_s=120,
        )
        self.lane = Lane(
            "gate-1",
            Judge(
                "gate-1",
                site,
                law=Law(Rulebooks(RULEBOOK), trust=Trust(passes=trusting())),
                book=book,
                zone=zone,
                used=UsedOnce(),
                tokens=MemoryTokens(),
                direction=Direction.IN,
                digest_key=b"k" * 32,
            ),
            zone=zone,
            clock=self.clock,
            log=EntryLog(self.journal, failed=partial(self.desk.failed, "gate-1", "journal")),
            bridge=self.bridge,
            screen=self.screen,
            inbox=Inbox(asyncio.get_running_loop()),
            presentations=Presentations(2_000_000_000),
            observer=self.desk,
        )
        self.desk.serve_lanes({"gate-1": self.lane})

    async def signed_in(self) -> Officer:
        cookie, _ = self.desk.sign_in("gate-1", "")
        await self.lane.serve(a_reading(BADGE))
        session = self.desk.session(cookie)
        assert session is not None
        assert session.officer is not None
        return session.officer


async def test_an_officers_decision_opens_the_gate_once_it_is_in_the_journal() -> None:
    gate = Gate()
    officer = await gate.signed_in()
    assert gate.journal.entries[0].reasons == (Reason.OFFICER_IDENTIFIED,)
    assert gate.bridge.shown == [REFER]  # a badge moves no gate
    await gate.lane.serve(a_reading(STRANGER))
    assert gate.journal.entries[1].outcome is not Outcome.ADMIT
    gate.bridge.shown.clear()
    reason = OverrideReason.DOCUMENT_CHECKED
    assert await gate.desk.override(officer, 2, Outcome.ADMIT, reason) == Done(3)
    assert gate.bridge.shown == [ADMIT]
    assert gate.bridge.journal_at_show[-1] == 3  # durable before the gate moved
    entry = gate.journal.entries[2]
    assert (entry.event, entry.about, entry.officer) == (Event.OVERRIDE, 2, 4_016)
    assert entry.person == gate.journal.entries[1].person
    lane, verdict, holder = gate.screen.published[-1]
    assert (lane, verdict.reasons, holder) == ("gate-1", (Reason.OVERRIDDEN,), "N***** V** AN")
    assert await gate.desk.correct(officer, 2, CorrectionTopic.DOSE_MISSING) == Done(4)
    assert gate.bridge.shown == [ADMIT]


async def test_without_an_entry_the_gate_stays_shut() -> None:
    gate = Gate()
    officer = await gate.signed_in()
    await gate.lane.serve(a_reading(STRANGER))
    gate.journal.broken = True
    gate.bridge.shown.clear()
    decided = gate.desk.override(officer, 2, Outcome.ADMIT, OverrideReason.EMERGENCY)
    (result,) = await asyncio.gather(decided, return_exceptions=True)
    assert isinstance(result, Exception)
    assert ADMIT not in gate.bridge.shown
    gate.journal.broken = False
    gate.bridge.broken = True
    again = await gate.desk.override(officer, 2, Outcome.ADMIT, OverrideReason.EMERGENCY)
    assert again == Done(3, opened=False)


async def test_turning_away_shows_stop() -> None:
    gate = Gate()
    officer = await gate.signed_in()
    await gate.lane.serve(a_reading(STRANGER))
    assert gate.journal.entries[-1].outcome is Outcome.REFER
    await gate.desk.override(officer, 2, Outcome.REFUSE, OverrideReason.SAFETY)
    assert gate.bridge.shown[-1] == REFUSE
