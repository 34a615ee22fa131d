"""What a board has to say and its line has not taken yet, in bounded memory."""

from __future__ import annotations

from typing import Final

from firmware_bridge.link.frame import Frame, encode

MAX_UNSENT_BYTES: Final = 512


class Outbox:
    """Bytes on their way to the host. What finds no room is dropped as a whole frame."""

    def __init__(self) -> None:
        self._unsent = bytearray()

    def send(self, frame: Frame) -> None:
        """Put a frame behind what waits."""
        data = encode(frame)
        if len(self._unsent) + len(data) <= MAX_UNSENT_BYTES:
            self._unsent += data

    def take(self) -> bytes:
        """Return what is to be sent, once."""
        unsent = bytes(self._unsent)
        self._unsent.clear()
        return unsent
