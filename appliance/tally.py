"""Counts of what the lanes did: the demonstration's table and closing figures."""

from __future__ import annotations

from collections import Counter, deque

import msgspec

from admission.credential import masked_name
from admission.verdict import Outcome, Reason, Verdict
from appliance.observation import Happening, Scan
from appliance.percentile import percentile

KEPT_LATENCIES = 10_000
KEPT_SCANS = 200


class Row(msgspec.Struct, frozen=True):
    """One line of the table. Holds no code and no full name."""

    lane: str
    source: str
    kind: str
    holder: str
    verdict: Verdict
    latency_ms: float | None


class Tally:
    """Observer of lanes that counts. Latencies are kept for the last ten thousand scans."""

    def __init__(self) -> None:
        self.verdicts: Counter[Outcome] = Counter()
        self.reasons: Counter[Reason] = Counter()
        self.repeats = 0
        self.away = 0
        self.failures: Counter[str] = Counter()
        self.happenings: Counter[str] = Counter()
        self.unjournaled = 0
        self.rows: deque[Row] = deque(maxlen=KEPT_SCANS)
        self._latencies_ms: deque[float] = deque(maxlen=KEPT_LATENCIES)

    def scanned(self, scan: Scan) -> None:
        """Count one finished scan."""
        latency = None if scan.reading_to_light_ns is None else scan.reading_to_light_ns / 1e6
        self.rows.append(
            Row(
                lane=scan.lane,
                source=scan.reading.source,
                kind=scan.credential.kind,
                holder=masked_name(scan.credential.holder.name) if scan.credential.holder else "",
                verdict=scan.shown,
                latency_ms=latency,
            )
        )
        if scan.sequence is None:
            self.unjournaled += 1
            return
        self.verdicts[scan.judged.outcome] += 1
        self.reasons.update(scan.judged.reasons)
        if latency is not None:
            self._latencies_ms.append(latency)

    def repeated(self, lane: str) -> None:
        """Count a further sighting of a code that has its verdict."""
        del lane
        self.repeats += 1

    def turned_away(self, lane: str) -> None:
        """Count a reading that an out-of-order lane did not serve."""
        del lane
        self.away += 1

    def happened(self, happening: Happening) -> None:
        """Count what happened at a gate."""
        self.happenings[happening.kind] += happening.count

    def failed(self, lane: str, step: str, error: Exception) -> None:
        """Count a step that raised."""
        del lane, error
        self.failures[step] += 1

    @property
    def readings(self) -> int:
        """Readings that ended in a verdict."""
        return self.verdicts.total()

    def latency_ms(self, percent: float) -> float | None:
        """Return a percentile of reading-to-light, nearest rank; None before the first light."""
        return percentile(self._latencies_ms, percent) if self._latencies_ms else None
