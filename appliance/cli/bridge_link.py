"""One board for the time of a command: started, waited for, and left dark."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec

from admission.signal import Signal, SignalName
from appliance.bridge_opening import open_member
from appliance.cli.bridge_targets import Target
from appliance.clock import SystemClock
from appliance.errors import ConfigError
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.errors import BridgeError
from firmware_bridge.link import obstacles
from firmware_bridge.link.messages import BoardEvent

DARK: Final = Signal(SignalName.TEST, ())
"""Lamps and buzzer off at once. A gate's own pulse ends by itself."""
START_S: Final = 6.0
"""Opening a port resets an Arduino, whose bootloader then waits for two seconds."""
_POLL_S: Final = 0.02


def bridge_to(target: Target, on_event: Callable[[BoardEvent], None] | None = None) -> McuBridge:
    """Return the bridge to a board, whatever that is configured for; nothing is opened yet.

    :param on_event: told of what the board senses, which the board then forgets. Without one the
        board keeps it for the daemon: what nobody has written down yet is in no journal.
    :raises ConfigError: its table names something that no such board could have.
    """
    try:
        return open_member(
            msgspec.structs.replace(target.table, requires=()),
            target.gate,
            monotonic_ns=SystemClock().monotonic_ns,
            nonce=random.SystemRandom().getrandbits,
            on_event=on_event or _leave_to_the_daemon,
            commissioning=True,
        )
    except ValueError as error:
        msg = f"the lane '{target.name}': {error}"
        raise ConfigError(msg, hint="correct its [lane.bridge] (docs/bridges.md)") from error


@contextlib.asynccontextmanager
async def linked(
    bridge: McuBridge, *, start_s: float | None = None, dark: bool = True
) -> AsyncIterator[McuBridge]:
    """Run the bridge until the block ends, however it ends; nothing stays lit then.

    :param dark: whether lamps and buzzer are switched off at the end; else they end by themselves.

    :raises BridgeError: no board answers within `start_s`: what the bridge says of it.
    """
    running = asyncio.create_task(bridge.run())
    try:
        await _answered(bridge, running, START_S if start_s is None else start_s)
        yield bridge
    finally:
        if dark:
            with contextlib.suppress(BridgeError):  # which a lost board does by itself
                await bridge.show(DARK)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def _leave_to_the_daemon(_event: BoardEvent) -> asyncio.Future[None]:
    """Return what is never done, so that the event is never confirmed."""
    return asyncio.get_running_loop().create_future()


async def _answered(bridge: McuBridge, running: asyncio.Task[None], start_s: float) -> None:
    try:
        async with asyncio.timeout(start_s):
            while not bridge.alive:
                if running.done():
                    running.result()
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise bridge.last_error or obstacles.no_answer() from None
