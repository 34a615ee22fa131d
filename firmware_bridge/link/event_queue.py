"""What the board has to tell and the host does not hold yet, in bounded memory."""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from firmware_bridge.link.messages import BoardEvent, InputEvent

MAX_WAITING: Final = 12
MAX_WAITING_INPUTS: Final = 8
"""The rest is for what happens at a gate: a contact that bounces must not crowd out a passage."""


class EventQueue:
    """Events in their order. The first one is on its way, under `sequence`, until it is confirmed.

    What finds no room is counted in `lost` of the next one that does (u8, saturating).
    """

    def __init__(self) -> None:
        self.sequence = 1
        self._waiting: deque[BoardEvent] = deque()
        self._lost = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def first(self) -> BoardEvent | None:
        """The event that is on its way."""
        return self._waiting[0] if self._waiting else None

    def add(self, event: BoardEvent) -> None:
        """Take an event, or count it as lost."""
        if not self._has_room(event):
            self._lost = min(self._lost + 1, 0xFF)
            return
        self._waiting.append(msgspec.structs.replace(event, lost=self._lost))
        self._lost = 0

    def confirm(self, sequence: int) -> bool:
        """Drop the first event if this is its sequence. Return whether it was."""
        if not self._waiting or sequence != self.sequence:
            return False
        self._waiting.popleft()
        self.sequence = self.sequence + 1 & 0xFF
        return True

    def _has_room(self, event: BoardEvent) -> bool:
        if len(self._waiting) >= MAX_WAITING:
            return False
        inputs = sum(isinstance(waiting, InputEvent) for waiting in self._waiting)
        return not isinstance(event, InputEvent) or inputs < MAX_WAITING_INPUTS
