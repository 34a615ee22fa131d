"""The enrolment's token read from its sheet of paper, by whatever reads codes at this gate."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from admission.enrolment import PREFIX
from admission.reading import Reading
from appliance.config import Config
from appliance.errors import ConfigError
from appliance.sources import open_source

_UNREAD_HINT = (
    "stop the service, which holds cameras and scanners; or give the token by --token-file"
)


async def scanned_token(
    config: Config, *, monotonic_ns: Callable[[], int], rng: random.Random, wait_s: float
) -> str:
    """Return the first token's text that any source of the configuration reads.

    Other codes are passed over. Sources are opened, and opened again, as the daemon does it.

    :raises ConfigError: if none is read within `wait_s`, or what a source needs cannot be read.
    """
    loop = asyncio.get_running_loop()
    token: asyncio.Future[str] = loop.create_future()

    def take(text: str) -> None:
        if text.startswith(PREFIX) and not token.done():
            token.set_result(text)

    def deliver(reading: Reading) -> None:
        # Cameras deliver from a thread of their own.
        loop.call_soon_threadsafe(take, reading.text.strip())

    sources = [
        open_source(table, deliver, monotonic_ns=monotonic_ns, rng=rng)
        for lane in config.lane
        for table in lane.sources
    ]
    tasks = [asyncio.create_task(source.run()) for source in sources]
    try:
        return await asyncio.wait_for(token, wait_s)
    except TimeoutError as error:
        down = ", ".join(source.name for source in sources if not source.up)
        msg = "no token was read" + (f"; not open: {down}" if down else "")
        raise ConfigError(msg, hint=_UNREAD_HINT) from error
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
