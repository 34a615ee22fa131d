"""Every asynchronous test of this folder runs on asyncio's own loop and on uvloop.

Their order of timers and readers differs, and the daemon runs on uvloop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
