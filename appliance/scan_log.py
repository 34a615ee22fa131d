"""What the lanes did, as log lines: verdicts and failures, never a person or a code."""

from __future__ import annotations

import logging

from appliance.observation import Scan

_log = logging.getLogger(__name__)


class ScanLog:
    """Observer of lanes that writes to the log. Repeats are left to the metrics."""

    def scanned(self, scan: Scan) -> None:
        """Log a verdict with its first reason."""
        _log.info(
            "verdict",
            extra={
                "lane": scan.lane,
                "source": scan.reading.source,
                "kind": scan.credential.kind,
                "verdict": scan.shown.outcome,
                "reason": scan.shown.reason,
                "sequence": scan.sequence,
            },
        )

    def repeated(self, lane: str) -> None:
        """Say nothing: a code held up is sighted thirty times a second."""

    def turned_away(self, lane: str) -> None:
        """Log that an out-of-order lane did not serve a reading."""
        _log.warning("turned away: the lane is out of order", extra={"lane": lane})

    def failed(self, lane: str, step: str, error: Exception) -> None:
        """Log a step that raised, with its error."""
        _log.error("a step of a scan failed", extra={"lane": lane, "step": step}, exc_info=error)
