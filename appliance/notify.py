"""Tell the service manager how we are: sd_notify(3) and its watchdog, without a library."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Sends notifications to the socket at `address` (a path, or '@name' for an abstract one).

    Every method returns at once: True if the datagram was handed over, False if no manager listens
    or its queue is full. Neither is an error of ours: a missed watchdog message is made good by the
    next one, and a manager that is gone cannot be told.
    """

    def __init__(self, address: str) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Notifier:
        """Return the notifier of `NOTIFY_SOCKET`; one that tells nobody where that is not set."""
        return cls(environ.get("NOTIFY_SOCKET", ""))

    def ready(self) -> bool:
        """Say that start-up has finished (READY=1): lanes are open."""
        return self._send("READY=1")

    def stopping(self) -> bool:
        """Say that the daemon is on its way out (STOPPING=1)."""
        return self._send("STOPPING=1")

    def watchdog(self) -> bool:
        """Say that the daemon is alive (WATCHDOG=1); without it the manager restarts us."""
        return self._send("WATCHDOG=1")

    def status(self, text: str) -> bool:
        """Say in one line what goes on, for `systemctl status` (STATUS=)."""
        return self._send("STATUS=" + " ".join(text.split())[:200])

    def _send(self, message: str) -> bool:
        if not self._address:
            return False
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        with socket.socket(socket.AF_UNIX, kind) as sender:
            try:
                sender.sendto(message.encode(), self._address)
            except OSError:
                return False
        return True


def watchdog_interval_s(environ: Mapping[str, str], pid: int | None = None) -> float | None:
    """Return how often to send the watchdog message, in seconds, or None if nobody waits for it.

    A third of WATCHDOG_USEC, so that one message may be lost (sd_watchdog_enabled(3) asks for half
    at most). None too where WATCHDOG_PID names another process, or the value is not a number.
    """
    microseconds = environ.get("WATCHDOG_USEC", "")
    meant_for = environ.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    if meant_for and meant_for != str(os.getpid() if pid is None else pid):
        return None
    return int(microseconds) / 3_000_000
