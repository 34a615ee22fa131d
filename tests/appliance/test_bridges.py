"""The rack of an appliance's bridges: what a board senses is counted, and logged within reason."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from admission.gate import Input
from appliance.bridge_tables import McuBridgeTable
from appliance.bridges import BridgeRack
from appliance.clock import SystemClock
from appliance.config import KeypadSourceTable, LaneTable
from appliance.event_pace import BURST
from appliance.metrics import Metrics, Sources
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import BoardEvent

CHATTER = 40
SOURCES = Sources()


async def test_a_chattering_contact_is_heard_and_counted_and_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "appliance.bridges")
    heard: list[BoardEvent] = []
    wiring = BoardConfiguration(debounce_ms=1)
    with SimulatedBoard(time.monotonic_ns, configuration=wiring) as board:
        table = McuBridgeTable(port=board.path)
        lane = LaneTable("gate-1", (KeypadSourceTable(name="k", device="/dev/null"),), table)
        rack = BridgeRack(
            [lane], SystemClock(), Metrics("0.1.0", lanes=["gate-1"], sources=SOURCES)
        )
        bridge = rack.bridge_for(lane, heard.append)
        running = asyncio.create_task(bridge.run())
        async with asyncio.timeout(30):
            while not bridge.alive:  # noqa: ASYNC110 - the rack takes no listener for it
                await asyncio.sleep(0.005)
            for number in range(CHATTER):
                board.sense(Input.BUTTON, 1 - number % 2)
                while len(heard) <= number:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.001)
        running.cancel()
    assert len(heard) == CHATTER
    said = [record for record in caplog.records if record.getMessage() == "board input"]
    assert len(said) <= BURST + 5
