"""A withdrawal at the hub, until a gate refuses: the whole way, over a real hub and its HTTP.

The hub is `chot hub serve` in a process of its own, with a synthetic population; the gate is the
appliance's own replication, polling at its default interval with its default jitter. Numbers of
people on record are withdrawn at random moments, as `chot hub withdraw` does it, and the gate's
book is asked about each until it says so. No program beats the polls: on the average half an
interval passes before the gate asks, and a whole one at worst.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta, timezone
from pathlib import Path

import aiohttp
import msgspec

from admission.credential import Credential, CredentialKind
from admission.identity import Identifier
from admission.standing import CredentialStatus, Lookup
from appliance.clock import SystemClock
from appliance.hub_source import HubSource
from benchmarks.hub_process import make_hub, served_hub, until
from benchmarks.percentiles import Percentiles, percentiles
from cache.replica.book import ReplicaBook
from cache.replica.contents import subscription
from cache.replica.keys import hash_key_id, load_hash_key, load_root
from cache.replica.replicate import DEFAULT_INTERVAL_S, Replicator
from cache.replica.store import ReplicaStore
from cache.replica.trust import Trust
from hub.folder import DataFolder
from hub.store.sqlite import open_store
from hub.synthetic import Cohort, Population
from hub.withdraw_cli import withdraw_number

_VIETNAM = timezone(timedelta(hours=7))
_ASK_S = 0.005
_START_LIMIT_S = 120.0
_END_LIMIT_S = 60.0
"""After the last withdrawal: what has not arrived by then never will."""


class RevocationFigures(msgspec.Struct, frozen=True):
    """What `chot bench revocation --json` prints.

    Times run from before the withdrawal is written at the hub; `commit_ms` is that writing alone.
    """

    people: int
    withdrawals: int
    refused_s: Percentiles
    refused_max_s: float
    commit_ms: Percentiles
    poll_interval_s: float
    rounds: dict[str, int]
    """Of the gate's replication, by how they ended."""


async def measure(
    folder: Path,
    *,
    people: int,
    withdrawals: int,
    per_s: float,
    progress: Callable[[str, float], None],
) -> RevocationFigures:
    """Return the figures; the hub's folder and the gate's are made in `folder`.

    :param withdrawals: how many numbers are withdrawn, at most a third of the people.
    :param per_s: how many a second, in the mean.
    :param progress: called with what is being done, and the share that is.
    :raises BenchmarkError: if the hub does not start, or a withdrawal does not arrive.
    """
    hub = DataFolder(folder / "hub")
    progress("recording people", 0.0)
    doomed = await _population(hub, people, withdrawals)
    progress("publishing them", 0.0)
    async with contextlib.AsyncExitStack() as stack:
        url = (await stack.enter_async_context(served_hub(hub, folder))).url
        # A gate that finds no release waits longer before it asks again.
        await until((hub.replica / "head").is_file, _START_LIMIT_S, "the hub does not publish")
        book, replicator = await stack.enter_async_context(_gate(hub, folder, url))
        await until(lambda: book.rows > 0, _START_LIMIT_S, "no release reaches the gate")
        watch = _Watch(book, SystemClock())
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch.run())
            async with open_store(hub.database) as store:
                for done, number in enumerate(doomed):
                    await asyncio.sleep(random.expovariate(per_s))
                    watch.begin(number)
                    await withdraw_number(store, number, CredentialStatus.REVOKED)
                    watch.committed(number)
                    progress("withdrawing", (done + 1) / withdrawals)
            await until(lambda: not watch.pending, _END_LIMIT_S, "a withdrawal does not arrive")
            watching.cancel()
        rounds = {str(outcome): n for outcome, n in replicator.status().rounds.items() if n}
    return RevocationFigures(
        people,
        withdrawals,
        percentiles(watch.refused_s),
        round(max(watch.refused_s), 3),
        percentiles([took * 1e3 for took in watch.commit_s]),
        DEFAULT_INTERVAL_S,
        rounds,
    )


class _Watch:
    """Asks the book about every number that is withdrawn, until it says so."""

    def __init__(self, book: ReplicaBook, clock: SystemClock) -> None:
        self._book = book
        self._clock = clock
        self.pending: dict[Identifier, float] = {}
        """When each began to be withdrawn."""
        self.refused_s: list[float] = []
        self.commit_s: list[float] = []

    def begin(self, number: Identifier) -> None:
        self.pending[number] = time.perf_counter()

    def committed(self, number: Identifier) -> None:
        # Where the gate was faster than the commit's return there is no moment left to compare.
        if number in self.pending:
            self.commit_s.append(time.perf_counter() - self.pending[number])

    async def run(self) -> None:
        """Ask, several times faster than figures are told apart, until cancelled."""
        while True:
            for number, began in list(self.pending.items()):
                if self._refuses(number):
                    self.refused_s.append(time.perf_counter() - began)
                    del self.pending[number]
            await asyncio.sleep(_ASK_S)

    def _refuses(self, number: Identifier) -> bool:
        card = Credential(CredentialKind.CITIZEN_CARD, (number,))
        standing = self._book.standing_of(card, self._clock.now())
        facts = standing.facts
        return (
            standing.lookup is Lookup.FOUND
            and facts is not None
            and facts.status is CredentialStatus.REVOKED
        )


async def _population(hub: DataFolder, people: int, withdrawals: int) -> list[Identifier]:
    """Make a hub with people on record; return the numbers that will be withdrawn."""
    await make_hub(hub)
    population = Population(1, people, SystemClock().now().date_in(_VIETNAM))
    async with open_store(hub.database) as store:
        await store.put_people(population)
    valid = (i for i in range(people) if population.cohort(i) is not Cohort.REVOKED)
    chosen = random.sample(list(valid), withdrawals)
    return [population.person(index).identifiers[0].identifier for index in chosen]


@contextlib.asynccontextmanager
async def _gate(
    hub: DataFolder, folder: Path, url: str
) -> AsyncIterator[tuple[ReplicaBook, Replicator]]:
    """Replicate for the length of a context, as the appliance composes it."""
    hash_key = load_hash_key(hub.hash_key)
    book = ReplicaBook(hash_key)
    trust = await asyncio.to_thread(Trust.open, folder / "trust", load_root(hub.root_file))
    store = ReplicaStore(
        folder / "gate",
        trust,
        hash_key_id(hash_key),
        takes=subscription("bench"),
    )
    async with aiohttp.ClientSession() as session:
        replicator = Replicator([HubSource(session, url)], store, book, SystemClock())
        task = asyncio.create_task(replicator.run())
        try:
            yield book, replicator
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
