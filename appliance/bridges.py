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
from firmware_bridge.link.messages import Input, InputEvent

_log = logging.getLogger(__name__)

LaneBridge = McuBridge | ScreenOnlyBridge


PASSAGES = frozenset({Input.PASSAGE_A, Input.PASSAGE_B})


def open_bridge(
    lane: LaneTable,
    clock: SystemClock,
    metrics: Metrics,
    *,
    on_passage: Callable[[Input], None] = lambda _: None,
) -> LaneBridge:
    """Return the lane's bridge; what its board senses is counted and logged.

    :param on_passage: told of each edge of a passage sensor, which is no news for the log.
    """

    def note(event: InputEvent) -> None:
        """Say what the board sensed: the law does not act on it, people must hear of it."""
        name = event.input.name.lower()
        metrics.board_input(lane.name, name)
        if event.input not in PASSAGES:
            fields = {"lane": lane.name, "kind": name, "count": event.value}
            _log.warning("board input", extra=fields)
        elif event.value:
            on_passage(event.input)

    if isinstance(lane.bridge, McuBridgeTable):
        return McuBridge(
            lane.bridge.port,
            monotonic_ns=clock.monotonic_ns,
            nonce=random.SystemRandom().getrandbits,
            required=frozenset(Output[name.upper()] for name in lane.bridge.requires),
            on_input=note,
        )
    return ScreenOnlyBridge()
