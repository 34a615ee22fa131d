"""Which input events are new: the board repeats each until it is confirmed."""

from __future__ import annotations


class InputFilter:
    """Remembers the newest event, over sessions, until the board starts anew.

    The board has one event on its way at a time and numbers events when it first sends them, so
    new ones are ahead by little (serial number arithmetic, RFC 1982, on 8 bits).
    """

    def __init__(self) -> None:
        self._newest: tuple[int, int] | None = None

    def is_new(self, boot_count: int, sequence: int) -> bool:
        """Return whether this event was not seen before, and remember it."""
        if self._newest is not None and self._newest[0] == boot_count:
            ahead = sequence - self._newest[1] & 0xFF
            if not 0 < ahead < 0x80:
                return False
        self._newest = (boot_count, sequence)
        return True
