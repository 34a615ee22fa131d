"""A serial port as a source of readings."""

from __future__ import annotations

import os
import termios
from collections.abc import Callable
from typing import Protocol

import msgspec
import serial

from admission.backoff import Backoff
from admission.reading import Reading
from scanner.errors import SerialError, SerialLostError
from scanner.serial.framing import Line, LineFramer, LineSettings
from scanner.serial.reopening import REOPENING, Device, DeviceReader

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
            msg = f"{path} cannot be opened: {error}"
            raise SerialError(msg, hint=_hint(error)) from error
        self._path = path
        self._descriptor = self._serial.fileno()
        try:
            _tell_silence_from_hang_up(self._descriptor)
        except termios.error as error:
            self._serial.close()
            raise self._lost(str(error)) from error

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


def _hint(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, FileNotFoundError) or number == 2:
        return "plug the scanner in; /dev/serial/by-id names the ports that are there"
    if number == 13:
        return "let this user read serial ports: add it to the group dialout"
    if number in {11, 16}:
        return "another program has this port open: stop it first"
    return "check that the path names a serial port and that it supports this baud rate"


class SerialStatistics(msgspec.Struct, frozen=True):
    """Counts of one source since it was made. `failure` says why it is, or last was, down."""

    up: bool
    openings: int
    bytes_received: int
    readings: int
    oversized: int
    abandoned: int
    failure: str


class OpenPort(Protocol):
    """How a source opens its port."""

    def __call__(self, path: str, baud: int) -> Device:
        """Return the open port.

        :raises SerialError: it cannot be opened.
        """
        ...


class SerialSource:
    """Readings from the serial scanner at `path`, handed to `deliver` on the loop's own thread.

    `name` is the readings' `source`. `changed(up)` hears of each opening and loss. `draw()`
    returns a random number in [0, 1). The owner's task group runs `run`; cancelling it closes the
    port. An exception out of `deliver` ends `run`.
    """

    def __init__(
        self,
        path: str,
        name: str,
        deliver: Callable[[Reading], None],
        *,
        monotonic_ns: Callable[[], int],
        draw: Callable[[], float],
        baud: int = 9600,
        settings: LineSettings | None = None,
        backoff: Backoff = REOPENING,
        changed: Callable[[bool], None] | None = None,
        open_port: OpenPort = Port,
    ) -> None:
        self.name = name
        self._deliver = deliver
        self._settings = settings or LineSettings()
        self._framer = LineFramer(self._settings)
        self._bytes = self._readings = self._oversized = self._abandoned = 0
        self._reader = DeviceReader(
            lambda: open_port(path, baud),
            received=self._received,
            quiet=lambda now_ns: self._hand_on(self._framer.idle(now_ns)),
            quiet_s=self._settings.quiet_s,
            opened=self._start_anew,
            monotonic_ns=monotonic_ns,
            draw=draw,
            backoff=backoff,
            changed=changed,
        )

    @property
    def up(self) -> bool:
        """Whether the port is open and has not been lost."""
        return self._reader.up

    async def run(self) -> None:
        """Read the port, opening it again after each loss, until cancelled."""
        await self._reader.run()

    def statistics(self) -> SerialStatistics:
        """Return the counts so far."""
        reader = self._reader
        return SerialStatistics(
            up=reader.up,
            openings=reader.openings,
            bytes_received=self._bytes,
            readings=self._readings,
            oversized=self._oversized + self._framer.oversized,
            abandoned=self._abandoned + self._framer.abandoned,
            failure=str(reader.failure or ""),
        )

    def _start_anew(self) -> None:
        """Half a line from before a loss must not become the beginning of the next."""
        self._oversized += self._framer.oversized
        self._abandoned += self._framer.abandoned + self._framer.pending
        self._framer = LineFramer(self._settings)

    def _received(self, data: bytes, now_ns: int) -> None:
        self._bytes += len(data)
        self._hand_on(self._framer.feed(data, now_ns))

    def _hand_on(self, lines: list[Line]) -> None:
        for line in lines:
            self._readings += 1
            self._deliver(Reading(line.text, line.symbology, self.name, line.captured_ns))
