"""What answers in each lane: the board that its table names, its share of one, or the screen."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence

from appliance.bridge_opening import open_member, open_several
from appliance.bridge_tables import ScreenOnlyTable, SeveralBridgeTable, SharedBridgeTable
from appliance.clock import SystemClock
from appliance.config import LaneTable
from appliance.errors import ConfigError
from appliance.event_pace import EventPace
from appliance.metrics import Metrics
from appliance.shared_board import SharedBoard, SharedBridge
from firmware_bridge.bridges.absent import ScreenOnlyBridge
from firmware_bridge.bridges.listeners import EventListener
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.bridges.several import SeveralBridge
from firmware_bridge.link.messages import BoardEvent, InputEvent

_log = logging.getLogger(__name__)

LaneBridge = McuBridge | SeveralBridge | SharedBridge | ScreenOnlyBridge


class BridgeRack:
    """The bridges of one appliance: one for each board, however many lanes share it."""

    def __init__(self, lanes: Sequence[LaneTable], clock: SystemClock, metrics: Metrics) -> None:
        self._lanes = {lane.name: lane for lane in lanes}
        self._owners = {
            lane.bridge.lane for lane in lanes if isinstance(lane.bridge, SharedBridgeTable)
        }
        self._boards: dict[str, SharedBoard] = {}
        self._clock = clock
        self._metrics = metrics
        self._pace = EventPace()

    def bridge_for(self, lane: LaneTable, on_event: EventListener) -> LaneBridge:
        """Return the lane's bridge; what its board senses is counted and logged as well.

        :param on_event: told of each event of an input or a gate that concerns the lane.
        :raises ConfigError: if the table names a bridge that cannot be.
        """
        try:
            return self._bridge_for(lane, on_event)
        except ValueError as error:
            msg = f"lane '{lane.name}': {error}"
            raise ConfigError(msg, hint="see docs/bridges.md for what each kind needs") from error

    def _bridge_for(self, lane: LaneTable, on_event: EventListener) -> LaneBridge:
        note = self._noting(lane.name, on_event)
        owner = lane
        if isinstance(lane.bridge, SharedBridgeTable):
            owner = self._lanes[lane.bridge.lane]
        if owner.name not in self._owners:
            return self._opened(lane, note)
        return self._board_of(owner).lane(lane.gate.side_for(lane.direction), note)

    def _board_of(self, owner: LaneTable) -> SharedBoard:
        board = self._boards.get(owner.name)
        if board is None:
            board = self._boards[owner.name] = SharedBoard(owner.gate.side_for(owner.direction))
            bridge = self._opened(owner, board.hear)
            if isinstance(bridge, ScreenOnlyBridge):
                msg = f"the lane '{owner.name}' has no board to share"
                raise ValueError(msg)
            board.connect(bridge)
        return board

    def _opened(
        self, lane: LaneTable, on_event: EventListener
    ) -> McuBridge | SeveralBridge | ScreenOnlyBridge:
        table, nonce = lane.bridge, random.SystemRandom().getrandbits
        match table:
            case ScreenOnlyTable() | SharedBridgeTable():
                return ScreenOnlyBridge()
            case SeveralBridgeTable():
                return open_several(
                    table,
                    lane.gate,
                    monotonic_ns=self._clock.monotonic_ns,
                    nonce=nonce,
                    on_event=on_event,
                )
            case _:
                return open_member(
                    table,
                    lane.gate,
                    monotonic_ns=self._clock.monotonic_ns,
                    nonce=nonce,
                    on_event=on_event,
                )

    def _noting(self, lane: str, on_event: EventListener) -> EventListener:
        def note(event: BoardEvent) -> asyncio.Future[None] | None:
            if isinstance(event, InputEvent):
                name = event.input.name.lower()
                self._metrics.board_input(lane, name)
                fields = {"lane": lane, "kind": name, "count": event.value}
                if self._pace.take(f"{lane} {name}", self._clock.monotonic_ns()):
                    _log.warning("board input", extra=fields)
            return on_event(event)

        return note


def links_of(bridge: LaneBridge) -> list[McuBridge]:
    """Return the links that a lane's bridge keeps itself."""
    match bridge:
        case McuBridge():
            return [bridge]
        case SeveralBridge():
            return [member for member in bridge.bridges if isinstance(member, McuBridge)]
        case SharedBridge(owned=(McuBridge() | SeveralBridge()) as owned):
            return links_of(owned)
        case _:
            return []
