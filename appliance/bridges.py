"""What answers in a lane: the board that its table names, or the screen alone."""

from __future__ import annotations

import logging
import random

from admission.signal import Output
from appliance.clock import SystemClock
from appliance.config import LaneTable, McuBridgeTable
from appliance.metrics import Metrics
from firmware_bridge.bridges.absent import ScreenOnlyBridge
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.link.messages import InputEvent

_log = logging.getLogger(__name__)

LaneBridge = McuBridge | ScreenOnlyBridge


def open_bridge(lane: LaneTable, clock: SystemClock, metrics: Metrics) -> LaneBridge:
    """Return the lane's bridge; what its board senses is counted and logged."""

    def note(event: InputEvent) -> None:
        """Say what the board sensed: the law does not act on it, people must hear of it."""
        name = event.input.name.lower()
        metrics.board_input(lane.name, name)
        _log.warning("board input", extra={"lane": lane.name, "kind": name, "count": event.value})

    if isinstance(lane.bridge, McuBridgeTable):
        return McuBridge(
            lane.bridge.port,
            monotonic_ns=clock.monotonic_ns,
            nonce=random.SystemRandom().getrandbits,
            required=frozenset(Output[name.upper()] for name in lane.bridge.requires),
            on_input=note,
        )
    return ScreenOnlyBridge()
