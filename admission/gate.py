"""A gate's contacts, sides and settings, and what can happen at it.

The contacts are those of common turnstiles: an unlock input per direction that takes a pulse (the
turnstile then allows one passage within its own window) or a level that is held until somebody
passed; PASS contacts per direction; Ready. `admission.turnstile` is the cycle that runs on them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from admission.signal import Output

MAX_QUEUED: Final = 4
"""Admissions that wait on one side for the passage of the one before."""
GAP_MS: Final = 100
"""How long an unlock contact stays off between two admissions, so that each is an edge."""


class Input(IntEnum):
    """What a board can sense. Values are on the wire."""

    BUTTON = 0
    TAMPER = 1
    PASSAGE_A = 2
    PASSAGE_B = 3
    FIRE = 4
    """The fire alarm has released the turnstile, which then obeys nobody. Only ever observed."""
    STOP = 5
    READY = 6
    """The turnstile has power and obeys."""


class Side(IntEnum):
    """Which way somebody goes. Values are on the wire."""

    A = 0
    B = 1

    @property
    def gate(self) -> Output:
        """The output that unlocks this side."""
        return Output.GATE if self is Side.A else Output.GATE_B

    @property
    def sensor(self) -> Input:
        """The input that tells of a passage."""
        return Input.PASSAGE_A if self is Side.A else Input.PASSAGE_B


class GateOutcome(IntEnum):
    """What happened at a gate. Values are on the wire."""

    PASSED = 1
    """Whoever was admitted went through."""
    NOT_PASSED = 2
    """Nobody went through while the gate was unlocked: the admission is annulled."""
    FORCED = 3
    """Somebody went through a side that nobody had been admitted to."""
    TAILGATED = 4
    """One more went through within the window in which one had passed."""


class Obstacle(IntEnum):
    """Why an admission cannot be carried out. Values are on the wire (refusals of a SHOW)."""

    STOPPED = 6
    NOT_READY = 7
    BUSY = 8
    """`MAX_QUEUED` admissions wait already."""


class GateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the turnstile is wired. `max_on_ms` and `sensors` have one item a side."""

    hold: bool = False
    """Whether unlock is a level, held until somebody passed, in place of a pulse."""
    window_ms: int = 5_000
    """How long the turnstile waits for one passage, from the unlocking on."""
    min_pulse_ms: int = 100
    """The shortest pulse that the turnstile understands: shorter ones are lengthened to it."""
    settle_ms: int = 50
    max_on_ms: tuple[int, int] = (5_000, 5_000)
    sensors: tuple[bool, bool] = (False, False)
    ready_fitted: bool = False


class GateReport(msgspec.Struct, frozen=True, gc=False):
    """What happened at a side, at `at_ms`. `entry` is 0 where it belongs to no admission."""

    outcome: GateOutcome
    side: Side
    entry: int
    at_ms: int
