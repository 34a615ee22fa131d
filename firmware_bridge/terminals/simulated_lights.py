"""Stack lights behind pseudo-terminals: their makers' protocols turned around, on a thread.

A program that opens `path` cannot tell one from a light on a cable.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import tty
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from firmware_bridge.errors import BridgeError

_JOIN_S: Final = 5.0
_READ_BYTES: Final = 1_024
_ACK: Final = b"\x06"
_NAK: Final = b"\x15"


class SimulatedLight(ABC):
    """A context manager: within it the light listens and `path` can be opened.

    `to_host` may change, or swallow, each answer on its way.
    """

    def __init__(self) -> None:
        self.to_host: Callable[[bytes], bytes] = lambda data: data
        self._lit: frozenset[str] = frozenset()
        self._history: list[frozenset[str]] = []
        self._news = threading.Condition()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._path = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._live, name="simulated-light", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.unplug()

    @property
    def path(self) -> str:
        """The device to open."""
        return self._path

    @property
    def lit(self) -> frozenset[str]:
        """The tiers that are lit, the buzzer among them."""
        with self._news:
            return self._lit

    @property
    def history(self) -> list[frozenset[str]]:
        """What was lit after each change, oldest first."""
        with self._news:
            return list(self._history)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Block until `condition` holds, looked at after each change. Return it."""
        with self._news:
            return self._news.wait_for(condition, timeout_s)

    def unplug(self) -> None:
        """Pull the cable for good. The light stays as it is."""
        if not self._thread.is_alive():
            return
        os.eventfd_write(self._wake, 1)
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            raise BridgeError("the simulated light does not stop")

    @abstractmethod
    def _take(self, data: bytes) -> bytes:
        """Act on what came. Return the answer, which may be empty."""

    def _show(self, lit: frozenset[str]) -> None:
        with self._news:
            if lit != self._lit:
                self._lit = lit
                self._history.append(lit)
                self._news.notify_all()

    def _live(self) -> None:
        while True:
            ready, _, _ = select.select([self._master, self._wake], [], [])
            if self._wake in ready:
                break
            if answer := self.to_host(self._take(os.read(self._master, _READ_BYTES))):
                # A line on which nobody listens loses what is sent.
                with contextlib.suppress(BlockingIOError):
                    os.write(self._master, answer)
        for descriptor in (self._master, self._slave, self._wake):
            os.close(descriptor)


class SimulatedAdafruitLight(SimulatedLight):
    """Adafruit 5125: one byte a tier: 0x1n on, 0x2n off, 0x4n blinking; the tier is a bit of n."""

    TIERS: Final = {0x1: "red", 0x2: "amber", 0x4: "green", 0x8: "buzzer"}

    def _take(self, data: bytes) -> bytes:
        for code in data:
            tier = self.TIERS.get(code & 0x0F)
            if tier is None or code >> 4 not in {0x1, 0x2, 0x4}:
                continue  # not a command of this light
            with self._news:
                lit = self._lit
            self._show(lit - {tier} if code >> 4 == 0x2 else lit | {tier})
        return b""


class SimulatedPatliteLight(SimulatedLight):
    """Patlite PHE-3FB3 in normal mode: commands S, G and C of its manual T95100260, section 3.2."""

    FRAME: Final = {ord("S"): 11, ord("G"): 5, ord("C"): 5}
    """Length of each command's frame, from the header to the end code."""
    TIERS: Final = ("red", "amber", "green")

    def __init__(self) -> None:
        super().__init__()
        self.state = [0, 0, 0, 0, 0, 0]
        self._received = b""

    def clear(self) -> None:
        """Press the Clear button."""
        self._set([0, 0, 0, 9, 9, 0])

    def _take(self, data: bytes) -> bytes:
        self._received += data
        answers = b""
        while (start := self._received.find(b"@")) >= 0 and len(self._received) >= start + 4:
            frame = self._received[start:]
            length = self.FRAME.get(frame[3])
            if length is not None and len(frame) < length:
                break
            answers += self._answer(frame[: length or len(frame)])
            self._received = frame[length or len(frame) :]
        return answers

    def _answer(self, frame: bytes) -> bytes:
        if frame[1:3] != b"??" or frame[-1:] != b"!":
            return _NAK
        match frame[3:4]:
            case b"S" if self._accepts(frame[4:10]):
                self._set([digit - ord("0") for digit in frame[4:10]])
                return _ACK
            case b"C":
                self.clear()
                return _ACK
            case b"G":
                return bytes(ord("0") + digit for digit in self.state)
        return _NAK

    def _accepts(self, digits: bytes) -> bool:
        return set(digits[:3]) <= set(b"01239") and digits[5] in b"012349"

    def _set(self, digits: list[int]) -> None:
        self.state = [old if new == 9 else new for old, new in zip(self.state, digits, strict=True)]
        self.state[3:5] = [0, 0]  # unused
        lit = {tier for tier, level in zip(self.TIERS, self.state, strict=False) if level}
        self._show(frozenset(lit | ({"buzzer"} if self.state[5] else set())))
