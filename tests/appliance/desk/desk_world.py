"""A desk with doors in memory: lanes that journal and light, badges, and scans to show it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from admission.credential import (
    UNRECOGNISED,
    Credential,
    CredentialKind,
    Doubt,
    Holder,
    Pass,
    PassKind,
    Proof,
    Signature,
)
from admission.identity import PersonKey
from admission.instant import Instant
from admission.passage import Passage, passage
from admission.reset import DailyReset
from admission.site import Demands, Site
from admission.standing import CredentialStatus, Lookup, Officer, Release, Standing
from admission.verdict import Alert, Outcome, Reason, Verdict
from admission.zone import Zone
from appliance.desk.desk import Desk
from appliance.observation import Scan
from tests.doors import BrokenDoorError, MemoryJournal, MemoryTokens
from tests.worlds import VIETNAM, ManualClock, a_reading, a_site

SITE = msgspec.structs.replace(
    a_site(), name="Chốt Cầu Rạch Miễu", district_code=760, demands=Demands(capacity=120)
)
IDENTIFIED = Verdict(Outcome.REFER, (Reason.OFFICER_IDENTIFIED,))
REFUSED = Verdict(Outcome.REFUSE, (Reason.PERMIT_EXPIRED,))
REFERRED = Verdict(Outcome.REFER, (Reason.NO_RECORD,))
ADMITTED = Verdict(Outcome.ADMIT, (Reason.CARD_OPENS,))
ISOLATED = Verdict(Outcome.REFUSE, (Reason.SEE_OFFICER,), alerts=(Alert.ISOLATION,))


class Acted(NamedTuple):
    sequence: int | None
    lit: bool


class MemoryLane:
    """Carries decisions out in memory. Not `lit`, its board is silent."""

    def __init__(self, journal: MemoryJournal) -> None:
        self.journal = journal
        self.lit = True
        self.decisions: list[tuple[Passage, str]] = []

    async def decided(self, entry: Passage, holder: str) -> Acted:
        try:
            sequence = await self.journal.append(entry)
        except BrokenDoorError:
            return Acted(None, lit=False)
        self.decisions.append((entry, holder))
        return Acted(sequence, self.lit)


class OfficersBook:
    """Knows officers by the first byte of their badge's number."""

    def __init__(self) -> None:
        self.officers: dict[int, Officer] = {
            n: Officer(CredentialStatus.ACTIVE, 4000 + n) for n in range(1, 40)
        }

    def standing_of(
        self, credential: Credential, now: Instant, *, permits: bool = True
    ) -> Standing:
        granted = credential.granted
        return Standing(
            Lookup.NOT_FOUND,
            PersonKey(7),
            release=Release(1, now.wall_ns, now.wall_ns + 10**12),
            officer=self.officers.get(granted.number[0]) if granted else None,
        )


def a_badge(number: int = 1, signature: Signature = Signature.VALID) -> Credential:
    return Credential(
        CredentialKind.CHOT_PASS,
        holder=Holder("TRAN THI BINH"),
        proof=Proof(signature),
        granted=Pass(PassKind.OFFICER, bytes([number])),
    )


class DeskWorld:
    """One desk over two lanes; `scan` and `badge` are what happens at them."""

    def __init__(self, *, idle_s: float = 600, override_s: float = 120, site: Site = SITE) -> None:
        self.clock = ManualClock()
        self.journal = MemoryJournal()
        self.book = OfficersBook()
        self.zone = Zone(DailyReset(4 * 60, VIETNAM))
        self.tokens = MemoryTokens()
        self.lanes = {name: MemoryLane(self.journal) for name in ("gate-1", "gate-2")}
        self._drawn = 0
        self.desk = Desk(
            site,
            self.lanes,
            clock=self.clock,
            book=self.book,
            journal=self.journal,
            zone=self.zone,
            tokens=self.tokens,
            random_bytes=self._draw,
            idle_s=idle_s,
            override_s=override_s,
        )
        self.desk.serve_lanes(self.lanes)

    def _draw(self, count: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(count, "big")

    def scan(
        self,
        verdict: Verdict = REFUSED,
        *,
        name: str = "NGUYEN VAN AN",
        lane: str = "gate-1",
        credential: Credential | None = None,
        person: int | None = 99,
        journaled: bool = True,
        doubts: tuple[Doubt, ...] = (),
    ) -> int:
        """Tell the desk of a scan; return its sequence."""
        if credential is None:
            known = Credential(CredentialKind.PERSONAL_QR, holder=Holder(name), doubts=doubts)
            credential = known if name else UNRECOGNISED
        now = self.clock.now()
        entry = passage(
            a_reading("text"),
            credential,
            Standing(Lookup.NOT_FOUND, None if person is None else PersonKey(person)),
            verdict,
            now,
            site=SITE,
            lane=lane,
            rulebook="r@1",
            digest_key=b"k" * 32,
            token=None if person is None else self.tokens.token(person, b"", now),
        )
        if journaled:
            self.journal.entries.append(entry)
        sequence = len(self.journal.entries)
        self.desk.scanned(
            Scan(
                lane=lane,
                reading=a_reading("text"),
                credential=credential,
                judged=verdict,
                sequence=sequence if journaled else None,
                shown=verdict,
                lit=True,
                stamps_ns=(now.monotonic_ns,) * 4,
                entry=entry,
            )
        )
        return sequence

    def badge(
        self, number: int = 1, *, lane: str = "gate-1", verdict: Verdict = IDENTIFIED
    ) -> None:
        """Hold an officer's badge to a lane's reader."""
        self.scan(verdict, lane=lane, credential=a_badge(number))

    def signed_in(self, number: int = 1, lane: str = "gate-1") -> str:
        """Sign an officer in; return the page's cookie."""
        cookie, _ = self.desk.sign_in(lane, "")
        self.badge(number, lane=lane)
        return cookie
