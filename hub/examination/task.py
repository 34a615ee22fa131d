"""The task that has entries examined while the hub serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import msgspec

from admission.identity import person_keyer
from admission.ports import Clock
from hub.access import log
from hub.errors import HubError
from hub.examination.duplicates import WINDOW_MS
from hub.examination.examiner import Examiner, breathe
from hub.examination.following import Followed, PeopleStore, Published
from hub.examination.notebook import open_notebook
from hub.examination.people import PeopleJudge
from hub.examination.rereading import Rereading, RereadStore
from hub.folder import DataFolder
from hub.keys import HubKeys
from hub.metrics import HubMetrics
from hub.publish import Publisher
from hub.seals import Seals
from hub.store.examined import ExaminedStore
from hub.store.registers import PEOPLE

INTERVAL_S = 1.0
RETRY_S = 15.0
_COUNT_NS = 15 * 1_000_000_000


class Bench(msgspec.Struct, frozen=True):
    """The examiner at work, and what reads again what was set aside."""

    examiner: Examiner
    rereading: Rereading | None = None


class Examination:
    """Examines at an interval. What fails is tried again later, and stops nothing else.

    :param bench: opens the examiner's file; also that is tried again.
    """

    def __init__(
        self,
        bench: Callable[[], AbstractAsyncContextManager[Bench]],
        store: ExaminedStore,
        clock: Clock,
        metrics: HubMetrics,
        *,
        interval_s: float = INTERVAL_S,
        retry_s: float = RETRY_S,
    ) -> None:
        self._bench = bench
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._interval_s = interval_s
        self._retry_s = retry_s
        self._counted_ns: int | None = None
        self._reread = False
        self.problem = ""
        """What went wrong the last time, empty if nothing did."""

    async def run(self) -> None:
        """Examine until cancelled."""
        while True:
            try:
                async with self._bench() as bench:
                    while True:
                        await self.once(bench)
                        await asyncio.sleep(self._interval_s)
            except Exception as error:  # noqa: BLE001 also a fault of ours, or a row that nobody
                # can read: the intake must not go down with the examiner. Nothing is lost by it:
                # what is held stays held, and is examined later.
                said = str(error) if isinstance(error, HubError) else type(error).__name__
                if self.problem != said:
                    log.error({"event": "not examined", "message": said})
                self.problem = said
                self._metrics.examination_failed()
                await asyncio.sleep(self._retry_s)

    async def once(self, bench: Bench) -> None:
        """Examine now; the first time, read again what was set aside.

        :raises HubError: if that failed.
        """
        now = self._clock.now()
        if bench.rereading is not None and not self._reread:
            await bench.rereading.run(now.wall_ns)
            self._reread = True
        examined = await bench.examiner.round(now)
        self._metrics.examined(examined, bench.examiner.tallies())
        counted_ns = self._counted_ns
        if examined or counted_ns is None or now.monotonic_ns - counted_ns >= _COUNT_NS:
            self._metrics.flags_raised(await self._store.flag_counts())
            self._counted_ns = now.monotonic_ns
        stuck = bench.examiner.stuck
        if stuck:
            self._metrics.examination_failed()
        self.problem = f"{len(stuck)} journals cannot be examined" if stuck else ""


class WholeStore(RereadStore, PeopleStore, Protocol):
    """What is asked of the store here."""


def bench_of(
    store: WholeStore, folder: DataFolder, keys: HubKeys, publisher: Publisher
) -> Callable[[], AbstractAsyncContextManager[Bench]]:
    """Return what opens the examiner of a hub's folder."""

    def published() -> Published | None:
        head = publisher.published()
        revision = publisher.revisions().get(PEOPLE)
        if head is None or revision is None:
            return None
        return Published(head.sequence, revision)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Bench]:
        async with open_notebook(folder.examination) as notebook:
            followed = Followed(store, notebook, person_keyer(keys.hash_key), published, breathe)
            judge = PeopleJudge(store, notebook, WINDOW_MS)
            yield Bench(
                Examiner(store, notebook, followed),
                Rereading(store, judge, Seals.of(keys), pause=breathe),
            )

    return opened
