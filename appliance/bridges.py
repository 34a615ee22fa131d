"""What answers in a lane: the board that its table names, or the screen alone."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

from admission.signal import Output
from appliance.bridge_tables import McuBridgeTable
from appliance.clock import SystemClock
from appliance.config import LaneTable
from appliance.metrics import Metrics
from firmware_bridge.bridges.absent import ScreenOnlyBridge
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.link.messages import BoardEvent, InputEvent

_log = logging.getLogger(__name__)

LaneBridge = McuBridge | ScreenOnlyBridge


def open_bridge(
    lane: LaneTable,
    clock: SystemClock,
    metrics: Metrics,
    *,
    on_event: Callable[[BoardEvent], None] = lambda _: None,
) -> LaneBridge:
    """Return the lane's bridge; what its board senses is counted and logged.

    :param on_event: told of each event of an input or a gate.
    """

    def note(event: BoardEvent) -> None:
        """Say what the board sensed, and hand it on to whoever writes it down."""
        if isinstance(event, InputEvent):
            name = event.input.name.lower()
            metrics.board_input(lane.name, name)
            fields = {"lane": lane.name, "kind": name, "count": event.value}
            _log.warning("board input", extra=fields)
        on_event(event)

    if isinstance(lane.bridge, McuBridgeTable):
        return McuBridge(
            lane.bridge.port,
            monotonic_ns=clock.monotonic_ns,
            nonce=random.SystemRandom().getrandbits,
            required=frozenset(Output[name.upper()] for name in lane.bridge.requires),
            on_event=note,
        )
    return ScreenOnlyBridge()
