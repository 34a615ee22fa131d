"""Tells sources of their devices' coming and going, as the machine announces it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence

from appliance.health import Finding
from appliance.sources import Source
from scanner.hotplug import Announcement, Hotplug, Monitor, UdevMonitor

_log = logging.getLogger(__name__)


def log_change(hotplug: Hotplug) -> None:
    """Log that announcements are heard from here on, or no longer."""
    if hotplug.listening:
        _log.info("devices are announced")
    else:
        _log.info(
            "devices are not announced: sources try by themselves",
            extra={"reason": str(hotplug.failure)},
        )


class Plugging:
    """Wakes exactly those sources whose device was announced.

    Where nothing is announced (no udev in a container), sources try by themselves, with growing
    pauses: that is said once, by `tell`, and is no fault.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        draw: Callable[[], float],
        open_monitor: Callable[[], Monitor] = UdevMonitor,
        tell: Callable[[Hotplug], None] = log_change,
    ) -> None:
        self._sources = sources
        self._hotplug = Hotplug(
            open_monitor,
            heard=self._heard,
            missed=self._missed,
            changed=lambda: tell(self._hotplug),
            draw=draw,
        )

    async def run(self) -> None:
        """Listen until cancelled."""
        await self._hotplug.run()

    def finding(self) -> Finding:
        """Return the line for health: whether announcements are heard, and if not, why."""
        hotplug = self._hotplug
        if hotplug.listening:
            return Finding(ok=True, facts={"listening": True})
        return Finding(ok=True, facts={"listening": False, "reason": str(hotplug.failure or "")})

    def _heard(self, announcement: Announcement) -> None:
        for source in self._sources:
            if source.device and _is_of(source.device, announcement):
                if announcement.appeared:
                    source.plugged()
                else:
                    source.unplugged()

    def _missed(self) -> None:
        for source in self._sources:
            source.plugged()


def _is_of(device: str, announcement: Announcement) -> bool:
    """Return whether a source's device is meant: by its name, or by a link that udev keeps not."""
    names = announcement.names
    return device in names or (bool(names) and os.path.realpath(device) in names)
