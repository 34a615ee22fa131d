"""`chot hub` in processes of their own, for benchmarks of the whole way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.errors import BenchmarkError
from hub.folder import DataFolder

_PACKAGES = str(Path(__file__).resolve().parents[1])
_ASK_S = 0.005
_START_LIMIT_S = 120.0


class ServedHub(NamedTuple):
    """A hub that serves. `process` is its number."""

    url: str
    process: int

    def processor_s(self) -> float:
        """Return how much processor time it has used (proc(5), `stat`), all threads together."""
        fields = Path(f"/proc/{self.process}/stat").read_text(encoding="ascii", errors="replace")
        user, system = fields.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def make_hub(hub: DataFolder) -> None:
    """Make a hub's folder.

    :raises BenchmarkError: if that fails.
    """
    process = await _hub("init", "--data", str(hub.root))
    _, said = await process.communicate()
    if process.returncode:
        msg = f"the hub cannot be made: {said.decode(errors='replace').strip()}"
        raise BenchmarkError(msg)


@contextlib.asynccontextmanager
async def served_hub(hub: DataFolder, folder: Path) -> AsyncIterator[ServedHub]:
    """Run `chot hub serve` for the length of a context; yield it.

    :raises BenchmarkError: if it ends, or does not accept connections in time.
    """
    announced = folder / "announced"
    process = await _hub(
        "serve", "--data", str(hub.root), "--port", "0",
        "--announce", str(announced), "--exit-with-parent",
        kept=False,
    )  # fmt: skip
    try:
        await until(
            lambda: announced.is_file() or process.returncode is not None,
            _START_LIMIT_S,
            "the hub does not start",
        )
        if not announced.is_file():
            raise BenchmarkError("the hub ended", hint="chot hub serve says why")
        yield ServedHub(str(json.loads(announced.read_bytes())["url"]), process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _hub(*arguments: str, kept: bool = True) -> asyncio.subprocess.Process:
    """Start `chot hub` in a process of its own; `kept` = what it says is for us to read."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "hub", *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE if kept else asyncio.subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": _PACKAGES},
    )  # fmt: skip


async def until(so: Callable[[], bool], limit_s: float, otherwise: str) -> None:
    """Wait until something is so.

    :raises BenchmarkError: saying `otherwise`, if it is not within the limit.
    """
    try:
        async with asyncio.timeout(limit_s):
            while not so():  # noqa: ASYNC110 - a file and a book signal nothing
                await asyncio.sleep(_ASK_S)
    except TimeoutError:
        raise BenchmarkError(otherwise) from None
