"""What is to be written to a port: at once where it can be, later where the port is full."""

from __future__ import annotations

import asyncio
from typing import Protocol

from scanner.errors import ScannerError

UNSENT_LIMIT_BYTES = 1024
"""Bytes that wait for the port. What would exceed them is dropped and counted: a command that is
late by that much means nothing to the person in front any more."""


class Writable(Protocol):
    """An open, non-blocking port."""

    def fileno(self) -> int:
        """Return the descriptor that the loop watches."""
        ...

    def write(self, data: bytes) -> int:
        """Write what fits, at once, and return how many bytes that were.

        :raises ScannerError: the device is gone.
        """
        ...


class Outbox:
    """Writes to one opening of a port on the running loop; never blocks and never raises.

    A port that fails in writing fails in reading, too, and whoever reads it acts on that.
    """

    def __init__(self, port: Writable) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._waiting = b""
        self._stopped = False
        self._watching = False
        self.dropped_bytes = 0
        """Bytes so far that were never written."""

    def send(self, data: bytes) -> None:
        """Write `data` after all that waits already."""
        if self._stopped or len(self._waiting) + len(data) > UNSENT_LIMIT_BYTES:
            self.dropped_bytes += len(data)
            return
        self._waiting += data
        if not self._watching:
            self._write()

    def stop(self) -> None:
        """Give up what waits, before the port is closed. Stopping twice does nothing."""
        if not self._stopped:
            self._stopped = True
            self._watch(on=False)
            self.dropped_bytes += len(self._waiting)
            self._waiting = b""

    def _write(self) -> None:
        try:
            written = self._port.write(self._waiting)
        except ScannerError:
            self.stop()
            return
        self._waiting = self._waiting[written:]
        self._watch(on=bool(self._waiting))

    def _watch(self, *, on: bool) -> None:
        if on and not self._watching:
            self._loop.add_writer(self._port.fileno(), self._write)
        elif self._watching and not on:
            self._loop.remove_writer(self._port.fileno())
        self._watching = on
