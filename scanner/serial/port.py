"""A serial port, opened for one scanner."""

from __future__ import annotations

import errno
import os
import termios

import serial

from scanner.errors import SerialError, SerialLostError

READ_BYTES = 4096
"""Most bytes taken per turn of the loop, so that a flood on one port cannot starve the others."""


class Port:
    """One open serial port: 8 data bits, no parity, 1 stop bit, no flow control, raw, not shared.

    pyserial opens and sets it; reading bypasses pyserial, whose `read_until` takes milliseconds.
    What arrived before the opening is dropped: it belongs to people who have left.
    """

    def __init__(self, path: str, baud: int) -> None:
        """Open `path` at `baud`.

        :raises SerialError: it is absent, not permitted, in use, or no serial port.
        """
        try:
            self._serial = serial.Serial(path, baud, timeout=0, exclusive=True)
        except (OSError, ValueError, termios.error) as error:
            raise _refusal(path, error) from error
        self._path = path
        self._descriptor = self._serial.fileno()
        try:
            _tell_silence_from_hang_up(self._descriptor)
        except termios.error as error:
            self._serial.close()
            raise self._lost(os.strerror(error.args[0])) from error

    def fileno(self) -> int:
        """Return the descriptor that the loop watches."""
        return self._descriptor

    def read(self) -> bytes:
        """Return at most `READ_BYTES` of what has arrived; empty if nothing has.

        :raises SerialLostError: the device was unplugged.
        """
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._lost(str(error)) from error
        if not data:
            raise self._lost("it has hung up")
        return data

    def write(self, data: bytes) -> int:
        """Write what the port takes at once, and return how many bytes that were.

        :raises SerialLostError: the device was unplugged.
        """
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._lost(str(error)) from error

    def close(self) -> None:
        """Give the port back. Closing twice does nothing."""
        self._serial.close()

    def _lost(self, why: str) -> SerialLostError:
        msg = f"{self._path} is lost: {why}"
        return SerialLostError(msg, hint="check the cable; the port is opened again by itself")


def _tell_silence_from_hang_up(descriptor: int) -> None:
    """Let an empty read mean a hang-up only: pyserial's VMIN 0 makes silence read as empty too."""
    attributes = termios.tcgetattr(descriptor)
    attributes[6][termios.VMIN] = 1
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


def _refusal(path: str, error: Exception) -> SerialError:
    """Return what to tell a person in place of pyserial's message, which says all of it twice."""
    match _number(error):
        case errno.ENOENT:
            why = "is not there"
            hint = "plug the scanner in; /dev/serial/by-id names the ports that are there"
        case errno.ENOTTY | errno.EISDIR:
            why = "is no serial port"
            hint = "/dev/serial/by-id names the ports that are there"
        case errno.EACCES:
            why = "cannot be opened: Permission denied"
            hint = "let this user read serial ports: add it to the group dialout"
        case errno.EAGAIN | errno.EBUSY:
            why = "cannot be opened: it is in use"
            hint = "another program has this port open: stop it first"
        case number:
            why = f"cannot be opened: {os.strerror(number) if number else error}"
            hint = "check that the path names a serial port and that it supports this baud rate"
    return SerialError(f"{path} {why}", hint=hint)


def _number(error: Exception) -> int:
    """Return the system's number of what went wrong, which pyserial may only chain; 0 if none."""
    for cause in (error, error.__context__):
        if isinstance(cause, OSError) and cause.errno is not None:
            return cause.errno
        if isinstance(cause, termios.error) and cause.args:
            return int(cause.args[0])
    return 0
