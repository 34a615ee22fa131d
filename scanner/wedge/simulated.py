"""The other end of the cable: a scanner that types, behind a pipe that carries kernel events."""

from __future__ import annotations

import asyncio
import contextlib
import os
from types import TracebackType
from typing import Self

from scanner.errors import KeypadError
from scanner.input_events import EV_SYN, EVENT, SYN_DROPPED, SYN_REPORT, ReadyDescriptor
from scanner.serial.reopening import Device
from scanner.wedge.typist import Typist


class SimulatedKeyboard:
    """A keyboard wedge that can be unplugged, as a context manager.

    `open_device` stands in the place of `input_events.open_keyboard`: it gives what an input device
    gives, but for the grab, which a pipe has not. `terminator` is typed after each code,
    `aim_identifier` (such as `]Q1`) before it.
    """

    def __init__(
        self, typist: Typist | None = None, *, terminator: str = "\r", aim_identifier: str = ""
    ) -> None:
        self._typist = typist or Typist()
        self._terminator = terminator
        self._aim_identifier = aim_identifier
        self._reader = self._writer = -1

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.unplug()

    def plug(self) -> None:
        """Appear. A keyboard that is plugged in already stays."""
        if self._writer < 0:
            self._reader, self._writer = os.pipe()
            os.set_blocking(self._writer, False)

    def unplug(self) -> None:
        """Vanish: what the host has opened ends. Twice is no error."""
        if self._writer >= 0:
            os.close(self._reader)
            os.close(self._writer)
            self._reader = self._writer = -1

    def open_device(self, path: str) -> Device:
        """Return the host's end.

        :raises KeypadError: unplugged.
        """
        if self._writer < 0:
            msg = f"{path} cannot be opened: it is unplugged"
            raise KeypadError(msg, hint="plug it in")
        descriptor = os.dup(self._reader)
        return ReadyDescriptor(descriptor, path, lambda: os.close(descriptor))

    async def scan(self, code: str) -> None:
        """Type one code, returning once the pipe has taken its last event.

        :raises KeypadError: its typist cannot type it.
        :raises BrokenPipeError: unplugged.
        """
        await self.send(self._typist.typed(self._aim_identifier + code + self._terminator))

    async def overflow(self) -> None:
        """Tell the host that the kernel's queue overflowed and events are lost.

        :raises BrokenPipeError: unplugged.
        """
        lost = ((EV_SYN, SYN_DROPPED, 0), (EV_SYN, SYN_REPORT, 0))
        await self.send(b"".join(EVENT.pack(0, 0, *event) for event in lost))

    async def send(self, data: bytes) -> None:
        """Send bytes as they are, waiting while the host does not read.

        :raises BrokenPipeError: unplugged.
        """
        rest = memoryview(data)
        while rest:
            if self._writer < 0:
                raise BrokenPipeError("the simulated keyboard is unplugged")
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(self._writer, rest) :]
                continue
            await self._writable()

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        descriptor = self._writer
        loop.add_writer(descriptor, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_writer(descriptor)
