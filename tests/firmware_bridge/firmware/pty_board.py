"""The program `chot-board`: the C core on a real pseudo-terminal, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from admission.gate import Input
from admission.signal import Output
from tests.firmware_bridge.firmware.build import built

_PATIENCE_S = 20.0


class PinEdge(msgspec.Struct, frozen=True):
    """A pin got a level (None: it is not driven) at `at_ns` of the monotonic clock."""

    output: Output
    level: int | None
    at_ns: int


class PtyBoard:
    """Starts the program on entering, ends it on leaving, and keeps what it tells."""

    def __init__(self, link: Path) -> None:
        self.path = str(link)
        self.edges: list[PinEdge] = []
        self.happened: list[str] = []
        self._news = threading.Condition()

    def __enter__(self) -> Self:
        program = built("chot-board", "host")
        self._process = subprocess.Popen(
            [program, self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, args=(self._stdout,), daemon=True)
        self._reader.start()
        assert self.wait_until(lambda: "plugged" in self.happened), "chot-board did not start"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stdin.close()
        assert self._process.wait(_PATIENCE_S) == 0
        self._reader.join(_PATIENCE_S)
        self._stdout.close()

    def wait_until(self, holds: Callable[[], bool], timeout_s: float = _PATIENCE_S) -> bool:
        """Block until `holds`, looked at after each thing that the board tells. Return it."""
        with self._news:
            return self._news.wait_for(holds, timeout_s)

    def edges_of(self, output: Output) -> list[PinEdge]:
        """Return the pin's edges so far."""
        return [edge for edge in self.edges if edge.output is output]

    def level(self, output: Output) -> int | None:
        """Return the pin's level."""
        edges = self.edges_of(output)
        return edges[-1].level if edges else None

    def close(self, source: Input) -> None:
        """Close a contact."""
        self._command(f"close {source.name.lower()}")

    def open(self, source: Input) -> None:
        """Open a contact."""
        self._command(f"open {source.name.lower()}")

    def fit_jumper(self) -> None:
        """Allow a new configuration."""
        self._command("jumper on")

    def reset(self, cause: str) -> None:
        """Let the chip start anew."""
        self._command(f"reset {cause}")

    def unplug(self) -> None:
        """Pull the cable."""
        self._command("unplug")

    def replug(self) -> None:
        """Put it back."""
        self._command("replug")

    @property
    def _stdin(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _stdout(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout

    def _command(self, line: str) -> None:
        """Give a command; return once the board has seen it."""
        done = self.happened.count("done")
        self._stdin.write(line + "\n")
        self._stdin.flush()
        assert self.wait_until(lambda: self.happened.count("done") > done), line

    def _read(self, stdout: IO[str]) -> None:
        for line in stdout:
            told = json.loads(line)
            with self._news:
                if told["event"] == "pin":
                    output = Output[told["output"].upper()]
                    self.edges.append(PinEdge(output, told["level"], told["at_ns"]))
                else:
                    self.happened.append(told["event"])
                self._news.notify_all()
