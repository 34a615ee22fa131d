"""Several observers as one."""

from __future__ import annotations

from appliance.observation import Happening, Observer, Scan


class Observers:
    """Hands on to each in turn. All must return at once."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def scanned(self, scan: Scan) -> None:
        """Hand on a finished scan."""
        for observer in self._observers:
            observer.scanned(scan)

    def repeated(self, lane: str) -> None:
        """Hand on a repeated sighting."""
        for observer in self._observers:
            observer.repeated(lane)

    def turned_away(self, lane: str) -> None:
        """Hand on a reading that was not served."""
        for observer in self._observers:
            observer.turned_away(lane)

    def happened(self, happening: Happening) -> None:
        """Hand on what a board told of its gate."""
        for observer in self._observers:
            observer.happened(happening)

    def failed(self, lane: str, step: str, error: Exception) -> None:
        """Hand on a step that raised."""
        for observer in self._observers:
            observer.failed(lane, step, error)
