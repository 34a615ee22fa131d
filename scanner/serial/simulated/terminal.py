"""The other end of the cable: a serial scanner behind a pseudo-terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec


class Pacing(msgspec.Struct, frozen=True):
    """Writes of `piece_bytes` with a pause of `pause_s` after each."""

    piece_bytes: int
    pause_s: float

    @classmethod
    def at_baud(cls, baud: int, piece_bytes: int = 16) -> Pacing:
        """Return the pacing of a UART (10 bits a byte) with a FIFO of `piece_bytes`."""
        return cls(piece_bytes, piece_bytes * 10 / baud)


class SimulatedScanner:
    """A scanner on a pseudo-terminal, as a context manager.

    `terminator` ends each text, `aim_identifier` (such as `]Q1`) and `prefix` stand before it.
    `link` is where a symbolic link to the terminal is kept, as udev keeps one in
    `/dev/serial/by-id`: it lets a scanner that was unplugged come back under the same path.
    Without pacing, bytes go out as fast as they are taken.

    >>> with SimulatedScanner(aim_identifier="]Q1") as scanner:
    ...     scanner.path.startswith("/dev/pts/")
    True
    """

    def __init__(
        self,
        *,
        terminator: bytes = b"\r",
        aim_identifier: str = "",
        prefix: bytes = b"",
        link: Path | None = None,
        pacing: Pacing | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._before = prefix + aim_identifier.encode()
        self._terminator = terminator
        self._link = link
        self._pacing = pacing
        self._pause = pause
        self._master = self._slave = -1
        self._terminal = ""

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

    @property
    def path(self) -> str:
        """Where the host opens the scanner."""
        return str(self._link) if self._link is not None else self._terminal

    @property
    def master(self) -> int:
        """The scanner's own descriptor of the cable, not blocking; -1 while unplugged."""
        return self._master

    def plug(self) -> None:
        """Appear. A scanner that is plugged in already stays."""
        if self._master >= 0:
            return
        self._master, self._slave = os.openpty()
        # Raw from the start: a cooked terminal would echo what is sent before the host opens it.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._terminal = os.ttyname(self._slave)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self._terminal)

    def unplug(self) -> None:
        """Vanish: the host's descriptor hangs up, the path is gone. Twice is no error."""
        if self._master < 0:
            return
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1

    async def send(self, text: str) -> None:
        """Send one scan, returning once the terminal has taken its last byte.

        :raises BrokenPipeError: unplugged.
        """
        await self.send_bytes(self._before + text.encode() + self._terminator)

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are, waiting while the host does not read.

        :raises BrokenPipeError: unplugged.
        """
        piece = self._pacing.piece_bytes if self._pacing is not None else max(len(data), 1)
        for start in range(0, len(data), piece):
            await self._write(memoryview(data)[start : start + piece])
            if self._pacing is not None:
                await self._pause(self._pacing.pause_s)

    async def _write(self, data: memoryview) -> None:
        while data:
            if self._master < 0:
                raise BrokenPipeError("the simulated scanner is unplugged")
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._master, data) :]
                continue
            await self._writable()

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        descriptor = self._master

        def on_writable() -> None:
            if not ready.done():
                ready.set_result(None)

        loop.add_writer(descriptor, on_writable)
        try:
            await ready
        finally:
            loop.remove_writer(descriptor)
