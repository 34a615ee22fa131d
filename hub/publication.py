"""A running hub publishes by itself: whatever changes in the store reaches gates within seconds."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from admission.ports import Clock
from hub.access import log
from hub.errors import HubError, PublishError
from hub.release import Release
from hub.store.registers import PEOPLE

INTERVAL_S = 1.0
"""Between two looks at what has changed."""
RETRY_S = 15.0
"""Before trying again what has failed."""
_SAID_LENGTH = 200


class Publication:
    """Looks at an interval whether the store says what is published, and publishes what it does.

    Orders, documents and registers go out from here. People take minutes where they are many, so
    that is left to another process, and nothing else waits for them.

    :param publish_people: publishes everybody who has changed.
    """

    def __init__(
        self,
        release: Release,
        clock: Clock,
        publish_people: Callable[[], Awaitable[None]],
        *,
        interval_s: float = INTERVAL_S,
        retry_s: float = RETRY_S,
    ) -> None:
        self._release = release
        self._clock = clock
        self._publish_people = publish_people
        self._interval_s = interval_s
        self._retry_s = retry_s
        self._problems: dict[str, str] = {}

    @property
    def problem(self) -> str:
        """What could not be published at the last try; empty if nothing."""
        return "; ".join(self._problems.values())

    async def run(self) -> None:
        """Publish whatever changes, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeated("people", self._people))
            group.create_task(self._repeated("registers", self.registers))

    async def registers(self) -> None:
        """Publish orders, documents and registers that have changed, once people are published.

        :raises HubError: if that failed.
        """
        stale = await self._release.stale()
        if stale and not await self._unpublished():
            await self._release.publish(self._clock.now(), only=stale - {PEOPLE})

    async def _people(self) -> None:
        if PEOPLE in await self._release.stale():
            await self._publish_people()

    async def _unpublished(self) -> bool:
        return await asyncio.to_thread(self._release.is_first)

    async def _repeated(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
                self._problems.pop(what, None)
                await asyncio.sleep(self._interval_s)
            except HubError as error:
                # Not lost: the health check turns red. What is published stays, and is vouched for.
                if self._problems.get(what) != str(error):
                    log.error({"event": "not published", "message": str(error)})
                self._problems[what] = str(error)
                await asyncio.sleep(self._retry_s)


def publishing_in_another_process(root: Path) -> Callable[[], Awaitable[None]]:
    """Return what runs `chot hub publish` on a hub's folder.

    It raises `PublishError` if that fails; cancelled, it ends the process.
    """

    async def publish() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "hub", "publish", "--data", str(root),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
        )  # fmt: skip
        try:
            _, said = await process.communicate()
        except asyncio.CancelledError:
            if process.returncode is None:
                process.kill()
            await process.wait()
            raise
        if process.returncode:
            msg = f"people cannot be published: {_reason(said, process.returncode)}"
            raise PublishError(msg, hint="chot hub publish shows more")

    return publish


def _reason(said: bytes, status: int) -> str:
    """Return what a child said last of why it failed, or how it ended if it said nothing."""
    lines = said.decode(errors="replace").strip().splitlines()
    for line in lines:
        if line.startswith("error: "):
            return line.removeprefix("error: ")
    ended = f"ended by signal {-status}" if status < 0 else f"ended with status {status}"
    return f"{lines[-1].strip()[-_SAID_LENGTH:]} ({ended})" if lines else ended


def _environment() -> dict[str, str]:
    """Return this environment, in which a child imports the same package as this process.

    With `-P` it does not look into the current directory, where a data folder may be called hub.
    """
    said = os.environ.get("PYTHONPATH")
    paths = [str(Path(__file__).resolve().parents[1]), *([said] if said else [])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
