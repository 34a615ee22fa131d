"""What breaks and what comes back, as log lines: each health check's change of state, once."""

from __future__ import annotations

import asyncio
import logging
from typing import NoReturn

from appliance.health import Health, Report

LOOK_EVERY_S = 1.0
_log = logging.getLogger(__name__)


class OutageLog:
    """Compares each report with the one before it."""

    def __init__(self) -> None:
        self._was_ok: dict[str, bool] = {}

    def take(self, report: Report) -> None:
        """Log every check that has failed or recovered since the last report."""
        for name, checked in report.checks.items():
            was_ok = self._was_ok.get(name)
            if checked.ok and was_ok is False:
                _log.info("recovered", extra={"check": name, "state": "ok"})
            elif not checked.ok and was_ok is not False:
                _log.warning("failed", extra={"check": name, "state": str(checked.weight)})
            self._was_ok[name] = checked.ok


async def keep_outage_log(health: Health) -> NoReturn:
    """Look at all checks once a second until cancelled."""
    outages = OutageLog()
    while True:
        outages.take(health.report())
        await asyncio.sleep(LOOK_EVERY_S)
