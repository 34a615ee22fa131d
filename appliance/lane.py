"""One lane: the walk of a scan from reading to light, and what happens when a step fails."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec

from admission.credential import UNRECOGNISED, Credential, masked_name
from admission.credentials import parse
from admission.decide import decide
from admission.instant import Instant
from admission.passage import passage
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
NOBODY_LOOKED_UP = Standing(Lookup.NOTHING_TO_LOOK_UP)


class Judgement(msgspec.Struct, frozen=True):
    """What one reading says, what is known of it, and the answer."""

    credential: Credential
    standing: Standing
    verdict: Verdict


class Scan(msgspec.Struct, frozen=True):
    """One finished scan, for metrics and the technician's table. Durations in nanoseconds.

    `judged` is the law's verdict, which stands in the journal under `sequence`, or nowhere if that
    is None; `shown` is what people were told. `lit` says that the board has acknowledged.
    `stamps_ns` were taken when the lane took the reading up, had judged it, had its entry durable,
    and had its light.
    """

    lane: str
    reading: Reading
    credential: Credential
    judged: Verdict
    sequence: int | None
    shown: Verdict
    lit: bool
    stamps_ns: tuple[int, int, int, int]

    @property
    def read_ns(self) -> int:
        """From the capture to the lane's taking the reading up: decoding and queueing."""
        return self.stamps_ns[0] - self.reading.captured_ns

    @property
    def decide_ns(self) -> int:
        """Parsing, looking up, deciding."""
        return self.stamps_ns[1] - self.stamps_ns[0]

    @property
    def journal_ns(self) -> int:
        """Until the entry was durable, or had failed."""
        return self.stamps_ns[2] - self.stamps_ns[1]

    @property
    def actuate_ns(self) -> int:
        """Until the board had acknowledged, or had failed to."""
        return self.stamps_ns[3] - self.stamps_ns[2]

    @property
    def reading_to_light_ns(self) -> int | None:
        """From the frame's capture to the board's acknowledgement; None without a light."""
        return self.stamps_ns[3] - self.reading.captured_ns if self.lit else None


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
    """One lane of one site. Everything it needs is passed in; it owns nothing but its walk.

    :param can_read: whether any source of the lane of this name is up.
    """

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
        can_read: Callable[[str], bool] = lambda _: True,
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
        self._can_read = can_read
        self._announced: LaneState | None = None
        self._passage = partial(
            passage, site=site, lane=name, rulebook=rulebook.label, digest_key=digest_key
        )

    @property
    def state(self) -> LaneState:
        """Whether the lane serves: its board answers, and something can read codes."""
        serves = self._bridge.alive and self._can_read(self.name)
        return LaneState.OPEN if serves else LaneState.OUT_OF_ORDER

    async def run(self) -> None:
        """Serve readings until the inbox is closed and empty.

        One verdict per presentation, however many sightings.
        """
        while reading := await self.inbox.next():
            if not self._bridge.alive:  # a lost scanner is no reason: what it read is served
                self._observer.turned_away(self.name)
            elif self._presentations.begins_presentation(reading.text, reading.captured_ns):
                await self.serve(reading)
            else:
                self._observer.repeated(self.name)

    async def serve(self, reading: Reading) -> Verdict:
        """Walk one reading to its light; return the verdict that people were shown.

        Whatever fails in judging, in the journal or on the board ends in REFER, never in an error.
        """
        began = self._clock.now()
        judgement = self._judge(reading, began)
        decided = self._clock.now()

        sequence = await self._append(reading, judgement, began)  # durable before the gate moves
        durable = self._clock.now()

        verdict = NOT_JOURNALED if sequence is None else judgement.verdict
        lit = await self._show(OUT_OF_ORDER if sequence is None else signal_for(verdict))
        acknowledged = self._clock.now()

        if not lit and verdict.outcome is Outcome.ADMIT:
            verdict = FAULT  # nobody is to be waved through a gate that did not open
        self._screen.publish(self.name, verdict, _masked_holder(judgement.credential))
        self._observer.scanned(
            Scan(
                lane=self.name,
                reading=reading,
                credential=judgement.credential,
                judged=judgement.verdict,
                sequence=sequence,
                shown=verdict,
                lit=lit,
                stamps_ns=(
                    began.monotonic_ns,
                    decided.monotonic_ns,
                    durable.monotonic_ns,
                    acknowledged.monotonic_ns,
                ),
            )
        )
        return verdict

    def announce_state(self) -> None:
        """Tell the screen whether the lane serves, if that changed since the last call."""
        if self.state is not self._announced:
            self._announced = self.state
            self._screen.lane_state(self.name, self._announced)

    def _judge(self, reading: Reading, now: Instant) -> Judgement:
        credential, standing = UNRECOGNISED, NOBODY_LOOKED_UP
        try:
            credential = parse(reading)
            standing = self._book.standing_of(credential, now)
            verdict = decide(credential, standing, self._rulebook, self._site, now)
        except Exception as error:  # noqa: BLE001 - whatever fails here, a person stands in front
            self._observer.failed(self.name, "decide", error)
            verdict = FAULT
        return Judgement(credential, standing, verdict)

    async def _append(self, reading: Reading, judgement: Judgement, now: Instant) -> int | None:
        try:
            entry = self._passage(
                reading, judgement.credential, judgement.standing, judgement.verdict, now
            )
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
