"""A host in a process of its own, to be stopped hard: opens the gate, says so, and keeps the link.

Run as `python -m benchmarks.bridge_host PATH`. It prints a line when the board has acknowledged.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import time

from admission.signal import MAX_ON_MS, Output, Pulse, Signal, SignalName
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.errors import BridgeError

_PAUSE_S = 0.01
OPEN = Signal(
    SignalName.TEST, (Pulse(Output.GATE, MAX_ON_MS), Pulse(Output.GREEN, MAX_ON_MS))
)  # ends long after the dead-man should have


async def _host(path: str) -> None:
    bridge = McuBridge(path, monotonic_ns=time.monotonic_ns, nonce=secrets.randbits)
    running = asyncio.create_task(bridge.run())
    while True:
        try:
            await bridge.show(OPEN)
        except BridgeError:
            await asyncio.sleep(_PAUSE_S)
        else:
            break
    print("open", flush=True)
    await running


if __name__ == "__main__":
    asyncio.run(_host(sys.argv[1]))
