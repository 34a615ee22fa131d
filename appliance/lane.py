"""One lane: the walk of a scan from reading to light, and what happens when a step fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from admission.credential import Credential, masked_name
from admission.instant import Instant
from admission.passage import Passage
from admission.people import Token
from admission.ports import Bridge, Clock, Screen
from admission.reading import Reading
from admission.repeat import Presentations
from admission.signal import ADMIT, ALARM, LAMPS, OUT_OF_ORDER, REFER, Signal, signal_for
from admission.site import Direction
from admission.verdict import LaneState, Outcome, Reason, Verdict
from admission.zone import Zone, token_of
from appliance.alarm import Alarm
from appliance.entry_log import EntryLog, Written
from appliance.gate_watch import GateWatch
from appliance.inbox import Inbox
from appliance.judging import FAULT, Judge, Judgement
from appliance.observation import Act, Observer, Scan
from appliance.obstacles import obstacle_of

NOT_JOURNALED = Verdict(Outcome.REFER, (Reason.JOURNAL_UNAVAILABLE,))
ALARMED = Verdict(Outcome.REFER, (Reason.GATE_ALARM,))
MISSES = 3
"""So many signals in a row that were not shown are no accident of the cable."""
_NS = 1_000_000_000
_GREEN_NS = max(p.length_ms for p in ADMIT.pulses if p.output in LAMPS) * 1_000_000
"""How long people are shown that they may go."""


class Lane:
    """One lane of one site. Everything it needs is passed in; it owns nothing but its walk.

    :param judge: says what to answer; its direction is the lane's.
    :param zone: told who passed; shared by all lanes of the appliance.
    :param log: writes entries down; its failures have been told when it returns.
    :param can_read: whether any source of the lane of this name is up.
    :param can_open: whether the board would open the gate: no stop is pressed, and it is ready.
    :param watch: writes down what the board tells of the gate; run by the lane.
    :param tuned: how this lane shows a signal: by its own gate, and quietly at night.
    """

    def __init__(
        self,
        name: str,
        judge: Judge,
        *,
        zone: Zone,
        clock: Clock,
        log: EntryLog,
        bridge: Bridge,
        screen: Screen,
        inbox: Inbox,
        presentations: Presentations,
        observer: Observer,
        can_read: Callable[[str], bool] = lambda _: True,
        can_open: Callable[[], bool] = lambda: True,
        watch: GateWatch | None = None,
        tuned: Callable[[Signal], Signal] = lambda signal: signal,
    ) -> None:
        self.name = name
        self.inbox = inbox
        self._judge = judge
        self._zone = zone
        self._clock = clock
        self._log = log
        self._bridge = bridge
        self._screen = screen
        self._presentations = presentations
        self._observer = observer
        self._can_read = can_read
        self._can_open = can_open
        self._watch = watch
        self._tuned = tuned
        self._announced: LaneState | None = None
        self._turn = asyncio.Lock()
        self._alarm = Alarm()
        self._green_until_ns = 0
        self.unshown: Exception | None = None
        """Why none of the last signals was shown: a board's heart may beat on, and nothing else."""
        self._misses = 0

    @property
    def direction(self) -> Direction:
        """Which way people pass here."""
        return self._judge.direction

    @property
    def serving(self) -> bool:
        """Whether somebody is being served at this moment."""
        return self._turn.locked()

    @property
    def alarms_unseen(self) -> int:
        """How often the alarm's light was not shown in time."""
        return self._alarm.missed

    @property
    def state(self) -> LaneState:
        """Whether the lane serves: its board answers and would open, and something can read."""
        serves = self._bridge.alive and self._can_open() and self._can_read(self.name)
        return LaneState.OPEN if serves else LaneState.OUT_OF_ORDER

    async def run(self) -> None:
        """Serve readings until the inbox is closed and empty; write down what the gate tells.

        One verdict per presentation, however many sightings.
        """
        async with asyncio.TaskGroup() as group:
            alarm = group.create_task(self._alarm.run(self.alarm))
            if self._watch is not None:
                self._watch.alarmed = self._alarm.ring
                group.create_task(self._watch.run())
            await self._serve_all()
            if self._watch is not None:
                self._watch.close()
            alarm.cancel()

    async def _serve_all(self) -> None:
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
        async with self._turn:
            return await self._serve(reading)

    async def decided(self, entry: Passage, holder: str) -> Act:
        """Carry out an officer's decision: its entry, then light and gate, screen and zone.

        Never raises. Waits for its turn: two lights never run into each other.

        :param entry: what the officer decided, of this lane (`Event.OVERRIDE`).
        :param holder: the masked name that the first verdict showed.
        """
        verdict = Verdict(entry.outcome, entry.reasons or (Reason.OVERRIDDEN,), entry.card)
        async with self._turn:
            with self._reserved(verdict, token_of(entry), worker=entry.worker):
                began = self._clock.now()
                written = await self._log.write(entry)
                shown, lit = await self._shown(verdict, written, entry)
                self._screen.publish(self.name, shown, holder)
                self._log.lit(written, verdict.outcome, lit=lit, began=began, now=self._clock.now())
                self._note(entry, written, shown)
        return Act(written.sequence, lit)

    async def alarm(self) -> bool:
        """Show the alarm's light, and on the screen what it is for; return whether it was lit.

        Waits for its turn, and for the green of whoever was admitted last to end: it is not taken
        away by what somebody else did.
        """
        while True:
            async with self._turn:
                left_ns = self._green_until_ns - self._clock.now().monotonic_ns
                if left_ns <= 0:
                    self._screen.publish(self.name, ALARMED, "")
                    return await self._light(ALARM) is None
            await asyncio.sleep(left_ns / _NS)

    def announce_state(self) -> None:
        """Tell the screen whether the lane serves, if that changed since the last call."""
        if self.state is not self._announced:
            self._announced = self.state
            self._screen.lane_state(self.name, self._announced)

    async def _serve(self, reading: Reading) -> Verdict:
        began = self._clock.now()
        judgement = self._judge.judge(reading, began)
        if judgement.error is not None:
            self._observer.failed(self.name, "decide", judgement.error)
        decided = self._clock.now()

        shown, entry = FAULT, self._entry(reading, judgement, began)
        try:
            with self._reserved(judgement.verdict, judgement.token, worker=judgement.worker):
                written = await self._log.write(entry)  # durable before the gate moves
                durable = self._clock.now()
                shown, lit = await self._shown(judgement.verdict, written, entry)
                acknowledged = self._clock.now()
                judged = judgement.verdict.outcome
                self._log.lit(written, judged, lit=lit, began=began, now=acknowledged)
                if entry is not None:
                    self._note(entry, written, shown)
        finally:
            if shown.outcome is not Outcome.ADMIT:
                self._judge.give_back(judgement)
        self._screen.publish(self.name, shown, _masked_holder(judgement.credential))
        self._observer.scanned(
            Scan(
                lane=self.name,
                reading=reading,
                credential=judgement.credential,
                judged=judgement.verdict,
                sequence=written.sequence,
                shown=shown,
                lit=lit,
                stamps_ns=(
                    began.monotonic_ns,
                    decided.monotonic_ns,
                    durable.monotonic_ns,
                    acknowledged.monotonic_ns,
                ),
                entry=entry,
                officer=judgement.standing.officer,
            )
        )
        return shown

    def _entry(self, reading: Reading, judgement: Judgement, now: Instant) -> Passage | None:
        try:
            return self._judge.entry(reading, judgement, now)
        except Exception as error:  # noqa: BLE001 - what cannot be written down opens no gate
            self._observer.failed(self.name, "journal", error)
            return None

    async def _shown(
        self, verdict: Verdict, written: Written, entry: Passage | None
    ) -> tuple[Verdict, bool]:
        """Light the verdict; return what people are to be told, and whether the board answered."""
        told = verdict if written.may_act else NOT_JOURNALED
        signal = signal_for(told) if written.may_act else OUT_OF_ORDER
        admits = told.outcome is Outcome.ADMIT
        sequence = (written.sequence or 0) if admits else 0
        if self._watch is not None and entry is not None and sequence:
            self._watch.admitted(entry, sequence)  # the board may tell of it before it answers
        obstacle = await self._light(signal, entry=sequence)
        if obstacle is None and admits:
            self._green_until_ns = self._clock.now().monotonic_ns + _GREEN_NS
        if obstacle is None or not admits:
            return told, obstacle is None
        if obstacle is not Reason.FAULT:
            await self._light(REFER)  # the board answers: whoever waits is to see that they wait
        # Nobody is to be waved through a gate that did not open.
        return Verdict(Outcome.REFER, (obstacle,)), False

    async def _light(self, signal: Signal, *, entry: int = 0) -> Reason | None:
        """Show a signal; return why the board did not, None if it did."""
        try:
            await self._bridge.show(self._tuned(signal), entry=entry)
        except Exception as error:  # noqa: BLE001 - a silent board puts the lane out of order
            self._observer.failed(self.name, "actuate", error)
            obstacle = obstacle_of(error)
            self._misses = self._misses + 1 if obstacle is Reason.FAULT else 0
            self.unshown = error if self._misses >= MISSES else None
            return obstacle
        self._misses, self.unshown = 0, None
        return None

    @contextmanager
    def _reserved(self, verdict: Verdict, token: Token | None, *, worker: bool) -> Iterator[None]:
        """Count whoever is being admitted, until the light says whether they pass."""
        if verdict.outcome is not Outcome.ADMIT:
            yield
            return
        self._zone.reserve(token, self.direction, worker=worker)
        try:
            yield
        finally:
            self._zone.release(token, self.direction, worker=worker)

    def _note(self, entry: Passage, written: Written, shown: Verdict) -> None:
        """Tell the zone of what people were shown."""
        if not written.may_act:
            return
        token, now, sequence = token_of(entry), self._clock.now(), written.sequence or 0
        if shown.outcome is Outcome.ADMIT:
            self._zone.passed(
                token, entry.direction, worker=entry.worker, now=now, sequence=sequence
            )
        elif entry.outcome is not Outcome.ADMIT and entry.about is not None:
            self._zone.turned_back(token, entry.direction, entry.about, now)


def _masked_holder(credential: Credential) -> str:
    return masked_name(credential.holder.name) if credential.holder else ""
