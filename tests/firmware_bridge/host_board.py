"""The firmware's core compiled for this machine, on a pseudo-terminal, its pins watched."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from admission.signal import Output
from tests.firmware_bridge.numbered_signals import PinEdge
from tests.worlds import ROOT

FIRMWARE: Final = ROOT / "firmware_bridge" / "firmware"
_PROGRAM: Final = FIRMWARE / "build" / "chot-board"
_START_S: Final = 10.0


class _News(msgspec.Struct, frozen=True):
    event: str
    at_ns: int
    output: str = ""
    level: int | None = None


class HostBoard:
    """A context manager: within it `path` can be opened, and `edges` grows."""

    def __init__(self) -> None:
        self.edges: list[PinEdge] = []
        self._levels: dict[Output, bool] = {}
        self._reader = threading.Thread(target=self._read, name="host-board", daemon=True)

    def __enter__(self) -> Self:
        subprocess.run(["make", "-C", str(FIRMWARE), "host"], check=True, capture_output=True)
        self._folder = tempfile.TemporaryDirectory(prefix="chot-board-")
        self._process = subprocess.Popen(
            [str(_PROGRAM), self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._reader.start()
        waiting = threading.Event()
        for _ in range(int(_START_S / 0.02)):
            if Path(self.path).exists():
                break
            waiting.wait(0.02)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._folder.cleanup()

    @property
    def path(self) -> str:
        """The serial port."""
        return str(Path(self._folder.name, "board"))

    def _read(self) -> None:
        decoder = msgspec.json.Decoder(_News)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            news = decoder.decode(line)
            if news.event == "pin":
                self._note(Output[news.output.upper()], news.level == 1, news.at_ns / 1e6)

    def _note(self, output: Output, on: bool, at_ms: float) -> None:
        if self._levels.get(output, False) is not on:
            self._levels[output] = on
            self.edges.append(PinEdge(output, on, at_ms))


def is_here() -> bool:
    """Return whether it can be built."""
    return shutil.which("make") is not None and shutil.which("gcc") is not None
