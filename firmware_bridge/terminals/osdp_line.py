"""What libosdp needs from us: a line to talk on, and the secure channel's key from its file."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from osdp import Channel  # type: ignore[import-untyped]

from firmware_bridge.terminals.line import Line
from firmware_bridge.terminals.terminals import TerminalsError

KEY_BYTES: Final = 16
_SEND_MS: Final = 50


class LineChannel(Channel):  # type: ignore[misc]
    """The line as libosdp wants it. What fails is kept: the library asks again and again."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.failure: TerminalsError | None = None
        self.received = 0
        self._line = line
        self._read = bytearray()

    def read(self, max_bytes: int) -> bytes:
        """Return what has come."""
        if not self._read and self.failure is None:
            try:
                self._read += self._line.receive(0)
            except TerminalsError as error:
                self.failure = error
        data = bytes(self._read[:max_bytes])
        del self._read[:max_bytes]
        self.received += len(data)
        return data

    def write(self, buf: bytes) -> int:
        """Send."""
        if self.failure is None:
            try:
                self._line.send(buf, _SEND_MS)
            except TerminalsError as error:
                self.failure = error
        return len(buf)

    def flush(self) -> None:
        """Do nothing: what was sent is on its way."""


def key_in(path: str) -> bytes:
    """Return the secure channel's base key in the file at `path`.

    :raises TerminalsError: if there is none, or others may read it. Never quotes what it read.
    """
    try:
        file = Path(path)
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            msg = f"{path} can be read by others than its owner"
            raise TerminalsError(msg, hint=f"chmod 600 {path}, and think of renewing the key")
        text = file.read_text("ascii").strip()
        key = bytes.fromhex(text)
    except (OSError, UnicodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no hexadecimal digits"
        msg = f"cannot read a key from {path}: {reason}"
        raise TerminalsError(msg, hint="32 hexadecimal digits in a file of mode 600") from None
    if len(key) != KEY_BYTES:
        msg = f"{path} holds a key of {len(key)} bytes, not {KEY_BYTES}"
        raise TerminalsError(msg, hint="32 hexadecimal digits in a file of mode 600")
    return key
