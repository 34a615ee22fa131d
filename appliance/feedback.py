"""Serial scanners that tell the person in front of the verdict: good or bad, by beep or lamp."""

from __future__ import annotations

from collections.abc import Iterable

from admission.verdict import Outcome
from appliance.observation import Happening, Scan
from appliance.sources import ScannerDoor, Source


class Feedback:
    """An observer: whichever scanner read a code is told, after the light, what people were shown.

    It is told ADMIT as good and everything else as bad. Nothing waits for it. A code that is still
    held up after its verdict is no news: the scanner is told nothing again.
    """

    def __init__(self) -> None:
        self._scanners: dict[str, ScannerDoor] = {}

    def add(self, sources: Iterable[Source]) -> None:
        """Take in those of a lane's sources that can be told."""
        for source in sources:
            if isinstance(source, ScannerDoor):
                self._scanners[source.name] = source

    def scanned(self, scan: Scan) -> None:
        """Tell the scanner that read the code."""
        scanner = self._scanners.get(scan.reading.source)
        if scanner is not None:
            scanner.acknowledge(good=scan.shown.outcome is Outcome.ADMIT)

    def repeated(self, lane: str) -> None:
        """Nothing is told."""

    def turned_away(self, lane: str) -> None:
        """Nothing is told: the lane is out of order, and its screen says so."""

    def happened(self, happening: Happening) -> None:
        """Nothing is told: it is about no code."""

    def failed(self, lane: str, step: str, error: Exception) -> None:
        """Nothing is told: the scan's end tells."""
