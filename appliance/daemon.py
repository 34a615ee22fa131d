"""The daemon's life: composed, started, watched over, drained, taken down."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import urlsplit

import uvloop

from appliance.clock import SystemClock
from appliance.compose import composed
from appliance.config import Config
from appliance.crew import Crew
from appliance.logs import log_loop_exception
from appliance.notify import Notifier, watchdog_interval_s
from appliance.outages import keep_outage_log
from appliance.running import Appliance
from appliance.scan_log import ScanLog

_log = logging.getLogger(__name__)


def run_daemon(config: Config, environ: Mapping[str, str]) -> None:
    """Serve until SIGINT or SIGTERM.

    :param environ: where the service manager says how it wants to hear of us.
    :raises ExceptionGroup: with what made the daemon give up.
    """
    uvloop.run(_serve(config, environ))


async def _serve(config: Config, environ: Mapping[str, str]) -> None:
    asyncio.get_running_loop().set_exception_handler(log_loop_exception)
    notifier = Notifier.from_environ(environ)
    rng = random.Random()  # noqa: S311 - jitter, no secret
    async with (
        composed(config, clock=SystemClock(), rng=rng, observers=[ScanLog()]) as appliance,
        Crew() as crew,
    ):
        appliance.start(crew)
        crew.add("outage log", keep_outage_log(appliance.health))
        interval_s = watchdog_interval_s(environ)
        if interval_s is not None:
            crew.add("watchdog", _feed(notifier, appliance, interval_s))
        notifier.ready()
        notifier.status(f"kiosk at {appliance.kiosk_url}")
        _log.info(
            "lanes are open",
            extra={
                "count": len(config.lane),
                "site": config.site.id,
                "port": urlsplit(appliance.kiosk_url).port,
            },
        )
        await crew.dismissed()
        notifier.stopping()
        await appliance.drain()
        _log.info("stopped", extra={"pending": appliance.outlook.records.pending})


async def _feed(notifier: Notifier, appliance: Appliance, interval_s: float) -> NoReturn:
    """Tell the service manager that we live, as long as no vital check fails.

    It runs on the loop that serves the lanes: a loop that stalls goes unfed and is restarted.
    """
    while True:
        if appliance.health.report().alive:
            notifier.watchdog()
        await asyncio.sleep(interval_s)


def first_cause(error: BaseException) -> BaseException:
    """Return the first error inside nested groups: the one that a person should see."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return error
