"""A board's port for one event loop: a serial cable, or whatever else has a file descriptor.

It is opened exclusively, and read and written without ever waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import select
import termios
from collections.abc import Callable
from typing import Final, Protocol

import serial

from firmware_bridge.errors import BridgeError, BridgeUnavailable

BAUD: Final = 115_200
MAX_UNWRITTEN_BYTES: Final = 1_024
"""Some 90 ms of the cable. More than this waiting means that the port takes nothing any more."""
_READ_BYTES: Final = 4_096


class Device(Protocol):
    """What leads to a board: open, without blocking, for nobody else."""

    def fileno(self) -> int:
        """Return the descriptor that is read and written."""
        ...

    def close(self) -> None:
        """Give it back, without waiting for anything."""
        ...

    def reason(self) -> BridgeError | None:
        """Return why it was lost, if it can tell more than that it was."""
        ...


class SerialDevice(serial.Serial):
    """A serial port. Behind a cable nobody tells why it is gone."""

    def reason(self) -> BridgeError | None:
        """Return None."""
        return None


class Port:
    """An open port. `on_bytes` gets what comes, `on_lost` the reason when it is gone, once.

    Both are called on the loop. After `on_lost` the port has to be closed.
    """

    def __init__(
        self,
        device: Device,
        loop: asyncio.AbstractEventLoop,
        on_bytes: Callable[[bytes], None],
        on_lost: Callable[[Exception], None],
    ) -> None:
        self._device = device
        self._fd = device.fileno()
        self._terminal = os.isatty(self._fd)
        self._loop = loop
        self._on_bytes = on_bytes
        self._on_lost = on_lost
        self._unwritten = bytearray()
        self._lost = False
        loop.add_reader(self._fd, self.read)

    def read(self) -> None:
        """Hand over what has come, if anything has."""
        if self._lost:
            return
        try:
            data = os.read(self._fd, _READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(_gone(error.strerror or str(error)))
            return
        if not data:
            # A raw terminal reads as empty both when it is idle and when it was hung up.
            if not self._terminal or self._hung_up():
                self._lose(_gone("hung up"))
            return
        try:
            self._on_bytes(data)
        except Exception as error:  # noqa: BLE001 - the owner of the bridge's task gets it
            self._lose(error)

    def write(self, data: bytes) -> None:
        """Send, in order, as soon as the kernel takes it."""
        if self._lost or not data:
            return
        if len(self._unwritten) + len(data) > MAX_UNWRITTEN_BYTES:
            self._lose(_gone("it takes no more bytes"))
            return
        waiting = bool(self._unwritten)
        self._unwritten += data
        if not waiting:
            self._flush()

    def close(self) -> None:
        """Give the port back. What was not written is dropped, so that closing cannot wait."""
        self._lost = True
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        # A device that is gone fails at every call; there is nothing left to do about it.
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self._fd, termios.TCOFLUSH)
        with contextlib.suppress(OSError, termios.error):
            self._device.close()

    def _hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return any(state & (select.POLLHUP | select.POLLERR) for _, state in poll.poll(0))

    def _flush(self) -> None:
        try:
            written = os.write(self._fd, self._unwritten)
        except (BlockingIOError, InterruptedError):
            written = 0
        except OSError as error:
            self._lose(_gone(error.strerror or str(error)))
            return
        del self._unwritten[:written]
        if self._unwritten:
            self._loop.add_writer(self._fd, self._flush)
        else:
            self._loop.remove_writer(self._fd)

    def _lose(self, reason: Exception) -> None:
        self._lost = True
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        told = self._device.reason() if isinstance(reason, BridgeUnavailable) else None
        self._on_lost(told or reason)


def open_device(path: str) -> SerialDevice:
    """Return the device at `path`, raw, at `BAUD`, locked against a second user. May take a while.

    :raises BridgeUnavailable: if it is not there, in use, or not a serial port.
    """
    try:
        return SerialDevice(path, BAUD, timeout=0, write_timeout=0, exclusive=True)
    except (OSError, ValueError, termios.error) as error:
        code = error.errno if isinstance(error, OSError) else None
        msg = f"cannot open {path}: {os.strerror(code) if code else error}"
        raise BridgeUnavailable(msg, hint=_HINTS.get(code, _NO_PORT)) from error


async def opened(open_device: Callable[[str], Device], path: str) -> Device:
    """Return what `open_device` opens. That may wait for a driver, so it happens on a thread.

    :raises BridgeError: what it raised.
    """
    opening = asyncio.ensure_future(asyncio.to_thread(open_device, path))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        with contextlib.suppress(BridgeError):
            (await opening).close()
        raise


_NO_PORT: Final = "is this a serial port? name it by /dev/serial/by-id/..."
_IN_USE: Final = "another program has this port open"
_HINTS: Final[dict[int | None, str]] = {
    errno.ENOENT: "is it plugged in? name it by /dev/serial/by-id/...",
    errno.EACCES: "add the user to the group dialout, or install the shipped udev rules",
    errno.EAGAIN: _IN_USE,
    errno.EBUSY: _IN_USE,
}


def _gone(reason: str) -> BridgeUnavailable:
    return BridgeUnavailable(
        f"the board's port is gone: {reason}", hint="check the cable; it is reopened by itself"
    )
