"""Outputs over time: a signal's pulses as edges, each of which has its end before it begins.

The longest on-time is a stage of its own, behind the patterns of lamps and buzzer and behind the
gate cycle alike: whatever those ask for, it lets no output stay on for longer. This is what the
microcontroller does between two messages. It holds no clock: every call says how late it is, and
`next_change_ns` says when to call again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from admission.signal import GATES, MAX_ON_MS, Output, Pulse

NS_PER_MS: Final = 1_000_000
REST_MS: Final = 100
"""How long an output stays off after its longest on-time, and the shortest pause that counts."""


class Edge(msgspec.Struct, frozen=True, gc=False):
    """One output was energised, or ceased to be, at `at_ns`."""

    output: Output
    energised: bool
    at_ns: int


class Outputs:
    """Levels of all outputs. At most one signal runs; a newer one takes its place at once.

    Gates are none of a signal's: they follow `hold` alone. No output is ever on for longer than its
    item of `max_on_ms` without a pause of at least `REST_MS`, whatever is asked of it and however
    often: what is on before and after a shorter pause counts as one on-time, since no relay drops
    in a millisecond.
    """

    def __init__(self, max_on_ms: Sequence[int] = (MAX_ON_MS,) * len(Output)) -> None:
        self._lines = {output: _Line(max_on_ms[output] * NS_PER_MS) for output in Output}
        self._at_ns = 0

    @property
    def energised(self) -> frozenset[Output]:
        """What is on."""
        return frozenset(output for output, line in self._lines.items() if line.on)

    @property
    def next_change_ns(self) -> int | None:
        """When `advance` has to be called next, or None while nothing will change by itself."""
        changes = [line.next_change_ns(self._at_ns) for line in self._lines.values()]
        return min((change for change in changes if change is not None), default=None)

    def run(self, pulses: Iterable[Pulse], now_ns: int) -> list[Edge]:
        """Start these pulses now; whatever ran and is not among them goes off. Return the edges.

        Pulses on gates are passed over.
        """
        edges = self.advance(now_ns)
        asked = {pulse.output: pulse for pulse in pulses if pulse.output not in GATES}
        for output, line in self._lines.items():
            line.pulse = asked.get(output)
            line.start_ns = now_ns
        return edges + self._step(now_ns, now_ns)

    def hold(self, gate: Output, released: bool, now_ns: int) -> list[Edge]:
        """Unlock a gate now, or end it. Return the edges."""
        edges = self.advance(now_ns)
        self._lines[gate].held = released
        return edges + self._step(now_ns, now_ns)

    def clear(self, now_ns: int) -> list[Edge]:
        """Switch everything off now, edges that a late caller still owes included. Return them."""
        for line in self._lines.values():
            line.pulse = None
            line.held = False
        return self._step(now_ns, now_ns)

    def advance(self, now_ns: int) -> list[Edge]:
        """Bring the outputs up to now. Return the edges, stamped with now: when they were made.

        A late call makes all edges that were due, in their order: no pulse is swallowed.
        """
        edges: list[Edge] = []
        while (due_ns := self.next_change_ns) is not None and due_ns <= now_ns:
            edges += self._step(due_ns, now_ns)
        self._at_ns = max(self._at_ns, now_ns)
        return edges

    def _step(self, due_ns: int, now_ns: int) -> list[Edge]:
        self._at_ns = due_ns
        return [
            Edge(output, line.on, now_ns)
            for output, line in self._lines.items()
            if line.step(due_ns)
        ]


class _Line:
    """One output: what is asked of it, and what it may do."""

    def __init__(self, max_on_ns: int) -> None:
        self.on = False
        self.pulse: Pulse | None = None
        self.held = False
        self.start_ns = 0
        self._max_on_ns = max_on_ns
        self._on_since_ns = 0
        self._off_since_ns = 0
        self._on_before_ns = 0
        self._rest_until_ns = 0

    def step(self, at_ns: int) -> bool:
        """Set the level for `at_ns`. Return whether it changed."""
        allowed = at_ns < self._limit_ns if self.on else at_ns >= self._rest_until_ns
        wanted = allowed and self._wanted(at_ns)
        if wanted is self.on:
            return False
        if wanted:
            self._switch_on(at_ns)
        else:
            self._switch_off(at_ns)
        return True

    @property
    def _limit_ns(self) -> int:
        """When an output that is on has to go off."""
        return self._on_since_ns + self._max_on_ns - self._on_before_ns

    def _switch_on(self, at_ns: int) -> None:
        self.on = True
        self._on_since_ns = at_ns
        if at_ns - self._off_since_ns >= REST_MS * NS_PER_MS:
            self._on_before_ns = 0

    def _switch_off(self, at_ns: int) -> None:
        self.on = False
        self._off_since_ns = at_ns
        self._on_before_ns += at_ns - self._on_since_ns
        if self._on_before_ns >= self._max_on_ns:
            self._rest_until_ns = at_ns + REST_MS * NS_PER_MS

    def next_change_ns(self, after_ns: int) -> int | None:
        """Return when the level may change next, later than `after_ns`; None if never."""
        asked_ns = self._next_asked_ns(after_ns)
        if not self._wanted(after_ns):
            return asked_ns
        limit_ns = self._limit_ns if self.on else self._rest_until_ns
        return limit_ns if asked_ns is None else min(asked_ns, limit_ns)

    def _wanted(self, at_ns: int) -> bool:
        if self.pulse is None:
            return self.held
        elapsed_ns = at_ns - self.start_ns
        if elapsed_ns >= self.pulse.length_ms * NS_PER_MS:
            return False
        period_ns = (self.pulse.on_ms + self.pulse.off_ms) * NS_PER_MS
        return elapsed_ns % period_ns < self.pulse.on_ms * NS_PER_MS

    def _next_asked_ns(self, after_ns: int) -> int | None:
        if self.pulse is None:
            return None
        elapsed_ns = after_ns - self.start_ns
        length_ns = self.pulse.length_ms * NS_PER_MS
        if elapsed_ns >= length_ns:
            return None
        on_ns = self.pulse.on_ms * NS_PER_MS
        period_ns = on_ns + self.pulse.off_ms * NS_PER_MS
        within_ns = elapsed_ns % period_ns
        boundary_ns = on_ns if within_ns < on_ns else period_ns
        return after_ns + min(boundary_ns - within_ns, length_ns - elapsed_ns)
