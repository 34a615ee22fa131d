"""Real files whose syncs can be held up, refused and counted."""

from __future__ import annotations

import threading

from cache.journal.medium import PosixMedium


class GatedMedium(PosixMedium):
    """Files of the operating system; `sync` waits for the gate, then raises `refusal` if set."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.reached = threading.Event()
        self.refusal: OSError | None = None
        self.syncs = 0

    def sync(self, file: int) -> None:
        self.syncs += 1
        self.reached.set()
        if not self.gate.wait(20):
            raise AssertionError("nobody opened the gate")
        if self.refusal is not None:
            raise self.refusal
        super().sync(file)

    def hold(self) -> None:
        """Let the next sync wait until `gate.set()`."""
        self.gate.clear()
        self.reached.clear()
