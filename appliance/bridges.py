"""What answers in a lane: the board that its table names, or the screen alone."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

from admission.gate import GateOutcome, Input
from admission.signal import Output
from appliance.bridge_tables import McuBridgeTable
from appliance.clock import SystemClock
from appliance.config import LaneTable
from appliance.metrics import Metrics
from firmware_bridge.bridges.absent import ScreenOnlyBridge
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.link.messages import BoardEvent, GateEvent

_log = logging.getLogger(__name__)

LaneBridge = McuBridge | ScreenOnlyBridge


def open_bridge(
    lane: LaneTable,
    clock: SystemClock,
    metrics: Metrics,
    *,
    on_passage: Callable[[Input], None] = lambda _: None,
) -> LaneBridge:
    """Return the lane's bridge; what its board senses is counted and logged.

    :param on_passage: told of each passage that a sensor counted, which is no news for the log.
    """

    def note(event: BoardEvent) -> None:
        """Say what the board sensed: the law does not act on it, people must hear of it."""
        if isinstance(event, GateEvent):
            if event.outcome is not GateOutcome.NOT_PASSED:
                metrics.board_input(lane.name, event.side.sensor.name.lower())
                on_passage(event.side.sensor)
            return
        name = event.input.name.lower()
        metrics.board_input(lane.name, name)
        fields = {"lane": lane.name, "kind": name, "count": event.value}
        _log.warning("board input", extra=fields)

    if isinstance(lane.bridge, McuBridgeTable):
        return McuBridge(
            lane.bridge.port,
            monotonic_ns=clock.monotonic_ns,
            nonce=random.SystemRandom().getrandbits,
            required=frozenset(Output[name.upper()] for name in lane.bridge.requires),
            on_event=note,
        )
    return ScreenOnlyBridge()
