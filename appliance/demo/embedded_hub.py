"""The hub of the demonstration: the same program a city runs, as a child process on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from appliance.errors import HubUnavailable

DEVICE = "demo-gate"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 1.0
SAMPLES = 400
_SAID_BYTES = 400


class HubFiles(msgspec.Struct, frozen=True):
    """The hub's folder, and the samples that the scenes hold up."""

    folder: Path

    @property
    def samples(self) -> Path:
        """JSON lines of codes to hold up."""
        return self.folder.parent / "samples.jsonl"


async def prepare(files: HubFiles, *, people: int, seed: int, quiet: bool) -> None:
    """Build a hub of synthetic people in `files.folder` and publish its first release.

    :raises HubUnavailable: if one of the hub's commands fails.
    """
    data = ["--data", str(files.folder)]
    await hub_command("init", *data, quiet=True)
    await hub_command(
        "synthesize", *data, "--people", str(people), "--seed", str(seed),
        "--samples", str(files.samples), "--sample-count", str(SAMPLES), quiet=quiet,
    )  # fmt: skip
    await hub_command("publish", *data, quiet=quiet)


@asynccontextmanager
async def serving(files: HubFiles, *, port: int = 0) -> AsyncIterator[str]:
    """Run the hub on loopback; yield its URL. It ends with the block, or with this process.

    :raises HubUnavailable: if it does not begin to serve within `START_TIMEOUT_S`.
    """
    announced = files.folder.parent / "hub.json"
    announced.unlink(missing_ok=True)
    with (files.folder.parent / "hub.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "hub", "serve", "--data", str(files.folder),
            "--host", "127.0.0.1", "--port", str(port), "--announce", str(announced),
            "--exit-with-parent",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
            stderr=log, start_new_session=True, env=_environment(),
        )  # fmt: skip
    try:
        yield await _announcement(process, announced)
    finally:
        await _end(process)


async def _announcement(process: asyncio.subprocess.Process, path: Path) -> str:
    async def appears() -> str:
        while (url := _announced(path)) is None:
            if process.returncode is not None:
                log = path.with_name("hub.log")
                ended = f"the hub ended with {process.returncode} instead of serving"
                msg = f"{ended}{_last_said(log)}"
                raise HubUnavailable(msg, hint=f"see {log}")
            await asyncio.sleep(0.02)
        return url

    try:
        return await asyncio.wait_for(appears(), START_TIMEOUT_S)
    except TimeoutError as error:
        msg = f"the hub did not begin to serve within {START_TIMEOUT_S:.0f} s"
        raise HubUnavailable(msg, hint=f"see {path.with_name('hub.log')}") from error


def _last_said(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _SAID_BYTES))
        lines = file.read(_SAID_BYTES).decode(errors="replace").strip().splitlines()
    return f": {lines[-1].strip()}" if lines else ""


def _announced(path: Path) -> str | None:
    return str(json.loads(path.read_text())["url"]) if path.exists() else None


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):  # it ended just now
            process.kill()
        await process.wait()


async def hub_command(*arguments: str, quiet: bool) -> None:
    """Run one of the hub's commands to its end.

    :param quiet: whether its messages are kept back, unless it fails.
    :raises HubUnavailable: if it fails.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "hub", *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE if quiet else None,
        env=_environment(),
    )  # fmt: skip
    try:
        _, complaint = await process.communicate()
    except asyncio.CancelledError:
        await _end(process)
        raise
    if process.returncode:
        said = (complaint or b"").decode(errors="replace").strip().splitlines()
        msg = f"`chot hub {arguments[0]}` failed: {said[-1] if said else process.returncode}"
        raise HubUnavailable(msg, hint="run that command by itself to see more")


def _environment() -> dict[str, str]:
    """Return this environment, in which a child imports the same packages as this process.

    With `-P` it does not look into the current directory, where a data folder may be called hub.
    """
    said = os.environ.get("PYTHONPATH")
    paths = [str(Path(__file__).resolve().parents[2]), *([said] if said else [])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
