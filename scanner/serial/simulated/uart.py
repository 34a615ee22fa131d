"""A simulated UART: what is heard of bytes at another baud rate than they were sent at."""

from __future__ import annotations

import math

from scanner.serial.port import Port

_FRAME_BITS = 10
_MARK = b"\xff\x00"
"""Before a byte with a framing error; a sound FF is doubled (termios(3), PARMRK)."""


class Garbled:
    """A line that carries bytes at one rate while its receiver listens at another.

    Each byte is a start bit (low), eight data bits from the lowest on, and a stop bit (high). The
    receiver takes a low line for a start bit and samples the middle of each of its own bits; where
    the stop bit is low, the byte has a framing error, and the line must rise before the next.
    """

    def __init__(self, sent_baud: int, heard_baud: int) -> None:
        self._bits_per_bit = sent_baud / heard_baud

    def carry(self, data: bytes) -> bytes:
        """Return what a receiver with PARMRK reads of `data`, sent without pauses."""
        if self._bits_per_bit == 1.0:
            return data.replace(b"\xff", b"\xff\xff")
        levels = [level for byte in data for level in _frame(byte)]
        heard = bytearray()
        at = 0.0
        while (start := _next(levels, at, level=0)) is not None:
            byte, sound = self._sampled(levels, start)
            if not sound:
                heard += _MARK + bytes([byte])
            else:
                heard += b"\xff\xff" if byte == 0xFF else bytes([byte])
            at = start + (_FRAME_BITS - 0.5) * self._bits_per_bit
            if not sound:
                rise = _next(levels, at, level=1)
                at = len(levels) if rise is None else rise
        return bytes(heard)

    def _sampled(self, levels: list[int], start: float) -> tuple[int, bool]:
        bits = [
            _level(levels, start + (number + 0.5) * self._bits_per_bit)
            for number in range(1, _FRAME_BITS)
        ]
        return sum(bit << place for place, bit in enumerate(bits[:8])), bits[8] == 1


class MistunedPort(Port):
    """A port to a device behind a UART that is set to `device_baud`, whatever the host chose."""

    def __init__(self, path: str, baud: int, device_baud: int) -> None:
        """Open the pseudo-terminal of the device.

        :raises SerialError: as `Port`.
        """
        super().__init__(path, baud)
        self._in = Garbled(device_baud, baud)
        self._out = Garbled(baud, device_baud)

    def read(self) -> bytes:
        """Return what is heard of what has arrived, with errors marked.

        :raises SerialLostError: the device was unplugged.
        """
        return self._in.carry(super().read())

    def write(self, data: bytes) -> int:
        """Write what the device hears of `data`, and return how many bytes of `data` that were.

        :raises SerialLostError: the device was unplugged.
        """
        super().write(self._out.carry(data).replace(b"\xff\xff", b"\xff"))
        return len(data)


def _frame(byte: int) -> list[int]:
    return [0, *(byte >> place & 1 for place in range(8)), 1]


def _level(levels: list[int], at: float) -> int:
    index = math.floor(at)
    return levels[index] if index < len(levels) else 1


def _next(levels: list[int], at: float, *, level: int) -> float | None:
    """Return when the line is next at `level`: now, or at the beginning of a later bit."""
    if at < len(levels) and _level(levels, at) == level:
        return at
    for index in range(math.floor(at) + 1, len(levels)):
        if levels[index] == level:
            return float(index)
    return None
