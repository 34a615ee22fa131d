"""The store port in plain dictionaries, for tests of what stands above it."""

from __future__ import annotations

import copy
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from admission.identity import Identifier
from admission.orders import Order
from hub.errors import StoreError
from hub.store.changes import ChangedPeople, ChangedRows
from hub.store.packed import PackedPeople, pack_people
from hub.store.port import Person
from hub.store.registers import (
    DOCUMENTS,
    ORDERS,
    PEOPLE,
    Row,
    StoredDocument,
    by_key,
    entry_type,
    is_document_name,
)
from tests.hub.memory_devices import MemoryDevices
from tests.hub.memory_entries import MemoryEntries


class _State:
    """What one transaction changes or leaves."""

    def __init__(self) -> None:
        self.people: dict[int, Person] = {}
        self.highest = -1
        self.rows: dict[str, dict[str, Row]] = defaultdict(dict)
        self.orders: dict[tuple[int, int], Order] = {}
        self.documents: dict[str, bytes] = {}
        self.revisions: dict[str, int] = {}
        self.dropped: set[str] = set()
        self.log: dict[str, list[tuple[int, Identifier]]] = defaultdict(list)
        self.logged_after: dict[str, int] = {}

    def touch(self, name: str, *touched: Iterable[Identifier]) -> None:
        revision = self.revisions[name] = self.revisions.get(name, 0) + 1
        self.dropped.discard(name)
        self.log[name] += [(revision, one) for some in touched for one in some]

    def touch_all(self, name: str) -> None:
        self.touch(name)
        self.log[name] = []
        self.logged_after[name] = self.revisions[name]

    def touched(self, name: str, after: int, limit: int) -> frozenset[Identifier] | None:
        found = frozenset(one for revision, one in self.log[name] if revision > after)
        whole = self.logged_after.get(name, 0) <= after <= self.revisions.get(name, 0)
        return found if whole and len(found) <= limit else None

    async def people_by(self, identifiers: Collection[Identifier]) -> Sequence[Person]:
        wanted = set(identifiers)
        return [
            person
            for _, person in sorted(self.people.items())
            if wanted & {known.identifier for known in person.identifiers}
        ]

    async def put_people(self, people: Iterable[Person]) -> None:
        people = list(people)
        before = [self.people[p.number] for p in people if p.number in self.people]
        after = {**self.people, **{person.number: person for person in people}}
        owners: dict[Identifier, int] = {}
        for person in after.values():
            for known in person.identifiers:
                if owners.setdefault(known.identifier, person.number) != person.number:
                    raise StoreError("an identifier is another person's")
        self.people = after
        self.highest = max(self.highest, *after, -1)
        self.touch(PEOPLE, *([k.identifier for k in p.identifiers] for p in [*before, *people]))

    async def next_number(self) -> int:
        return self.highest + 1

    async def clear_people(self) -> None:
        self.people = {}
        self.touch_all(PEOPLE)

    async def rows_by(self, register: str, identifiers: Collection[Identifier]) -> Sequence[Row]:
        wanted = set(identifiers)
        return [row for row in self.rows[register].values() if wanted & set(row.identifiers)]

    async def rows_of(self, register: str, keys: Collection[str]) -> Sequence[Row]:
        return [self.rows[register][key] for key in set(keys) if key in self.rows[register]]

    async def put_rows(self, register: str, rows: Sequence[Row]) -> None:
        entry_type(register)
        before = [self.rows[register][r.key] for r in rows if r.key in self.rows[register]]
        self.rows[register] |= by_key(rows)
        self.touch(register, *(row.identifiers for row in [*before, *rows]))

    async def remove_rows(self, register: str, keys: Collection[str]) -> None:
        gone = [row for key in keys if (row := self.rows[register].pop(key, None))]
        self.touch(register, *(row.identifiers for row in gone))

    async def clear_rows(self, register: str) -> None:
        entry_type(register)
        self.rows[register] = {}
        self.touch_all(register)


class MemoryStore(MemoryDevices, MemoryEntries):
    def __init__(self) -> None:
        super().__init__()
        self._state = _State()

    async def close(self) -> None:
        return

    @asynccontextmanager
    async def change(self) -> AsyncIterator[_State]:
        after = copy.deepcopy(self._state)
        yield after
        self._state = after

    async def put_people(self, people: Iterable[Person]) -> None:
        async with self.change() as change:
            await change.put_people(list(people))

    async def people(self) -> AsyncIterator[Sequence[Person]]:
        for number in sorted(self._state.people):
            yield [self._state.people[number]]

    async def packed_people(self) -> AsyncIterator[PackedPeople]:
        async for people in self.people():
            yield pack_people(people)

    async def people_count(self) -> int:
        return len(self._state.people)

    async def has_people(self) -> bool:
        return bool(self._state.people)

    async def drop_register(self, register: str) -> bool:
        there = register in await self.revisions()
        async with self.change() as change:
            await change.clear_rows(register)
            change.dropped.add(register)
        return there

    async def rows(self, register: str) -> AsyncIterator[Sequence[Row]]:
        entry_type(register)
        for _, row in sorted(self._state.rows[register].items()):
            yield [row]

    async def revisions(self) -> Mapping[str, int]:
        state = self._state
        return {n: r for n, r in state.revisions.items() if n not in state.dropped}

    async def changed_people(self, after: int, *, limit: int) -> ChangedPeople | None:
        state = self._state
        touched = state.touched(PEOPLE, after, limit)
        if touched is None:
            return None
        return ChangedPeople(state.revisions[PEOPLE], touched, await state.people_by(touched))

    async def changed_rows(self, register: str, after: int, *, limit: int) -> ChangedRows | None:
        entry_type(register)
        state = self._state
        touched = state.touched(register, after, limit)
        if touched is None:
            return None
        rows = await state.rows_by(register, touched)
        return ChangedRows(state.revisions[register], touched, rows)

    async def forget_changes(self, register: str, through: int) -> None:
        state = self._state
        state.log[register] = [one for one in state.log[register] if one[0] > through]
        known = min(through, state.revisions.get(register, 0))
        state.logged_after[register] = max(state.logged_after.get(register, 0), known)

    async def put_order(self, order: Order) -> None:
        self._state.orders[order.district, order.from_s] = order
        self._state.touch(ORDERS)

    async def remove_order(self, district: int, from_s: int) -> bool:
        self._state.touch(ORDERS)
        return self._state.orders.pop((district, from_s), None) is not None

    async def orders(self) -> Sequence[Order]:
        return sorted(self._state.orders.values())

    async def put_document(self, name: str, data: bytes) -> None:
        if not is_document_name(name):
            raise StoreError("no name of a document")
        self._state.documents[name] = data
        self._state.touch(DOCUMENTS)

    async def remove_document(self, name: str) -> bool:
        self._state.touch(DOCUMENTS)
        return self._state.documents.pop(name, None) is not None

    async def document(self, name: str) -> bytes | None:
        return self._state.documents.get(name)

    async def documents(self) -> Mapping[str, StoredDocument]:
        return {
            name: StoredDocument(hashlib.sha256(data).digest(), len(data))
            for name, data in sorted(self._state.documents.items())
        }
