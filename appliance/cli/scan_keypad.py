"""`chot scan --keypad`: codes typed at standard input, for as long as it lasts."""

from __future__ import annotations

import asyncio
import random
import select
import sys
from collections.abc import Callable
from functools import partial

from appliance.camera_door import Deliver
from appliance.sources import PortDoor
from scanner.errors import KeypadError
from scanner.keypad import KeypadSource, TerminalKeys, open_terminal

KEYPAD_NAME = "keypad"
_END_POLL_S = 0.05


def check_standard_input() -> None:
    """Return if standard input can be waited for.

    :raises KeypadError: it cannot: it is closed, a file, or /dev/null.
    """
    try:
        with select.epoll() as waiting:
            waiting.register(sys.stdin.fileno(), select.EPOLLIN)
    except (OSError, ValueError) as error:
        msg = "standard input cannot be waited for: it is closed, or a plain file"
        raise KeypadError(msg, hint="start it in a terminal, or pipe the keys to it") from error


class StandardInputDoor(PortDoor):
    """Codes typed at standard input until it is lost: it does not come again."""

    async def run(self) -> None:
        """Hand on what is typed.

        :raises KeypadError: standard input is lost, or has ended.
        """
        async with asyncio.TaskGroup() as group:
            running = group.create_task(super().run())
            while not self.failure:  # noqa: ASYNC110 - a loss has no event here
                await asyncio.sleep(_END_POLL_S)
            running.cancel()
        raise KeypadError(self.failure, hint="standard input is not opened again")


def keypad_door(
    deliver: Deliver, monotonic_ns: Callable[[], int], rng: random.Random
) -> StandardInputDoor:
    """Return the source that reads standard input."""
    return StandardInputDoor(
        KeypadSource(
            partial(open_terminal, sys.stdin.fileno()),
            TerminalKeys,
            KEYPAD_NAME,
            deliver,
            monotonic_ns=monotonic_ns,
            draw=rng.random,
        )
    )
