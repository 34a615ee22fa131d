"""What the lanes did, as log lines: verdicts and failures, never a person or a code."""

from __future__ import annotations

import logging

from admission.incident import LOST
from appliance.observation import UNBELIEVED, Happening, Scan

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

    def happened(self, happening: Happening) -> None:
        """Log what is an alarm, and what is not to be believed; who passed is in the journal."""
        fields = {
            "lane": happening.lane,
            "kind": happening.kind,
            "sequence": happening.sequence,
            "count": happening.count,
        }
        if happening.alert is not None or happening.kind in {UNBELIEVED, LOST}:
            _log.warning("at the gate", extra=fields)
        elif happening.entry is not None:
            _log.info("at the gate", extra=fields)

    def failed(self, lane: str, step: str, error: Exception) -> None:
        """Log a step that raised, with its error."""
        _log.error("a step of a scan failed", extra={"lane": lane, "step": step}, exc_info=error)
