"""[lane.gate]: how the turnstile or barrier of a lane is unlocked, and what tells who passed."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from admission.gate import Side
from admission.site import Direction
from appliance.table import Table

GATE_HINT: Final = (
    "window_s 0.5 to 10, pulse_ms 20 to 5000, min_pulse_ms 20 to 1000, settle_ms 0 to 250"
)


class GateTable(Table, frozen=True):
    """One lane's gate. A site without one leaves the table out.

    `pulse` unlocks by a short pulse, after which the turnstile itself waits for one passage; `hold`
    keeps the unlock contact on until somebody passed. `fail` is what a gate does that nobody
    commands: locked (`secure`), or free (`safe`: the lock is held by current).
    """

    mode: Literal["pulse", "hold"] = "pulse"
    fail: Literal["secure", "safe"] = "secure"
    pulse_ms: Annotated[int, msgspec.Meta(ge=20, le=5_000)] = 500
    min_pulse_ms: Annotated[int, msgspec.Meta(ge=20, le=1_000)] = 100
    window_s: Annotated[float, msgspec.Meta(ge=0.5, le=10)] = 5.0
    """How long the turnstile waits for one passage: a little longer than it is set to there."""
    settle_ms: Annotated[int, msgspec.Meta(ge=0, le=250)] = 50
    """How long Ready has to be on around a PASS edge for it to count."""
    side: Literal["a", "b"] | None = None
    """Which unlock and PASS contacts are this lane's; left out: a for the way in, b for out."""

    def side_for(self, direction: Direction) -> Side:
        """Return the side that a lane of this direction unlocks."""
        if self.side is not None:
            return Side.A if self.side == "a" else Side.B
        return Side.B if direction is Direction.OUT else Side.A
