"""What has to be published: the store's contents that the published head does not say yet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

import msgspec

from admission.instant import Instant
from admission.ports import Clock
from cache.errors import ReplicaError
from cache.replica.head import Head
from hub.errors import HubError
from hub.publish import Changes, Publisher, Released
from hub.rows import Progress
from hub.store.changes import MAX_LOGGED
from hub.store.port import Store
from hub.store.registers import DOCUMENTS, ORDERS, PERMITS
from hub.wanted import TouchedRegister, Wanted, layouts_of

_DOCUMENTS = frozenset({ORDERS, DOCUMENTS})
"""What has revisions, but becomes documents."""


class _Draft(msgspec.Struct, frozen=True):
    """What the next head is to say, at which revisions of the store.

    `left` are the registers that take all rows; `first`: nothing of the head before can stay.
    """

    changes: Changes
    revisions: Mapping[str, int]
    left: Sequence[str]
    first: bool


class Release:
    """Brings what is published up to date with the store.

    :param publisher: where to; its blocking work is done in threads.
    """

    def __init__(self, store: Store, publisher: Publisher) -> None:
        self._store = store
        self._publisher = publisher
        self._wanted = Wanted(store, publisher.hash_key)
        self._forgotten: dict[str, int] = {}

    async def stale(self) -> frozenset[str]:
        """Return what has changed since it was published: registers, `ORDERS`, `DOCUMENTS`.

        :raises StoreError: if the store failed.
        :raises PublishError: if what is published cannot be read.
        """
        revisions = await self._store.revisions()
        return await asyncio.to_thread(self._stale, revisions)

    async def publish(
        self, now: Instant, *, only: frozenset[str] | None = None, progress: Progress | None = None
    ) -> Head | None:
        """Publish what has changed, or `only` some of it. Return the head, None if nothing has.

        :raises HubError: if nobody is on record, the store failed or the release cannot be written;
            what was published before stays.
        """
        draft = await self._draft(now, only, MAX_LOGGED)
        if draft is None:
            return None
        sources = [self._wanted.source(name, draft.revisions[name], now) for name in draft.left]
        changes = msgspec.structs.replace(draft.changes, sources=sources)
        released = await self._released(changes, now, progress)
        left = _registers(released.left, draft.revisions)
        return await self._whole(left, now, progress) if left else released.head

    async def publish_changes(
        self, now: Instant, *, only: frozenset[str] | None = None, limit: int
    ) -> frozenset[str]:
        """Publish what has changed, or `only` some of it, as far as that takes not all rows.

        Return the registers that are left.

        :param limit: identifiers of one register that may have been touched.
        :raises HubError: as `publish`.
        """
        draft = await self._draft(now, only, limit)
        if draft is None:
            return frozenset()
        left = frozenset(draft.left)
        if draft.first or draft.changes == Changes():
            return left
        released = await self._released(draft.changes, now, None, wait=False)
        return left | _registers(released.left, draft.revisions)

    async def revisions(self) -> Mapping[str, int]:
        """Return the store's revisions of everything: as long as they stay, nothing is stale.

        :raises StoreError: if the store failed.
        """
        return await self._store.revisions()

    async def tend(self, now: Instant) -> frozenset[str]:
        """Do what is due by time of what is published; return the datasets to `rebase`.

        The store may forget which changes are published.

        :raises HubError: if the store failed or the release cannot be written.
        """
        bases = await asyncio.to_thread(self._publisher.tend, now)
        said = await asyncio.to_thread(self._publisher.revisions)
        for name in (await self._store.revisions()).keys() - _DOCUMENTS:
            numbers = {said.get(dataset, 0) for dataset in layouts_of(name)}
            if min(numbers) > self._forgotten.get(name, 0):
                await self._store.forget_changes(name, min(numbers))
                self._forgotten[name] = min(numbers)
        return bases

    async def rebase(
        self, bases: frozenset[str], clock: Clock, progress: Progress | None = None
    ) -> None:
        """Make the next bases of some datasets.

        :raises HubError: as `publish`.
        """
        anew = set()
        for name in sorted(bases):
            # Permits that ended long ago go only where all of them are read.
            if name == PERMITS or not await asyncio.to_thread(
                self._publisher.follow, name, clock.now
            ):
                anew.add(name)
        left = _registers(anew, await self._store.revisions())
        if left:
            await self._whole(left, clock.now(), progress, anew=frozenset(anew))

    def is_first(self) -> bool:
        """Return whether nothing is published yet. Blocks.

        :raises PublishError: if what is published cannot be read.
        """
        return self._publisher.published() is None

    def _stale(self, revisions: Mapping[str, int]) -> frozenset[str]:
        head = self._publisher.published()
        if head is None or head.hash_key_id != self._publisher.hash_key_id:
            return frozenset(revisions)
        said = self._publisher.revisions()
        documents = revisions.keys() & _DOCUMENTS
        changed = {name for name in documents if said.get(name) != revisions[name]}
        known: set[str] = set()
        for name in revisions.keys() - _DOCUMENTS:
            layouts = {dataset: layout.id for dataset, layout in layouts_of(name).items()}
            known |= layouts.keys()
            there = {n: head.datasets[n].layout for n in layouts if n in head.datasets}
            if there != layouts or any(said.get(n) != revisions[name] for n in layouts):
                changed.add(name)
        return frozenset(changed | (head.datasets.keys() - known))

    async def _draft(self, now: Instant, only: frozenset[str] | None, limit: int) -> _Draft | None:
        """Return what the next head says differently, None if nothing has changed."""
        revisions = dict(await self._store.revisions())
        names = await asyncio.to_thread(self._stale, revisions)
        names = names if only is None else names & only
        if not names and only is not None:
            return None
        if not await self._store.has_people():
            raise HubError(
                "nobody is on record yet",
                hint="chot hub import persons, or for a try-out: chot hub synthesize",
            )
        if not names:
            return None
        touched, left = await self._touched(names & revisions.keys() - _DOCUMENTS, now, limit)
        documents, said = None, frozenset[str]()
        if names & _DOCUMENTS:
            # Both are in all documents: what was not said of one before is said now.
            documents, said = await self._wanted.documents(), _DOCUMENTS & revisions.keys()
        changes = Changes(
            touched=tuple(one.datasets for one in touched.values()),
            dropped=names - revisions.keys(),
            documents=documents,
            revisions={name: revisions[name] for name in said},
        )
        revisions |= {name: one.revision for name, one in touched.items()}
        first = await asyncio.to_thread(self._unready)
        return _Draft(changes, revisions, left, first)

    async def _touched(
        self, registers: Iterable[str], now: Instant, limit: int
    ) -> tuple[dict[str, TouchedRegister], list[str]]:
        said = await asyncio.to_thread(self._publisher.revisions)
        touched: dict[str, TouchedRegister] = {}
        left = []
        for name in sorted(registers):
            after = {said.get(dataset) for dataset in layouts_of(name)}
            found = None
            if len(after) == 1 and None not in after:
                with suppress(ReplicaError):  # all rows tell which ones contradict each other
                    (number,) = after
                    found = await self._wanted.touched(name, number or 0, now, limit=limit)
            if found is None:
                left.append(name)
            else:
                touched[name] = found
        return touched, left

    async def _whole(
        self,
        registers: frozenset[str],
        now: Instant,
        progress: Progress | None,
        *,
        anew: frozenset[str] = frozenset(),
    ) -> Head:
        revisions = dict(await self._store.revisions())
        names = sorted(registers & revisions.keys())
        sources = [self._wanted.source(name, revisions[name], now) for name in names]
        changes = Changes(sources, anew=anew)
        return (await self._released(changes, now, progress)).head

    async def _released(
        self, changes: Changes, now: Instant, progress: Progress | None, *, wait: bool = True
    ) -> Released:
        return await asyncio.to_thread(
            self._publisher.release, changes, now=now, progress=progress, wait=wait
        )

    def _unready(self) -> bool:
        """Return whether a head can say nothing before it says everything."""
        head = self._publisher.published()
        return head is None or head.hash_key_id != self._publisher.hash_key_id


def _registers(datasets: Iterable[str], revisions: Mapping[str, int]) -> frozenset[str]:
    """Return the registers that these datasets are made of."""
    wanted = set(datasets)
    return frozenset(
        name for name in revisions.keys() - _DOCUMENTS if wanted & layouts_of(name).keys()
    )
