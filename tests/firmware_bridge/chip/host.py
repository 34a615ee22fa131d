"""Hosts for the chip: the real bridge on a thread, a process to be killed, and a bare port."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Self, TypeVar

import serial

from admission.signal import Signal
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.link.codec import frame_of, message_of
from firmware_bridge.link.frame import Decoder, encode
from firmware_bridge.link.messages import (
    BoardEvent,
    Hello,
    HelloReply,
    Message,
)

PATIENCE_S = 20.0

Answer = TypeVar("Answer")


class Host:
    """The bridge of the daemon, called from a test that may block: it beats meanwhile."""

    def __init__(self, path: str) -> None:
        self.events: list[BoardEvent] = []
        self.bridge = McuBridge(
            path,
            monotonic_ns=time.monotonic_ns,
            nonce=Random(7).getrandbits,
            on_event=self.events.append,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        self.until(lambda: self.bridge.alive)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    @property
    def board(self) -> HelloReply:
        assert self.bridge.board is not None
        return self.bridge.board

    def show(self, signal: Signal, *, entry: int = 0) -> None:
        self.call(self.bridge.show(signal, entry=entry))

    def call(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def until(self, holds: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
        end = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < end, "the host waited in vain"
            time.sleep(0.002)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self.bridge.run())
        with closing(self._loop):
            self._loop.run_until_complete(asyncio.wait([self._task]))


class BarePort:
    """The link without a host's manners: sends what it is told, when it is told."""

    def __init__(self, path: str) -> None:
        self.port = serial.Serial(path, 115_200, timeout=0.005)
        self.session = 0
        self._decoder = Decoder()
        self._answers: list[Message] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.port.close()

    def send(self, message: Message, sequence: int = 0) -> None:
        self.port.write(encode(frame_of(message, self.session, sequence)))

    def ask(self, message: Message, sequence: int = 0, *, again_s: float = PATIENCE_S) -> Message:
        """Return the answer; what stays unanswered is asked again."""
        self.take()
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            self.send(message, sequence)
            again = time.monotonic() + again_s
            while time.monotonic() < again:
                if answers := self.take():
                    return answers[0]
        raise AssertionError("no answer")

    def greet(self) -> HelloReply:
        self.session = 0
        answer = self.ask(Hello(0x1234_5678), again_s=0.1)  # the chip may be starting
        assert isinstance(answer, HelloReply)
        self.session = answer.session
        return answer

    def take(self) -> list[Message]:
        frames = self._decoder.feed(self.port.read(4_096))
        return [message_of(frame) for frame in frames]


def show_and_beat(path: str, signal: Signal, shown: str) -> None:
    """Be a daemon in a process of its own, until it is killed."""
    with Host(path) as host:
        host.show(signal)
        Path(shown).touch()
        threading.Event().wait()
