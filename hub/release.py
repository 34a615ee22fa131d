"""What has to be published: the store's contents that the published head does not say yet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from admission.identity import Identifier
from admission.instant import Instant
from admission.orders import write_orders
from admission.standing import Permit
from cache.replica.head import Head
from cache.replica.layout import PERSONS_2, Layout
from cache.replica.names import ORDERS as ORDERS_DOCUMENT
from hub import feed
from hub.datasets import layout_of_register
from hub.errors import HubError
from hub.gathering import Part, Progress, Records
from hub.publish import Changes, Publisher
from hub.store.port import Store
from hub.store.registers import DOCUMENTS, ORDERS, PEOPLE, PERMITS

PERMIT_KEPT_H = 30 * 24
"""Hours after its end for which a permit is still published: gates then say that it has expired."""
_NS_PER_H = 3_600_000_000_000


class Release:
    """Brings what is published up to date with the store.

    :param publisher: where to; its blocking work is done in threads.
    """

    def __init__(self, store: Store, publisher: Publisher) -> None:
        self._store = store
        self._publisher = publisher

    def is_first(self) -> bool:
        """Return whether nothing is published yet. Blocks.

        :raises PublishError: if what is published cannot be read.
        """
        return self._publisher.published() is None

    async def stale(self) -> frozenset[str]:
        """Return what has changed since it was published: datasets, `ORDERS`, `DOCUMENTS`.

        :raises StoreError: if the store failed.
        :raises PublishError: if what is published cannot be read.
        """
        revisions = dict(await self._store.revisions())
        return await asyncio.to_thread(self._stale, revisions)

    def _stale(self, revisions: dict[str, int]) -> frozenset[str]:
        head = self._publisher.published()
        if head is None or head.hash_key_id != self._publisher.hash_key_id:
            return frozenset(revisions)
        said = self._publisher.revisions()
        changed = {name for name, number in revisions.items() if said.get(name) != number}
        changed |= {
            n for n, d in head.datasets.items() if n in revisions and d.layout != _layout(n).id
        }
        return frozenset(changed | (head.datasets.keys() - revisions.keys()))

    async def publish(
        self, now: Instant, *, only: frozenset[str] | None = None, progress: Progress | None = None
    ) -> Head | None:
        """Publish what has changed, or `only` some of it. Return the head, None if nothing has.

        :raises HubError: if nobody is on record, the store failed or the release cannot be written;
            what was published before stays.
        """
        revisions = dict(await self._store.revisions())
        names = await asyncio.to_thread(self._stale, revisions)
        if only is not None:
            names &= only
        if not names and only is not None:
            return None
        if not await self._store.people_count():
            raise HubError(
                "nobody is on record yet",
                hint="chot hub import persons, or for a try-out: chot hub synthesize",
            )
        if not names:
            return None
        changes = await self._changes(names, revisions, now)
        return await asyncio.to_thread(self._publisher.release, changes, now=now, progress=progress)

    async def _changes(
        self, names: frozenset[str], revisions: dict[str, int], now: Instant
    ) -> Changes:
        loop = asyncio.get_running_loop()
        documents = None
        if names & {ORDERS, DOCUMENTS}:
            documents = await self._documents()
        parts = [
            Part(name, _layout(name), self._records(name, loop, now), revisions[name])
            for name in sorted(names & revisions.keys() - {ORDERS, DOCUMENTS})
        ]
        said = {
            n: revisions[n] for n in (ORDERS, DOCUMENTS) if n in revisions and documents is not None
        }
        return Changes(parts, names - revisions.keys(), documents, said)

    def _records(self, name: str, loop: asyncio.AbstractEventLoop, now: Instant) -> Records:
        if name == PEOPLE:
            return feed.rows(self._store, loop)
        rows = feed.register_rows(self._store, name, loop)
        return _lasting(rows, now) if name == PERMITS else rows

    async def _documents(self) -> dict[str, bytes]:
        found = {}
        for name in await self._store.documents():
            data = await self._store.document(name)
            if data is not None:
                found[name] = data
        if orders := await self._store.orders():
            found[ORDERS_DOCUMENT] = write_orders(orders)
        return found


def _layout(name: str) -> Layout[Any]:
    return PERSONS_2 if name == PEOPLE else layout_of_register(name)


def _lasting(rows: Iterator[tuple[Identifier, Any]], now: Instant) -> Records:
    first_h = now.wall_ns // _NS_PER_H - PERMIT_KEPT_H
    for identifier, permit in rows:
        if not isinstance(permit, Permit) or permit.until_h >= first_h:
            yield identifier, permit
