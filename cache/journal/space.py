"""What the journal's files may take of the disk, and what they take."""

from __future__ import annotations

import threading

from cache.journal.errors import JournalFull

_FULL_HINT = (
    "entries wait for the hub: restore the connection to it, "
    "or raise journal.budget_mib if the disk has room"
)


class Space:
    """A budget of bytes. Taken on the writer's thread, given back by it and by pruning.

    :param used_bytes: what the folder's files take at the start.
    """

    def __init__(self, budget_bytes: int, used_bytes: int = 0) -> None:
        self.budget_bytes = budget_bytes
        self._used_bytes = used_bytes
        self._lock = threading.Lock()

    @property
    def used_bytes(self) -> int:
        """How much is taken now, space set aside included."""
        return self._used_bytes

    @property
    def left_bytes(self) -> int:
        """How much may still be taken."""
        return max(0, self.budget_bytes - self._used_bytes)

    def take(self, count: int) -> None:
        """Take `count` bytes, all or none.

        :raises JournalFull: if that many are not left. Never in doubt.
        """
        with self._lock:
            if self._used_bytes + count > self.budget_bytes:
                msg = f"the journal has used up its {self.budget_bytes >> 20} MiB"
                raise JournalFull(msg, hint=_FULL_HINT)
            self._used_bytes += count

    def give_back(self, count: int) -> None:
        """Let go of `count` bytes."""
        with self._lock:
            self._used_bytes = max(0, self._used_bytes - count)
