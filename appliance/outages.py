"""What breaks and what comes back, as log lines: each health check's change of state, once."""

from __future__ import annotations

import asyncio
import logging
from typing import NoReturn

from appliance.health import Checked, Health, Report

LOOK_EVERY_S = 1.0
WORDED = "lane."
"""Checks whose reasons are logged: errors of this house. Others' may quote a server."""
LOOKS_APART = 10
"""A check that fails for other reasons than before is said again, but not at each look."""
_log = logging.getLogger(__name__)


class OutageLog:
    """Compares each report with the one before it."""

    def __init__(self) -> None:
        self._was_ok: dict[str, bool] = {}
        self._said: dict[str, tuple[str, int]] = {}
        self._looks = 0

    def take(self, report: Report) -> None:
        """Log every check that failed or recovered since the last report, or fails otherwise."""
        self._looks += 1
        for name, checked in report.checks.items():
            was_ok = self._was_ok.get(name)
            if checked.ok and was_ok is False:
                _log.info("recovered", extra={"check": name, "state": "ok"})
            elif not checked.ok and was_ok is not False:
                self._say("failed", name, checked)
            elif not checked.ok and self._is_news(name, checked.why):
                self._say("fails for another reason", name, checked)
            self._was_ok[name] = checked.ok

    def _say(self, message: str, name: str, checked: Checked) -> None:
        self._said[name] = (checked.why, self._looks)
        fields = {"check": name, "state": str(checked.weight)}
        if name.startswith(WORDED):
            fields["why"] = checked.why
        _log.warning(message, extra=fields)

    def _is_news(self, name: str, why: str) -> bool:
        said, look = self._said[name]
        return name.startswith(WORDED) and why != said and self._looks - look >= LOOKS_APART


async def keep_outage_log(health: Health) -> NoReturn:
    """Look at all checks once a second until cancelled."""
    outages = OutageLog()
    while True:
        outages.take(health.report())
        await asyncio.sleep(LOOK_EVERY_S)
