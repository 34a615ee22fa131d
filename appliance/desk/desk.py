"""The officer's desk: takes note of what lanes do, lets an officer act on it, blocks no lane."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol

import msgspec

from admission.badge import officer_of
from admission.credential import Credential
from admission.instant import Instant
from admission.officer import (
    CorrectionTopic,
    OverrideReason,
    correction,
    overridden,
    reasons_for,
)
from admission.passage import Passage
from admission.ports import Book, Clock, Journal
from admission.site import Site
from admission.standing import Officer
from admission.verdict import Outcome, Reason
from admission.zone import Zone
from appliance.desk.counting import Counting
from appliance.desk.refusal import DeskRefusalError, Refusal
from appliance.desk.register import Decided, Listed, Register
from appliance.desk.sessions import Session, Sessions
from appliance.judging import Tokens
from appliance.observation import Happening, Scan


class Acted(Protocol):
    """What became of a decision."""

    @property
    def sequence(self) -> int | None:
        """Its entry, or None: then it is not in the journal and the gate did not move."""
        ...

    @property
    def lit(self) -> bool:
        """Whether the board acknowledged."""
        ...


class DecidingLane(Protocol):
    """What the desk needs of a lane."""

    async def decided(self, entry: Passage, holder: str) -> Acted:
        """Journal an officer's decision, then show it on the lane's board and screen."""
        ...


class Done(msgspec.Struct, frozen=True):
    """What the officer is told of an act. `opened` says whether the board did it."""

    sequence: int
    opened: bool = True


class Desk:
    """An observer of lanes, and what the desk's page asks. Lives on one loop.

    :param random_bytes: secret randomness, such as `os.urandom`.
    :param idle_s: an open session ends after so long without a touch.
    :param override_s: for so long after a verdict an officer may decide otherwise.
    """

    def __init__(
        self,
        site: Site,
        lanes: Iterable[str],
        *,
        clock: Clock,
        book: Book,
        journal: Journal,
        zone: Zone,
        tokens: Tokens,
        random_bytes: Callable[[int], bytes],
        idle_s: float,
        override_s: float,
    ) -> None:
        self.site = site
        self.sessions = Sessions(lanes, random_bytes=random_bytes, idle_ns=int(idle_s * 1e9))
        self.register = Register()
        self.counting = Counting(zone, site, clock=clock, journal=journal)
        self.override_ns = int(override_s * 1e9)
        self.version = 1
        self._clock = clock
        self._book = book
        self._journal = journal
        self._tokens = tokens
        self._lanes: Mapping[str, DecidingLane] = {}
        self._changed = asyncio.Event()
        self._acts: set[asyncio.Future[Done]] = set()
        self._closed = False

    def serve_lanes(self, lanes: Mapping[str, DecidingLane]) -> None:
        """Say which lanes carry decisions out, by name."""
        self._lanes = dict(lanes)

    def now(self) -> Instant:
        """Return the present moment."""
        return self._clock.now()

    def scanned(self, scan: Scan) -> None:
        """Take a finished scan in; an officer's badge signs in who waits for it at this lane."""
        if scan.judged.reason is Reason.OFFICER_IDENTIFIED:
            self._badge(scan)
        else:
            self.register.take(scan, self.now().wall_ns)
        self._tell()

    def repeated(self, lane: str) -> None:
        """Nothing is new."""

    def turned_away(self, lane: str) -> None:
        """Nothing is noted: the lane is out of order, and its screen says so."""

    def happened(self, happening: Happening) -> None:
        """Take an alarm in that stands in the journal: the others were too many to be told."""
        if happening.alert is not None and happening.sequence is not None:
            self.register.told(happening, self.now())
            self._tell()

    def failed(self, lane: str, step: str, error: Exception) -> None:
        """Nothing is noted: the scan's end tells."""

    def sign_in(self, lane: str, cookie: str) -> tuple[str, Session]:
        """Let a page wait for a badge at a lane; see `Sessions.begin`.

        :raises DeskRefusalError: if it may not.
        """
        begun = self.sessions.begin(lane, self.now().monotonic_ns, cookie=cookie)
        self._tell()
        return begun

    def sign_out(self, cookie: str) -> None:
        """End a session, or a wait for a badge."""
        self.sessions.end(cookie)
        self._tell()

    def session(self, cookie: str) -> Session | None:
        """Return the session of this cookie, if it still counts.

        The badge is judged anew: whoever is no officer any more is signed out.
        """
        now = self.now()
        session = self.sessions.find(cookie, now.monotonic_ns)
        if session is None or session.badge is None:
            return session
        session.officer = self._officer(session.badge, now)
        if session.officer is None:
            self.sign_out(cookie)
            return None
        return session

    async def override(
        self, officer: Officer, sequence: int, outcome: Outcome, reason: OverrideReason
    ) -> Done:
        """Decide otherwise than the gate: the entry first, then light and gate.

        :raises DeskRefusalError: if it cannot be; then nothing has changed.
        """
        listed, entry = self._held(sequence)
        refusal = self._against(listed, outcome, reason)
        if refusal is not None:
            raise DeskRefusalError(refusal)
        now = self.now()
        decision = self._of_now(
            overridden(entry, sequence, outcome, reason, officer=officer, now=now), now
        )
        listed.deciding = True  # from here on a second officer is told so
        return await self._finished(self._carry_out(listed, decision, reason, officer))

    async def correct(self, officer: Officer, sequence: int, topic: CorrectionTopic) -> Done:
        """Ask for a record to be corrected: an entry that travels to the hub with the others.

        :raises DeskRefusalError: if it cannot be; then nothing has changed.
        """
        listed, entry = self._held(sequence)
        if entry.person is None:
            raise DeskRefusalError(Refusal.NOBODY_NAMED)
        if topic in listed.corrections:
            raise DeskRefusalError(Refusal.ASKED_ALREADY)
        now = self.now()
        wanted = self._of_now(correction(entry, sequence, topic, officer=officer, now=now), now)
        listed.corrections[topic] = 0  # from here on a second officer is told so
        return await self._finished(self._pass_on(listed, wanted, topic))

    async def recount(self, officer: Officer, lane: str, inside: int, workers: int) -> Done:
        """State how many are inside; see `Counting.correct`.

        :raises DeskRefusalError: if it cannot be; then nothing has changed.
        """
        return await self._finished(self._recount(officer, lane, inside, workers))

    def may_decide(self, listed: Listed, now_ns: int) -> tuple[Outcome, ...]:
        """Return what an officer may still decide of a verdict."""
        late = now_ns - listed.at_ns > self.override_ns
        if listed.entry is None or listed.decided or listed.deciding or late:
            return ()
        return tuple(
            outcome
            for outcome in (Outcome.ADMIT, Outcome.REFUSE)
            if outcome is not listed.shown.outcome
        )

    async def changed(self, after: int, wait_s: float) -> None:
        """Return once there is something newer than version `after`, or after `wait_s`."""
        if after == self.version and not self._closed:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()

    def close(self) -> None:
        """Let every waiting page go."""
        self._closed = True
        self._changed.set()

    def _held(self, sequence: int) -> tuple[Listed, Passage]:
        listed = self.register.find(sequence)
        if listed is None or listed.entry is None:
            raise DeskRefusalError(Refusal.VERDICT_GONE)
        return listed, listed.entry

    def _of_now(self, act: Passage, now: Instant) -> Passage:
        """Return an act with the token of now: the scan's may be of the key before the reset."""
        if act.token is None:
            return act
        token = self._tokens.token(act.person, act.code_digest, now)
        return msgspec.structs.replace(act, token=token)

    def _against(self, listed: Listed, outcome: Outcome, reason: OverrideReason) -> Refusal | None:
        if reason not in reasons_for(outcome):
            return Refusal.MALFORMED
        if listed.decided or listed.deciding:
            return Refusal.DECIDED_ALREADY
        if self.now().monotonic_ns - listed.at_ns > self.override_ns:
            return Refusal.TOO_LATE
        return Refusal.NOTHING_TO_DECIDE if outcome is listed.shown.outcome else None

    async def _carry_out(
        self, listed: Listed, decision: Passage, reason: OverrideReason, officer: Officer
    ) -> Done:
        try:
            acted = await self._lanes[listed.lane].decided(decision, listed.holder)
            if acted.sequence is None:
                raise DeskRefusalError(Refusal.NOT_JOURNALED)
            listed.decided = Decided(
                acted.sequence, decision.outcome, reason, officer.number, acted.lit
            )
        finally:
            listed.deciding = False
            self._tell()
        return Done(acted.sequence, acted.lit)

    async def _pass_on(self, listed: Listed, wanted: Passage, topic: CorrectionTopic) -> Done:
        try:
            kept = await self._journal.append(wanted)
        except Exception as error:
            del listed.corrections[topic]
            raise DeskRefusalError(Refusal.NOT_JOURNALED) from error
        listed.corrections[topic] = kept
        self._tell()
        return Done(kept)

    async def _recount(self, officer: Officer, lane: str, inside: int, workers: int) -> Done:
        kept = await self.counting.correct(officer, lane, inside, workers)
        self._tell()
        return Done(kept)

    async def _finished(self, act: Coroutine[Any, Any, Done]) -> Done:
        """Return the act's result; it goes on to its end if the page that asked goes away."""
        task = asyncio.ensure_future(act)
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)
        return await asyncio.shield(task)

    def _badge(self, scan: Scan) -> None:
        now = self.now()
        officer = self._officer(scan.credential, now)
        # Without an entry nobody signs in: who acted here must be known afterwards.
        if officer is not None and scan.sequence is not None:
            self.sessions.badge(scan.lane, officer, scan.credential, now.monotonic_ns)

    def _officer(self, badge: Credential, now: Instant) -> Officer | None:
        return officer_of(badge, self._book.standing_of(badge, now), self.site, now)

    def _tell(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()
