"""What the store wants published: what changes have touched, or all rows, or all documents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from admission.identity import Identifier
from admission.instant import Instant
from admission.orders import write_orders
from admission.standing import Permit
from cache.replica.layout import ALIASES_1, PERSONS_3, Layout
from cache.replica.names import ALIASES, PERSONS
from cache.replica.names import ORDERS as ORDERS_DOCUMENT
from hub import feed
from hub.datasets import layout_of_register
from hub.gathering import PeopleSource, RegisterSource
from hub.publish import Touched
from hub.records import people_changes, register_changes
from hub.rows import Source
from hub.store.port import Store
from hub.store.registers import PEOPLE

PERMIT_KEPT_H = 30 * 24
"""Hours after its end for which a permit is still published: gates then say that it has expired."""
_NS_PER_H = 3_600_000_000_000


def layouts_of(register: str) -> dict[str, Layout[Any]]:
    """Return the datasets that a register becomes, and their layouts."""
    if register == PEOPLE:
        return {PERSONS: PERSONS_3, ALIASES: ALIASES_1}
    return {register: layout_of_register(register)}


class TouchedRegister(msgspec.Struct, frozen=True):
    """What has changed of one register: `revision` is the store's of that."""

    revision: int
    datasets: tuple[Touched, ...]


class Wanted:
    """Asks the store on behalf of the publisher.

    :param hash_key: under which identifiers are hashed.
    """

    def __init__(self, store: Store, hash_key: bytes) -> None:
        self._store = store
        self._hash_key = hash_key

    async def touched(
        self, register: str, after: int, now: Instant, *, limit: int
    ) -> TouchedRegister | None:
        """Return what a register says now of what was touched after a revision.

        None if its log does not tell, or names more than `limit` identifiers.

        :raises StoreError: if the store failed.
        :raises ReplicaError: if a record does not fit, or two of one identifier contradict.
        """
        if register == PEOPLE:
            people = await self._store.changed_people(after, limit=limit)
            if people is None:
                return None
            changes = await asyncio.to_thread(people_changes, people, self._hash_key)
            return _touched(register, people.revision, changes)
        changed = await self._store.changed_rows(register, after, limit=limit)
        if changed is None:
            return None
        touched = changed.touched
        entries = (
            (one, row.entry) for row in changed.rows for one in row.identifiers if one in touched
        )
        said = await asyncio.to_thread(
            register_changes,
            layout_of_register(register),
            touched,
            _lasting(entries, now),
            self._hash_key,
        )
        return _touched(register, changed.revision, {register: said})

    def source(self, register: str, revision: int, now: Instant) -> Source:
        """Return where all rows of a register come from. To be drawn from in another thread."""
        loop = asyncio.get_running_loop()
        if register == PEOPLE:
            return PeopleSource(feed.people(self._store, loop), revision)
        entries = _lasting(feed.register_rows(self._store, register, loop), now)
        return RegisterSource(register, layout_of_register(register), entries, revision)

    async def documents(self) -> dict[str, bytes]:
        """Return all documents, the orders among them, by name.

        :raises StoreError: if the store failed.
        """
        found = {}
        for name in await self._store.documents():
            data = await self._store.document(name)
            if data is not None:
                found[name] = data
        if orders := await self._store.orders():
            found[ORDERS_DOCUMENT] = write_orders(orders)
        return found


def _touched(register: str, revision: int, changes: dict[str, Any]) -> TouchedRegister:
    datasets = (
        Touched(name, layout, changes[name], revision)
        for name, layout in layouts_of(register).items()
    )
    return TouchedRegister(revision, tuple(datasets))


def _lasting(
    rows: Iterable[tuple[Identifier, Any]], now: Instant
) -> Iterator[tuple[Identifier, Any]]:
    first_h = now.wall_ns // _NS_PER_H - PERMIT_KEPT_H
    for identifier, entry in rows:
        if not isinstance(entry, Permit) or entry.until_h >= first_h:
            yield identifier, entry
