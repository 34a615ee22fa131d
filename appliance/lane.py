"""One lane: the walk of a scan from reading to light, and what happens when a step fails."""

from __future__ import annotations

from functools import partial
from typing import Protocol

import msgspec

from admission.credential import UNRECOGNISED, Credential, masked_name
from admission.credentials import parse
from admission.decide import decide
from admission.instant import Instant
from admission.passage import Passage, passage
from admission.ports import Book, Bridge, Clock, Journal, Screen
from admission.reading import Reading
from admission.repeat import Presentations
from admission.rulebook import Rulebook
from admission.signal import OUT_OF_ORDER, Signal, signal_for
from admission.site import Site
from admission.standing import Lookup, Standing
from admission.verdict import LaneState, Outcome, Reason, Verdict
from appliance.inbox import Inbox

FAULT = Verdict(Outcome.REFER, (Reason.FAULT,))
NOT_JOURNALED = Verdict(Outcome.REFER, (Reason.JOURNAL_UNAVAILABLE,))
NOBODY = Standing(Lookup.NOTHING_TO_LOOK_UP)


class Scan(msgspec.Struct, frozen=True):
    """One finished scan, for metrics and the technician's table. Durations in nanoseconds.

    `holder` is masked. `read_ns` counts from the capture to the lane's taking the reading up.
    `journaled` and `reading_to_light_ns` are None where that step failed; the latter counts from
    the frame's capture to the board's acknowledgement.
    """

    lane: str
    reading: Reading
    credential: Credential
    holder: str
    verdict: Verdict
    journaled: int | None
    read_ns: int
    decide_ns: int
    journal_ns: int
    actuate_ns: int
    reading_to_light_ns: int | None


class Observer(Protocol):
    """Whoever wants to know what a lane did. Must return at once."""

    def scanned(self, scan: Scan) -> None:
        """Take note of a finished scan."""
        ...

    def repeated(self, lane: str) -> None:
        """Take note of a further sighting of a code that already has its verdict."""
        ...

    def turned_away(self, lane: str) -> None:
        """Take note of a reading that an out-of-order lane did not serve."""
        ...

    def failed(self, lane: str, step: str, error: Exception) -> None:
        """Take note of a step that raised: `decide`, `journal` or `actuate`."""
        ...


class Lane:
    """One lane of one site. Everything it needs is passed in; it owns nothing but its walk."""

    def __init__(
        self,
        name: str,
        site: Site,
        rulebook: Rulebook,
        *,
        clock: Clock,
        book: Book,
        journal: Journal,
        bridge: Bridge,
        screen: Screen,
        inbox: Inbox,
        presentations: Presentations,
        digest_key: bytes,
        observer: Observer,
    ) -> None:
        self.name = name
        self.inbox = inbox
        self._site = site
        self._rulebook = rulebook
        self._clock = clock
        self._book = book
        self._journal = journal
        self._bridge = bridge
        self._screen = screen
        self._presentations = presentations
        self._observer = observer
        self._announced: LaneState | None = None
        self._passage = partial(
            passage, site=site, lane=name, rulebook=rulebook.label, digest_key=digest_key
        )

    @property
    def state(self) -> LaneState:
        """Whether the lane serves: it does not while its board is silent."""
        return LaneState.OPEN if self._bridge.alive else LaneState.OUT_OF_ORDER

    async def run(self) -> None:
        """Serve readings until the inbox is closed and empty.

        One verdict per presentation, however many sightings.
        """
        while reading := await self.inbox.next():
            if self.state is LaneState.OUT_OF_ORDER:
                self._observer.turned_away(self.name)
            elif self._presentations.admit_sighting(reading.text, reading.captured_ns):
                await self.serve(reading)
            else:
                self._observer.repeated(self.name)

    async def serve(self, reading: Reading) -> Verdict:
        """Walk one reading to its light; return the verdict that was given. Never raises."""
        now = self._clock.now()
        credential, standing, verdict = self._judge(reading, now)
        decided = self._clock.now()

        entry = self._passage(reading, credential, standing, verdict, now)
        sequence = await self._append(entry)
        if sequence is None:
            verdict = NOT_JOURNALED  # the gate never moves without an entry
        durable = self._clock.now()

        shown = await self._show(OUT_OF_ORDER if sequence is None else signal_for(verdict))
        lit = self._clock.now()
        holder = _masked_holder(credential)
        self._screen.publish(self.name, verdict, holder)

        self._observer.scanned(
            Scan(
                lane=self.name,
                reading=reading,
                credential=credential,
                holder=holder,
                verdict=verdict,
                journaled=sequence,
                read_ns=now.monotonic_ns - reading.captured_ns,
                decide_ns=decided.monotonic_ns - now.monotonic_ns,
                journal_ns=durable.monotonic_ns - decided.monotonic_ns,
                actuate_ns=lit.monotonic_ns - durable.monotonic_ns,
                reading_to_light_ns=lit.monotonic_ns - reading.captured_ns if shown else None,
            )
        )
        return verdict

    def announce_state(self) -> None:
        """Tell the screen whether the lane serves, if that changed since the last call."""
        if self.state is not self._announced:
            self._announced = self.state
            self._screen.lane_state(self.name, self._announced)

    def _judge(self, reading: Reading, now: Instant) -> tuple[Credential, Standing, Verdict]:
        credential, standing = UNRECOGNISED, NOBODY
        try:
            credential = parse(reading)
            standing = self._book.standing_of(credential, now)
            verdict = decide(credential, standing, self._rulebook, self._site, now)
        except Exception as error:  # noqa: BLE001 - whatever fails here, a person stands in front
            self._observer.failed(self.name, "decide", error)
            return credential, standing, FAULT
        return credential, standing, verdict

    async def _append(self, entry: Passage) -> int | None:
        try:
            return await self._journal.append(entry)
        except Exception as error:  # noqa: BLE001 - a full or broken disk holds the lane, not the daemon
            self._observer.failed(self.name, "journal", error)
            return None

    async def _show(self, signal: Signal) -> bool:
        try:
            await self._bridge.show(signal)
        except Exception as error:  # noqa: BLE001 - a silent board puts the lane out of order
            self._observer.failed(self.name, "actuate", error)
            return False
        return True


def _masked_holder(credential: Credential) -> str:
    return masked_name(credential.holder.name) if credential.holder else ""
