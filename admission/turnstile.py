"""The gate cycle: who was let in, who went through, and when the gate is locked again.

A reducer without clock or I/O: `step` takes the state and an event and returns the next state with
what follows from it. The firmware's `core/turnstile.c` is the same machine, and tests hold the two
against each other. Times are milliseconds of one monotonic clock.

PASS relays of some turnstiles are energised at rest, so that a loss of power looks like a passage:
where Ready is wired, a PASS edge counts only if Ready was on before it and is still on `settle_ms`
after it.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from admission import gate
from admission.gate import GateOutcome, GateReport, GateSettings, Input, Obstacle, Side


class Admitted(msgspec.Struct, frozen=True, gc=False):
    """Unlock this side once for `entry` (the journal's sequence, 0 for none)."""

    side: Side
    entry: int
    pulse_ms: int


class Sensed(msgspec.Struct, frozen=True, gc=False):
    """A contact changed, debounced."""

    input: Input
    active: bool


class HostLost(msgspec.Struct, frozen=True, gc=False):
    """Nobody commands this board any more."""


class Elapsed(msgspec.Struct, frozen=True, gc=False):
    """Time went by, and nothing else."""


GateEvent = Admitted | Sensed | HostLost | Elapsed


class Moved(msgspec.Struct, frozen=True, gc=False):
    """Unlock the side, or end the unlocking."""

    side: Side
    released: bool


GateCommand = Moved | GateReport


class Phase(IntEnum):
    """Where a side stands."""

    CLOSED = 0
    OPEN = 1
    """Somebody was admitted and is waited for."""
    SPENT = 2
    """Somebody passed; until the window ends, one more is a tailgater."""


class SideState(msgspec.Struct, frozen=True, gc=False):
    """One side. Times are None while they mean nothing."""

    phase: Phase = Phase.CLOSED
    entry: int = 0
    opened_ms: int | None = None
    released_until_ms: int | None = None
    rests_until_ms: int | None = None
    edge_ms: int | None = None
    """A PASS edge that waits for Ready to confirm it."""
    queue: tuple[Admitted, ...] = ()


class Turnstile(msgspec.Struct, frozen=True):
    """Both sides, and the contacts that they share."""

    sides: tuple[SideState, SideState] = (SideState(), SideState())
    fire: bool = False
    stop: bool = False
    ready_since_ms: int | None = None
    """Since when Ready is on; None while it is off."""

    def obstacle(self, settings: GateSettings, side: Side) -> Obstacle | None:
        """Return why an admission to `side` would not be carried out now; None if it would."""
        if self.stop:
            return Obstacle.STOPPED
        if settings.ready_fitted and self.ready_since_ms is None:
            return Obstacle.NOT_READY
        if len(self.sides[side].queue) >= gate.MAX_QUEUED:
            return Obstacle.BUSY
        return None


_replace = msgspec.structs.replace
_ELAPSED = Elapsed()


def step(
    settings: GateSettings, state: Turnstile, event: GateEvent, now_ms: int
) -> tuple[Turnstile, tuple[GateCommand, ...]]:
    """Return the state after `event` at `now_ms`, and what is to be done and told, in order.

    What was due before the event happens first. An `Admitted` that has an obstacle is dropped: ask
    `Turnstile.obstacle` before, since whoever is refused has to be told.
    """
    cycle = _Cycle(settings, state, now_ms)
    cycle.elapse()
    match event:
        case Admitted():
            cycle.admit(event)
        case Sensed(Input.FIRE, active):
            cycle.observe_fire(active)
        case Sensed(Input.STOP, active):
            cycle.stop(active)
        case Sensed(Input.READY, active):
            cycle.change_ready(active)
        case Sensed(Input.PASSAGE_A, True):
            cycle.take_edge(Side.A)
        case Sensed(Input.PASSAGE_B, True):
            cycle.take_edge(Side.B)
        case HostLost():
            cycle.relock()
        case _:
            pass
    if event != _ELAPSED:
        cycle.elapse()
    return cycle.state, tuple(cycle.commands)


def next_deadline_ms(settings: GateSettings, state: Turnstile) -> int | None:
    """Return when `step` has to be called with `Elapsed` next; None while nothing is due."""
    deadlines = [
        deadline
        for side in state.sides
        for deadline in _deadlines(settings, side)
        if deadline is not None
    ]
    return min(deadlines, default=None)


def _deadlines(settings: GateSettings, side: SideState) -> tuple[int | None, ...]:
    edge_ms = side.edge_ms
    window_ms = rest_ms = None
    if edge_ms is None and side.opened_ms is not None:
        window_ms = side.opened_ms + settings.window_ms
    if side.queue and side.phase is not Phase.OPEN and side.released_until_ms is None:
        rest_ms = side.rests_until_ms
    confirmed_ms = None if edge_ms is None else edge_ms + settings.settle_ms
    return side.released_until_ms, confirmed_ms, window_ms, rest_ms


class _Cycle:
    """One step on its way: the state so far, and the commands so far."""

    def __init__(self, settings: GateSettings, state: Turnstile, now_ms: int) -> None:
        self.state = state
        self.commands: list[GateCommand] = []
        self._settings = settings
        self._now_ms = now_ms

    def elapse(self) -> None:
        for side in Side:
            self._end_release(side)
            self._confirm_edge(side)
            self._end_window(side)
            self._begin_next(side)

    def admit(self, admitted: Admitted) -> None:
        side = admitted.side
        if self.state.obstacle(self._settings, side) is not None:
            return
        if self._settings.hold and not self._watched(side):
            self._begin(admitted)  # nobody tells when they went through: held on for the next one
            return
        self._set(side, queue=(*self.state.sides[side].queue, admitted))

    def observe_fire(self, active: bool) -> None:
        self.state = _replace(self.state, fire=active)
        if active:
            for side in Side:
                self._set(side, phase=Phase.CLOSED, entry=0, opened_ms=None, edge_ms=None, queue=())

    def stop(self, active: bool) -> None:
        self.state = _replace(self.state, stop=active)
        if active:
            self.relock()

    def relock(self) -> None:
        for side in Side:
            self._lock(side)
            self._annul(side)

    def change_ready(self, active: bool) -> None:
        if active and self.state.ready_since_ms is None:
            self.state = _replace(self.state, ready_since_ms=self._now_ms)
        elif not active:
            self.state = _replace(self.state, ready_since_ms=None)
            if self._settings.ready_fitted:
                for side in Side:
                    self._set(side, edge_ms=None)
                    self._annul(side)  # without Ready no gate opens

    def take_edge(self, side: Side) -> None:
        if not self._watched(side):
            return
        if not self._settings.ready_fitted:
            self._count(side, self._now_ms)
        elif self._was_ready() and self.state.sides[side].edge_ms is None:
            self._set(side, edge_ms=self._now_ms)

    def _watched(self, side: Side) -> bool:
        """Whether passages on this side tell anything: in a fire everybody runs through."""
        return self._settings.sensors[side] and not self.state.fire

    def _was_ready(self) -> bool:
        since_ms = self.state.ready_since_ms
        return since_ms is not None and self._now_ms - since_ms >= self._settings.settle_ms

    def _confirm_edge(self, side: Side) -> None:
        edge_ms = self.state.sides[side].edge_ms
        if edge_ms is not None and self._now_ms - edge_ms >= self._settings.settle_ms:
            self._set(side, edge_ms=None)
            self._count(side, edge_ms)

    def _count(self, side: Side, at_ms: int) -> None:
        state = self.state.sides[side]
        if state.phase is Phase.OPEN:
            self._report(GateOutcome.PASSED, side, state.entry, at_ms)
            self._set(side, phase=Phase.SPENT)
            if self._settings.hold:
                self._lock(side)
        elif state.phase is Phase.SPENT:
            self._report(GateOutcome.TAILGATED, side, state.entry, at_ms)
        else:
            self._report(GateOutcome.FORCED, side, 0, at_ms)

    def _end_window(self, side: Side) -> None:
        state = self.state.sides[side]
        if state.opened_ms is None or state.edge_ms is not None:
            return  # an edge within the window is confirmed first, though that takes longer
        if self._now_ms - state.opened_ms >= self._settings.window_ms:
            if state.phase is Phase.OPEN:
                self._report(GateOutcome.NOT_PASSED, side, state.entry)
            self._set(side, phase=Phase.CLOSED, entry=0, opened_ms=None)

    def _begin_next(self, side: Side) -> None:
        state = self.state.sides[side]
        if state.rests_until_ms is not None and self._now_ms >= state.rests_until_ms:
            self._set(side, rests_until_ms=None)
            state = self.state.sides[side]
        rested = state.released_until_ms is None and state.rests_until_ms is None
        if state.queue and rested and state.phase is not Phase.OPEN and state.edge_ms is None:
            self._set(side, queue=state.queue[1:])
            self._begin(state.queue[0])

    def _begin(self, admitted: Admitted) -> None:
        side, settings = admitted.side, self._settings
        longest_ms = settings.max_on_ms[side]
        if settings.hold or self._watched(side):  # never unlocked for longer than it is watched
            longest_ms = min(longest_ms, settings.window_ms)
        on_ms = longest_ms if settings.hold else max(admitted.pulse_ms, settings.min_pulse_ms)
        if self.state.sides[side].released_until_ms is None:
            self.commands.append(Moved(side, True))
        self._set(side, released_until_ms=self._now_ms + min(on_ms, longest_ms))
        if self._watched(side):
            self._set(side, phase=Phase.OPEN, entry=admitted.entry, opened_ms=self._now_ms)

    def _end_release(self, side: Side) -> None:
        until_ms = self.state.sides[side].released_until_ms
        if until_ms is not None and self._now_ms >= until_ms:
            self._lock(side)

    def _lock(self, side: Side) -> None:
        if self.state.sides[side].released_until_ms is not None:
            self.commands.append(Moved(side, False))
            self._set(side, released_until_ms=None, rests_until_ms=self._now_ms + gate.GAP_MS)

    def _annul(self, side: Side) -> None:
        for admitted in self.state.sides[side].queue:
            self._report(GateOutcome.NOT_PASSED, side, admitted.entry)
        self._set(side, queue=())

    def _report(
        self, outcome: GateOutcome, side: Side, entry: int, at_ms: int | None = None
    ) -> None:
        at_ms = self._now_ms if at_ms is None else at_ms
        self.commands.append(GateReport(outcome, side, entry, at_ms))

    def _set(self, side: Side, **changes: object) -> None:
        changed = _replace(self.state.sides[side], **changes)
        first, second = self.state.sides
        sides = (changed, second) if side is Side.A else (first, changed)
        self.state = _replace(self.state, sides=sides)
