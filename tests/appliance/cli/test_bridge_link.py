"""A command that is no daemon leaves to the daemon what is the daemon's."""

from __future__ import annotations

import asyncio
import time

import pytest
from click.testing import CliRunner

from admission.gate import Input
from appliance.bridge_tables import McuBridgeTable
from appliance.cli.bridge_link import bridge_to, linked
from appliance.cli.bridge_targets import Target
from appliance.cli.main import main
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.link.messages import BoardEvent, InputEvent


@pytest.mark.parametrize("command", ["off", "show"])
def test_what_happened_while_no_daemon_ran_is_left_to_the_daemon(command: str) -> None:
    # systemd calls `off` after a kill: the passage of that second has to reach the journal.
    with SimulatedBoard(time.monotonic_ns) as board:
        board.sense(Input.STOP, 1)
        called = CliRunner().invoke(main, ["bridge", command, "--port", board.path])
        assert called.exit_code == 0, called.output
        assert asyncio.run(first_event(board.path)).input is Input.STOP


async def first_event(port: str) -> InputEvent:
    heard: asyncio.Queue[BoardEvent] = asyncio.Queue()
    bridge = bridge_to(
        Target("daemon", McuBridgeTable(port=port, requires=())),
        heard.put_nowait,
    )
    async with linked(bridge), asyncio.timeout(5):
        event = await heard.get()
    assert isinstance(event, InputEvent)
    return event
