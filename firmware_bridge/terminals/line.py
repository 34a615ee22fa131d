"""A cable in the child process: written and read with a bound on each call.

The child that drives relays has a dead-man to keep, so nothing here waits longer than it was told,
whatever the other end does and however the wall clock steps (poll counts on the monotonic clock).
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import termios
from collections.abc import Callable
from typing import Final

import serial

from firmware_bridge.terminals.terminals import TerminalsError

CLOSE_WAIT_MS: Final = 100
_CLOSE_STEP_MS: Final = 5
_READ_BYTES: Final = 1_024
_SEND_PIECES: Final = 4
"""More pieces than that, of a few dozen bytes, and the other end takes them on purpose so."""
_GONE_HINT: Final = "check the cable and the device's power; it is opened again by itself"


class Line:
    """An open descriptor to a device called `name` in messages. Owns it until `close`."""

    def __init__(self, descriptor: int, name: str, close: Callable[[], None]) -> None:
        self.name = name
        self._descriptor = descriptor
        self._close = close
        os.set_blocking(descriptor, False)

    @property
    def descriptor(self) -> int:
        """What can be polled for news. To be read through `receive` only."""
        return self._descriptor

    def wait(self, timeout_ms: int) -> bool:
        """Return whether something has come, waiting for it at most `timeout_ms`.

        :raises TerminalsError: if the device is gone.
        """
        return self._ready(select.POLLIN, max(timeout_ms, 0))

    def send(self, data: bytes, timeout_ms: int) -> None:
        """Hand all of `data` to the kernel.

        :raises TerminalsError: if the device is gone, or takes nothing for `timeout_ms`.
        """
        unsent = memoryview(data)
        for _ in range(_SEND_PIECES):
            try:
                unsent = unsent[os.write(self._descriptor, unsent) :]
            except BlockingIOError:
                if not self._ready(select.POLLOUT, timeout_ms // _SEND_PIECES):
                    break
            except OSError as error:
                raise self._gone(error.strerror or str(error)) from error
            if not unsent:
                return
        msg = f"{self.name} takes no bytes"
        raise TerminalsError(msg, hint=_GONE_HINT)

    def receive(self, timeout_ms: int) -> bytes:
        """Return what came, at most 1,024 bytes; empty if nothing came within `timeout_ms`.

        :raises TerminalsError: if the device is gone.
        """
        if not self._ready(select.POLLIN, max(timeout_ms, 0)):
            return b""
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._gone(error.strerror or str(error)) from error
        if not data:
            raise self._gone("it hung up")
        return data

    def rest(self, silence_ms: int) -> None:
        """Drop what is waiting, until nothing came for `silence_ms`; at most eight times.

        :raises TerminalsError: if the device is gone.
        """
        for _ in range(8):
            if not self.receive(silence_ms):
                return

    def close(self) -> None:
        """Give the descriptor back. Never fails, never waits."""
        with contextlib.suppress(OSError, termios.error, ValueError):
            self._close()

    def _ready(self, event: int, timeout_ms: int) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, event)
        for _, state in poll.poll(timeout_ms):
            if state & event:
                return True
            if state & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                raise self._gone("it hung up")
        return False

    def _gone(self, reason: str) -> TerminalsError:
        return TerminalsError(f"{self.name} is gone: {reason}", hint=_GONE_HINT)


def open_serial(path: str, *, baud: int, parity: str = "N", stop_bits: int = 1) -> Line:
    """Return the serial port at `path`, raw and locked against a second user.

    :raises TerminalsError: if it is not there, in use, or not a serial port.
    """
    try:
        device = serial.Serial(
            path,
            baud,
            parity=parity,
            stopbits=stop_bits,
            timeout=0,
            write_timeout=0,
            exclusive=True,
        )
    except (OSError, ValueError, termios.error) as error:
        code = error.errno if isinstance(error, OSError) else None
        msg = f"cannot open {path}: {os.strerror(code) if code else error}"
        raise TerminalsError(msg, hint=_SERIAL_HINTS.get(code, _NO_PORT)) from error

    def close() -> None:
        # The last words switch something off: they get their time on the cable. What the device
        # has not taken by then is dropped, for the kernel would wait half a minute for it.
        with contextlib.suppress(OSError, termios.error):
            for _ in range(CLOSE_WAIT_MS // _CLOSE_STEP_MS):
                if not device.out_waiting:
                    break
                select.poll().poll(_CLOSE_STEP_MS)
            else:
                device.reset_output_buffer()
        device.close()

    return Line(device.fileno(), path, close)


def open_tcp(host: str, port: int, *, timeout_ms: int) -> Line:
    """Return a connection to `host`: a name or an address.

    :raises TerminalsError: if nobody answers there within `timeout_ms`.
    """
    name = f"{host}:{port}"
    try:
        connection = socket.create_connection((host, port), timeout=timeout_ms / 1000)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, UnicodeError) as error:
        reason = "no answer" if isinstance(error, TimeoutError) else str(error)
        msg = f"cannot connect to {name}: {reason}"
        raise TerminalsError(msg, hint=_TCP_HINT) from error
    return Line(connection.fileno(), name, connection.close)


_TCP_HINT: Final = "check the address, the network cable and that no other master holds the board"
_NO_PORT: Final = "is this a serial port? name it by /dev/serial/by-id/..."
_IN_USE: Final = "another program has this port open"
_SERIAL_HINTS: Final[dict[int | None, str]] = {
    errno.ENOENT: "is it plugged in? name it by /dev/serial/by-id/...",
    errno.EACCES: "add the user to the group dialout, or install the shipped udev rules",
    errno.EAGAIN: _IN_USE,
    errno.EBUSY: _IN_USE,
}
