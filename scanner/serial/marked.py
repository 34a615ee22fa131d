"""A port that tells bytes that came whole from bytes that did not: how a wrong baud rate shows."""

from __future__ import annotations

import termios

from scanner.errors import SerialError
from scanner.serial.port import Port

_MARK, _NUL = 0xFF, 0x00


class MarkedPort(Port):
    """A port whose driver marks framing errors among the bytes (PARMRK); read it by `Marks`."""

    def __init__(self, path: str, baud: int) -> None:
        """Open `path` at `baud`.

        :raises SerialError: as `Port`, or if errors cannot be marked.
        """
        super().__init__(path, baud)
        try:
            attributes = termios.tcgetattr(self.fileno())
            attributes[0] |= termios.PARMRK | termios.INPCK
            attributes[0] &= ~(termios.IGNPAR | termios.ISTRIP | termios.IGNBRK | termios.BRKINT)
            termios.tcsetattr(self.fileno(), termios.TCSANOW, attributes)
        except termios.error as error:
            self.close()
            msg = f"{path}: errors on the line cannot be marked: {error}"
            raise SerialError(msg, hint="unplug it and plug it in again") from error


class Marks:
    r"""Takes the marks of PARMRK out of a stream, however it is cut (termios(3)).

    >>> marks = Marks()
    >>> marks.sound(b"A\xff"), marks.sound(b"\xffB\xff\x00"), marks.sound(b"\x80C"), marks.errors
    (b'A', b'\xffB', b'C', 1)
    """

    def __init__(self) -> None:
        self.errors = 0
        """Bytes so far with a framing error, and breaks."""
        self._kept = b""

    def sound(self, data: bytes) -> bytes:
        """Return the bytes that came whole."""
        data = self._kept + data
        whole = bytearray()
        at = 0
        while at < len(data):
            if data[at] != _MARK:
                whole.append(data[at])
                at += 1
            elif at + 1 == len(data) or (data[at + 1] == _NUL and at + 2 == len(data)):
                break
            elif data[at + 1] == _NUL:
                self.errors += 1
                at += 3
            else:
                whole.append(_MARK)
                at += 2
        self._kept = data[at:]
        return bytes(whole)
