"""What the lanes did, as log lines: verdicts and failures, never a person or a code."""

from __future__ import annotations

import logging
from collections import Counter

from admission.incident import LOST
from appliance.observation import UNBELIEVED, Happening, Scan

_log = logging.getLogger(__name__)


class ScanLog:
    """Observer of lanes that writes to the log. Repeats are left to the metrics."""

    def __init__(self) -> None:
        self._unlisted: Counter[tuple[str, str]] = Counter()

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
        """Log what is an alarm, and what is not to be believed; who passed is in the journal.

        What has no entry of its own is said at the first time and whenever its count has doubled:
        neither a chattering contact nor a mad board fills the log.
        """
        fields = {
            "lane": happening.lane,
            "kind": happening.kind,
            "sequence": happening.sequence,
            "count": happening.count,
        }
        if happening.alert is not None or happening.kind in {UNBELIEVED, LOST}:
            if happening.sequence is None:
                fields["count"] = self._counted(happening)
            if fields["count"]:
                _log.warning("at the gate", extra=fields)
        elif happening.entry is not None:
            _log.info("at the gate", extra=fields)

    def _counted(self, happening: Happening) -> int:
        """Return how often it has happened if that is to be said, else 0."""
        what = (happening.lane, happening.kind)
        before = self._unlisted[what]
        self._unlisted[what] = after = before + happening.count
        return after if after.bit_length() > before.bit_length() else 0

    def failed(self, lane: str, step: str, error: Exception) -> None:
        """Log a step that raised, with its error."""
        _log.error("a step of a scan failed", extra={"lane": lane, "step": step}, exc_info=error)
