"""What a lane's board tells of its gate, written down: who passed, who did not, who was not to."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable

from admission.gate import GateOutcome, Input, Side
from admission.incident import BEHIND, LOST, alert_of, change_note, incident, unlisted_note
from admission.journal_record import FollowupKind
from admission.passage import Event, Passage
from admission.ports import Clock
from admission.site import Direction, Site
from admission.verdict import Alert
from admission.zone import Zone
from appliance.admissions import Admissions, Admitted
from appliance.entry_log import NOTHING_WRITTEN, EntryLog
from appliance.event_pace import EventPace
from appliance.observation import UNBELIEVED, Happening, Observer
from firmware_bridge.link.messages import BoardEvent, GateEvent, InputEvent

MAX_WAITING = 64
"""Events that wait for the journal. A board holds twelve and sends one at a time."""
LIST_S = 10.0
"""How long events without an entry of their own are gathered before they are listed."""
LIGHTS = frozenset({Alert.FORCED, Alert.TAILGATED, Alert.TAMPER})
"""What the lane's alarm light is for. Fire and stop have signals of their own in any building."""
_CHANGES = {Input.TAMPER: Event.TAMPER, Input.FIRE: Event.FIRE, Input.STOP: Event.STOP}
_ENDINGS = {
    GateOutcome.PASSED: FollowupKind.PASSED,
    GateOutcome.NOT_PASSED: FollowupKind.NOT_PASSED,
}
_TAILGATED = GateOutcome.TAILGATED.name.lower()


class GateWatch:
    """Takes the events of one lane's gate in, in order, and never waits for anybody meanwhile.

    What belongs to an admission follows on its entry, what belongs to none is an entry of its own.
    Nothing is dropped without being counted: an event that is not written down singly is in the
    next `Event.UNLISTED` entry.

    The zone takes a passage back of which the board says that nobody went through. It learns
    nothing of people whom nobody admitted (`admission.incident`).

    :param side: which of the gate's sides is this lane's, in `direction`.
    :param alarmed: called with each event for which the lane's alarm light is.
    """

    def __init__(
        self,
        lane: str,
        site: Site,
        *,
        log: EntryLog,
        zone: Zone,
        clock: Clock,
        admissions: Admissions,
        observer: Observer,
        pace: EventPace,
        direction: Direction,
        side: Side = Side.A,
        alarmed: Callable[[], None] = lambda: None,
        list_s: float = LIST_S,
    ) -> None:
        self._lane = lane
        self._site = site
        self._log = log
        self._zone = zone
        self._clock = clock
        self._admissions = admissions
        self._observer = observer
        self._pace = pace
        self._direction = direction
        self._side = side
        self.alarmed = alarmed
        self._list_s = list_s
        self._waiting: deque[tuple[BoardEvent, asyncio.Future[None]]] = deque()
        self._unlisted: Counter[str] = Counter()
        self._last: dict[str, tuple[Event, str, Direction]] = {}
        self._list_ns = 0
        self._news = asyncio.Event()
        self._closed = False

    def admitted(self, entry: Passage, sequence: int) -> None:
        """Take note of an admission that the board is about to be told of."""
        self._admissions.admitted(entry, sequence)

    def sensed(self, event: BoardEvent) -> asyncio.Future[None] | None:
        """Take an event of the board in. Returns at once.

        The future is done when the event stands in the journal or is counted for a later entry: the
        board keeps it until then. None where there is nothing to wait for.
        """
        self._news.set()
        if len(self._waiting) >= MAX_WAITING:
            self._lost(1 + event.lost)
            return None
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((event, kept))
        return kept

    def close(self) -> None:
        """Let `run` end once everything that was taken in is written down."""
        self._closed = True
        self._news.set()

    async def run(self) -> None:
        """Write down what was taken in, until `close`. Journal failures are the log's matter."""
        while True:
            overdue = await self._something()
            while self._waiting:
                event, kept = self._waiting.popleft()
                await self._take(event)
                await self._log.stand()  # a board that is told so forgets the event
                if not kept.done():
                    kept.set_result(None)
            if self._unlisted and (self._closed or overdue or self._now_ns() >= self._list_ns):
                await self._list()
            if self._closed and not self._waiting:
                return

    async def _something(self) -> bool:
        """Return once there is news, or, True, once what is not listed has waited long enough."""
        try:
            async with asyncio.timeout(self._list_s if self._unlisted else None):
                await self._news.wait()
        except TimeoutError:
            return True
        self._news.clear()
        return False

    async def _take(self, event: BoardEvent) -> None:
        if event.lost:
            self._lost(event.lost)
        match event:
            case GateEvent(outcome=GateOutcome.FORCED):
                await self._write(Event.FORCED, "", self._way(event.side))
            case GateEvent():
                await self._follow(event)
            case InputEvent(input=Input.TAMPER | Input.FIRE | Input.STOP as changed):
                kind = _CHANGES[changed]
                note = change_note(kind, active=bool(event.value))
                await self._write(kind, note, self._direction)

    async def _follow(self, event: GateEvent) -> None:
        """Write down how an admission went on, if it is one."""
        kind = event.outcome.name.lower()
        admitted = await self._admissions.find(event.entry)
        if event.outcome is GateOutcome.TAILGATED:
            await self._tailgated(event, admitted)
        elif not event.entry:  # by the site's policy, or at a technician's test
            self._tell(kind)
        elif admitted is None or admitted.ended:
            self._tell(UNBELIEVED)
        else:
            admitted.ended = True
            self._note(_ENDINGS[event.outcome], admitted)
            self._tell(kind, sequence=admitted.sequence)
            if event.outcome is GateOutcome.NOT_PASSED:
                self._zone.turned_back(
                    admitted.token, admitted.direction, admitted.sequence, self._clock.now()
                )

    async def _tailgated(self, event: GateEvent, admitted: Admitted | None) -> None:
        if admitted is None:
            await self._write(Event.FORCED, BEHIND, self._way(event.side))
        elif self._pace.take(_TAILGATED, self._now_ns()):
            self._note(FollowupKind.TAILGATED, admitted)
            self._tell(_TAILGATED, alert=Alert.TAILGATED, sequence=admitted.sequence)
        else:
            self._unlist(_TAILGATED)
            self._tell(_TAILGATED, alert=Alert.TAILGATED)

    def _note(self, kind: FollowupKind, admitted: Admitted) -> None:
        self._log.follow(kind, admitted.sequence, admitted.age_ns(self._clock.now()))

    async def _write(self, event: Event, note: str, direction: Direction) -> None:
        """Write an entry of its own, or count it for the next list."""
        alert, entry, written = alert_of(event, note), None, NOTHING_WRITTEN
        if self._pace.take(event.value, self._now_ns()):
            entry = self._incident(event, note, direction)
            written = await self._log.write(entry)
        if written.may_act:
            self._last.pop(event.value, None)
        else:
            self._unlist(event.value)
            self._last[event.value] = (event, note, direction)
        self._tell(event.value, alert=alert, sequence=written.sequence, entry=entry)

    async def _list(self) -> None:
        """Write down how much happened that has no entry of its own, and of each kind the last.

        So the journal ends with how the gate stands, however a contact has chattered.
        """
        self._list_ns = self._now_ns() + int(self._list_s * 1e9)
        for what, count in list(self._unlisted.items()):
            last = self._last.get(what)
            more = count - (last is not None)
            if more and not await self._stands(
                Event.UNLISTED, unlisted_note(what, more), self._direction
            ):
                continue
            self._unlisted[what] -= more
            if last is not None and await self._stands(*last):
                self._unlisted[what] -= 1
                del self._last[what]
        self._unlisted = +self._unlisted

    async def _stands(self, event: Event, note: str, direction: Direction) -> bool:
        return (await self._log.write(self._incident(event, note, direction))).may_act

    def _incident(self, event: Event, note: str, direction: Direction) -> Passage:
        now = self._clock.now()
        return incident(self._site, self._lane, event, note, direction=direction, now=now)

    def _lost(self, count: int) -> None:
        self._unlist(LOST, count)
        self._tell(LOST, count=count)

    def _unlist(self, what: str, count: int = 1) -> None:
        if not self._unlisted:
            self._list_ns = self._now_ns() + int(self._list_s * 1e9)
        self._unlisted[what] += count

    def _tell(
        self,
        kind: str,
        *,
        alert: Alert | None = None,
        sequence: int | None = None,
        entry: Passage | None = None,
        count: int = 1,
    ) -> None:
        self._observer.happened(Happening(self._lane, kind, alert, sequence, entry, count))
        if alert in LIGHTS:
            self.alarmed()

    def _way(self, side: Side) -> Direction:
        """Return which way a side of this gate leads."""
        if side is self._side:
            return self._direction
        return Direction.OUT if self._direction is Direction.IN else Direction.IN

    def _now_ns(self) -> int:
        return self._clock.now().monotonic_ns
