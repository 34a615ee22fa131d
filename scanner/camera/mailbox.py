"""A mailbox of one: the newest item wins, losses are counted, closing wakes the waiter."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Hands items from one thread to another without ever holding more than one.

    A reader that is slower than the writer sees the newest item only: at a gate an old frame has
    no value. Neither side ever waits for the other, except a reader for the next item.
    """

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._items: list[T] = []
        self._dropped = 0
        self._closed = False

    def put(self, item: T) -> bool:
        """Leave `item`, replacing one that was not taken. Return False if the mailbox is closed."""
        with self._ready:
            if self._closed:
                return False
            if self._items:
                self._items[0] = item
                self._dropped += 1
            else:
                self._items.append(item)
                self._ready.notify()
            return True

    def take(self, timeout_s: float) -> T | None:
        """Return the item once there is one; None after `timeout_s` or once closed and empty."""
        with self._ready:
            if not self._items and not self._closed:
                self._ready.wait_for(lambda: bool(self._items) or self._closed, timeout_s)
            return self._items.pop() if self._items else None

    def close(self) -> None:
        """Take nothing more and wake a waiting reader. What lies in the box can still be taken."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        with self._ready:
            return self._closed

    @property
    def dropped(self) -> int:
        """How many items were replaced before anyone took them."""
        with self._ready:
            return self._dropped
