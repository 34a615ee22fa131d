"""A simulated scanner at the end of a cable that carries both ways."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from scanner.serial.simulated.line_models import (
    DatalogicModel,
    De2120Model,
    Gm65Model,
    GryphonModel,
    HoneywellModel,
    NewlandModel,
)
from scanner.serial.simulated.model import LineModel, Model
from scanner.serial.simulated.ssi_model import SsiModel
from scanner.serial.simulated.terminal import Pacing, SimulatedScanner

MODELS: dict[str, Callable[..., LineModel]] = {
    "generic": LineModel,
    "honeywell": HoneywellModel,
    "zebra-ssi": SsiModel,
    "newland": NewlandModel,
    "datalogic": DatalogicModel,
    "datalogic-gryphon": GryphonModel,
    "gm65": Gm65Model,
    "de2120": De2120Model,
}
"""By profile, each with `host_trigger` for a scanner that reads only when its host says so."""


class SimulatedDevice(SimulatedScanner):
    """A model on a pseudo-terminal, as an asynchronous program's counterpart: it hears on the loop.

    Entered and left where a loop runs. A reply for which the terminal has no room is lost, as at a
    UART that nobody reads.
    """

    def __init__(
        self, model: Model, *, link: Path | None = None, pacing: Pacing | None = None
    ) -> None:
        super().__init__(link=link, pacing=pacing)
        self.model = model
        self.heard = b""
        """All that the host has sent, the last 4096 bytes of it."""
        self.stirred = asyncio.Event()
        """Set whenever the host has sent something."""

    def plug(self) -> None:
        """Appear, and listen."""
        super().plug()
        asyncio.get_running_loop().add_reader(self._master, self._listen)

    def unplug(self) -> None:
        """Vanish."""
        if self._master >= 0:
            asyncio.get_running_loop().remove_reader(self._master)
        super().unplug()

    async def present(self, text: str) -> None:
        """Hold a code into its view; returns once the terminal has taken what it sends at once.

        :raises BrokenPipeError: unplugged.
        """
        await self.send_bytes(self.model.present(text))

    async def time_out(self) -> None:
        """Let the time pass that it waits for its host.

        :raises BrokenPipeError: unplugged.
        """
        await self.send_bytes(self.model.time_out())

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            data = os.read(self._master, 4096)
            self.heard = (self.heard + data)[-4096:]
            if reply := self.model.hear(data):
                os.write(self._master, reply)
        self.stirred.set()
