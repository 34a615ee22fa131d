"""A running hub publishes by itself: whatever changes in the store reaches gates within seconds."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from admission.ports import Clock
from hub.access import log
from hub.errors import HubError, PublishError
from hub.release import Release
from hub.store.registers import PEOPLE

INTERVAL_S = 0.1
"""Between two looks at what has changed."""
TEND_INTERVAL_S = 15.0
"""Between two looks at what has become due by time."""
RETRY_S = 15.0
"""Before trying again what has failed."""
FEW = 2_000
"""Identifiers that may have been touched for their changes to be published from here."""
_SAID_LENGTH = 200


class Publication:
    """Looks at an interval whether the store says what is published, and publishes what it does.

    What a few changes have touched goes out from here at once, as do orders, documents and
    registers. Reading all people, and making their next base, takes minutes where they are many:
    that is left to another process, and nothing else waits for it.

    :param publish_elsewhere: publishes everything that has changed, and does what is due.
    """

    def __init__(
        self,
        release: Release,
        clock: Clock,
        publish_elsewhere: Callable[[], Awaitable[None]],
        *,
        interval_s: float = INTERVAL_S,
        tend_interval_s: float = TEND_INTERVAL_S,
        retry_s: float = RETRY_S,
    ) -> None:
        self._release = release
        self._clock = clock
        self._publish_elsewhere = publish_elsewhere
        self._interval_s = interval_s
        self._tend_interval_s = tend_interval_s
        self._retry_s = retry_s
        self._problems: dict[str, str] = {}
        self._left = asyncio.Event()
        self._seen: Mapping[str, int] | None = None

    @property
    def problem(self) -> str:
        """What could not be published at the last try; empty if nothing."""
        return "; ".join(self._problems.values())

    async def run(self) -> None:
        """Publish whatever changes, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeated("changes", self.changes, self._interval_s))
            group.create_task(self._repeated("people", self._elsewhere, 0.0))
            group.create_task(self._repeated("bases", self._tend, self._tend_interval_s))

    async def changes(self) -> None:
        """Publish what has changed since the last look; have done elsewhere what takes all people.

        :raises HubError: if that failed.
        """
        revisions = await self._release.revisions()
        if revisions == self._seen:
            return
        if PEOPLE not in revisions and await asyncio.to_thread(self._release.is_first):
            return  # a hub that is being set up
        now = self._clock.now()
        left = await self._release.publish_changes(now, limit=FEW)
        if PEOPLE in left:
            self._left.set()
        if left - {PEOPLE} and not await asyncio.to_thread(self._release.is_first):
            await self._release.publish(now, only=left - {PEOPLE})
        self._seen = revisions

    async def _elsewhere(self) -> None:
        await self._left.wait()
        self._left.clear()
        try:
            await self._publish_elsewhere()
        except HubError:
            self._left.set()
            raise
        self._seen = None

    async def _tend(self) -> None:
        if await self._release.tend(self._clock.now()):
            self._left.set()

    async def _repeated(
        self, what: str, work: Callable[[], Awaitable[None]], interval_s: float
    ) -> None:
        while True:
            try:
                await work()
                self._problems.pop(what, None)
                await asyncio.sleep(interval_s)
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
