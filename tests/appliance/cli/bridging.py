"""A technician at a terminal, who answers what a test tells him to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from appliance.cli.bridge_terminal import NoTerminal

Answers = Callable[[str], str | None]


class Technician:
    """Behind the Terminal port: types what `answers` returns to the last line that was told.

    None is somebody who types nothing; NO_MORE ends the input.
    """

    NO_MORE = "\x04"

    def __init__(self, answers: Answers) -> None:
        self.told: list[str] = []
        self.lived: list[str] = []
        self._answers = answers
        self._reply: str | None = None

    async def line(self) -> str:
        reply, self._reply = self._reply, None
        if reply is None:
            await asyncio.Event().wait()
        if reply == self.NO_MORE:
            raise NoTerminal("nobody is here any more")
        return str(reply)

    def forget(self) -> None:
        self._reply = None

    def tell(self, text: str) -> None:
        self.told.append(text)
        self._reply = self._answers(text)

    def live(self, text: str) -> None:
        self.lived.append(text)
