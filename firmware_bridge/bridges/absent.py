"""The bridge of a site that has no lamps, buzzer or gate: people read the kiosk screen alone."""

from __future__ import annotations

from admission.signal import Signal


class ScreenOnlyBridge:
    """Stands behind the Bridge port where no hardware was ever fitted.

    It is chosen in the configuration by name, never fallen back to: a gate whose hardware is
    missing must say so, and this one has none to miss.
    """

    @property
    def alive(self) -> bool:
        """True: there is nothing that could be silent."""
        return True

    async def show(self, signal: Signal, *, entry: int = 0) -> None:
        """Return at once: nothing is energised, so nothing has to end."""

    async def run(self) -> None:
        """Return at once: there is no port to own."""
