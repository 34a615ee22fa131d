"""One board for the time of a command: started, waited for, and left dark."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from admission.signal import Signal, SignalName
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.errors import BridgeError
from firmware_bridge.link import obstacles

DARK: Final = Signal(SignalName.TEST, ())
"""Lamps and buzzer off at once. A gate's own pulse ends by itself."""
START_S: Final = 6.0
"""Opening a port resets an Arduino, whose bootloader then waits for two seconds."""
_POLL_S: Final = 0.02


@contextlib.asynccontextmanager
async def linked(bridge: McuBridge, *, start_s: float | None = None) -> AsyncIterator[McuBridge]:
    """Run the bridge until the block ends, however it ends; nothing stays lit then.

    :raises BridgeError: no board answers within `start_s`: what the bridge says of it.
    """
    running = asyncio.create_task(bridge.run())
    try:
        await _answered(bridge, running, START_S if start_s is None else start_s)
        yield bridge
    finally:
        with contextlib.suppress(BridgeError, TimeoutError):
            await asyncio.wait_for(bridge.show(DARK), 1.0)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _answered(bridge: McuBridge, running: asyncio.Task[None], start_s: float) -> None:
    try:
        async with asyncio.timeout(start_s):
            while not bridge.alive:
                if running.done():
                    running.result()
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise bridge.last_error or obstacles.no_answer() from None
