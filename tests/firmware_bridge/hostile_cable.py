"""A hostile cable between two pseudo-terminals: it harms both directions, in real time.

Between the board's terminal and a new one that the host opens. Each chunk that comes along may be
dropped, doubled, delayed, overtaken by the next, split, have bits flipped and noise put in, or be
echoed to whoever sent it. All chance comes from one seed.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import select
import tempfile
import threading
import time
import tty
from collections import Counter
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self

MAX_DELAY_S: Final = 0.15
"""Longest that anything stays on the way: a copy of a frame may arrive that much later."""
_READ_BYTES: Final = 64
"""About 5 ms of the line: chunks are smaller than most frames, so that faults fall inside them."""
_CHUNK_S: Final = 0.003
"""How long a chunk gathers: a chip hands out one byte at a time, and faults are by the chunk."""
_TURN_S: Final = 0.2
_JOIN_S: Final = 5.0


class HostileCable:
    """A context manager: within it, what opens `path` talks to the board at `board_path`.

    `badness` is the chance of each fault for each chunk. After `heal` everything arrives as it was
    sent. `faults` counts what was done, by name.
    """

    def __init__(self, board_path: str, seed: int, badness: float) -> None:
        self.faults: Counter[str] = Counter()
        self._board_path = board_path
        self._badness = badness
        self._chance = Random(seed)
        self._travelling: list[tuple[float, int, int, bytes]] = []
        self._order = 0
        self._held: dict[int, bytes] = {}
        self._healed = threading.Event()
        self._ended = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._live, name="hostile-cable", daemon=True)

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="chot-cable-")
        self._board = os.open(self._board_path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._board)
        # Our own hold on the far end keeps the line up while no host has it open.
        self._host, self._far_end = os.openpty()
        tty.setraw(self._far_end)
        os.set_blocking(self._host, False)
        Path(self.path).symlink_to(os.ttyname(self._far_end))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join(_JOIN_S)
        for fd in (self._board, self._host, self._far_end):
            os.close(fd)
        self._folder.cleanup()
        if self._failure is not None:
            raise self._failure

    @property
    def path(self) -> str:
        """What the host opens."""
        return str(Path(self._folder.name, "cable"))

    def heal(self) -> None:
        """Harm nothing from now on. What is on the way still arrives."""
        self._healed.set()

    def _live(self) -> None:
        poll = select.poll()
        poll.register(self._board, select.POLLIN)
        poll.register(self._host, select.POLLIN)
        try:
            while not self._ended.is_set():
                for fd, _ in poll.poll(self._patience_s() * 1_000):
                    self._take(fd)
                self._deliver()
        except Exception as error:  # noqa: BLE001 - whoever leaves the context gets it
            self._failure = error

    def _patience_s(self) -> float:
        if not self._travelling:
            return _TURN_S
        return min(max(self._travelling[0][0] - time.monotonic(), 0.0), _TURN_S)

    def _take(self, source: int) -> None:
        time.sleep(_CHUNK_S)
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(source, _READ_BYTES)
            target = self._host if source == self._board else self._board
            if self._healed.is_set():
                self._send(target, self._held.pop(target, b"") + chunk)
            else:
                self._harm(source, target, chunk)

    def _harm(self, source: int, target: int, chunk: bytes) -> None:
        if self._happens("echo"):
            self._send(source, chunk)
        held = self._held.pop(target, b"")
        if self._happens("drop"):
            chunk = b""
        if chunk and self._happens("flip"):
            chunk = self._flipped(chunk)
        if self._happens("noise"):
            at = self._chance.randint(0, len(chunk))
            chunk = chunk[:at] + self._chance.randbytes(self._chance.randint(1, 40)) + chunk[at:]
        if self._happens("double"):
            self._send(target, chunk, self._chance.uniform(0.0, MAX_DELAY_S))
        if not held and self._happens("overtaken"):
            self._held[target] = chunk
            return
        self._send_pieces(target, chunk)
        self._send(target, held)

    def _send_pieces(self, target: int, chunk: bytes) -> None:
        delay_s = self._chance.uniform(0.0, MAX_DELAY_S) if self._happens("delay") else 0.0
        cut = self._chance.randrange(len(chunk)) if chunk and self._happens("split") else 0
        self._send(target, chunk[:cut], delay_s)
        self._send(target, chunk[cut:], delay_s + (0.005 if cut else 0.0))

    def _flipped(self, chunk: bytes) -> bytes:
        changed = bytearray(chunk)
        for _ in range(self._chance.randint(1, 4)):
            changed[self._chance.randrange(len(chunk))] ^= 1 << self._chance.randrange(8)
        return bytes(changed)

    def _happens(self, fault: str) -> bool:
        happens = self._chance.random() < self._badness
        self.faults[fault] += happens
        return happens

    def _send(self, target: int, chunk: bytes, delay_s: float = 0.0) -> None:
        if chunk:
            self._order += 1
            heapq.heappush(
                self._travelling, (time.monotonic() + delay_s, self._order, target, chunk)
            )

    def _deliver(self) -> None:
        while self._travelling and self._travelling[0][0] <= time.monotonic():
            _, _, target, chunk = heapq.heappop(self._travelling)
            # A line on which nobody listens loses what is sent: so does this one, when it is full.
            with contextlib.suppress(BlockingIOError):
                os.write(target, chunk)
