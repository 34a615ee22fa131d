"""A terminal for one event loop: lines that are waited for while a board goes on talking."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import select
import termios
from typing import Protocol, Self, TextIO

import click

from appliance.errors import ApplianceError

MAX_LINE = 1_000


class NoTerminal(ApplianceError):  # noqa: N818 - a state
    """Nobody can be asked: standard input is closed, has ended, or cannot be waited for."""


class Terminal(Protocol):
    """Where a technician is told things and asked for answers."""

    async def line(self) -> str:
        """Return the next line that is typed, without its end.

        :raises NoTerminal: there will be none.
        """
        ...

    def forget(self) -> None:
        """Drop what was typed before: it answers no question that comes after."""
        ...

    def tell(self, text: str) -> None:
        """Print a line."""
        ...

    def live(self, text: str) -> None:
        """Print a line in place of the last one that `live` printed; "" ends that."""
        ...


class StandardTerminal:
    """Standard input and output, for as long as the `with` block lasts.

    :raises NoTerminal: on entry, if standard input cannot be waited for.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._descriptor = -1
        self._loop = asyncio.get_running_loop()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._typed = ""
        self._ended = False
        self._more = asyncio.Event()
        self._living = ""

    def __enter__(self) -> Self:
        if self._stream is None:
            raise _nobody()
        try:
            self._descriptor = self._stream.fileno()
            with select.epoll() as waiting:
                waiting.register(self._descriptor, select.EPOLLIN)
            self._loop.add_reader(self._descriptor, self._read)
        except (OSError, ValueError) as error:
            raise _nobody() from error
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(self._descriptor)

    async def line(self) -> str:
        """See `Terminal`."""
        while "\n" not in self._typed:
            if self._ended:
                raise _nobody()
            self._more.clear()
            await self._more.wait()
        text, _, self._typed = self._typed.partition("\n")
        return text.strip()

    def forget(self) -> None:
        """See `Terminal`."""
        self._typed = ""
        with contextlib.suppress(termios.error):  # a pipe: what was not written yet comes later
            termios.tcflush(self._descriptor, termios.TCIFLUSH)

    def tell(self, text: str) -> None:
        """See `Terminal`."""
        self.live("")
        click.echo(text)

    def live(self, text: str) -> None:
        """See `Terminal`."""
        if text != self._living:
            click.echo("\r" + " " * len(self._living) + "\r" + text, nl=False)
        self._living = text

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 4_096)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._ended = True
            self._loop.remove_reader(self._descriptor)
        self._typed = (self._typed + self._decoder.decode(data))[-MAX_LINE:]
        self._more.set()


def _nobody() -> NoTerminal:
    return NoTerminal(
        "nobody can be asked: standard input is closed, or no terminal",
        hint="start it in a terminal; --automatic asks nothing and checks acknowledgements only",
    )
