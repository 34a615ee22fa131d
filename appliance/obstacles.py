"""Why a board did not do what it was to show, as people are told it."""

from __future__ import annotations

from admission.gate import Obstacle
from admission.verdict import Reason
from firmware_bridge.errors import BridgeRefused

_REASONS = {
    Obstacle.STOPPED: Reason.GATE_STOPPED,
    Obstacle.NOT_READY: Reason.GATE_NOT_READY,
    Obstacle.BUSY: Reason.GATE_BUSY,
}


def obstacle_of(error: Exception) -> Reason:
    """Return the reason: what keeps the gate shut if the board has said so, else FAULT."""
    if not isinstance(error, BridgeRefused):
        return Reason.FAULT
    return next((told for why, told in _REASONS.items() if why == error.reason), Reason.FAULT)
