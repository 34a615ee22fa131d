"""The store port in plain dictionaries, for tests of what stands above it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence

from admission.identity import Identifier
from hub.errors import StoreError
from hub.store.port import (
    Added,
    Device,
    EntryCount,
    EntryRecord,
    Flag,
    FlagKind,
    Held,
    JournalKey,
    Person,
)


class MemoryStore:
    def __init__(self) -> None:
        self._people: dict[int, Person] = {}
        self._devices: dict[str, Device] = {}
        self.entries: dict[JournalKey, dict[int, EntryRecord]] = defaultdict(dict)
        self.conflicts: dict[JournalKey, set[tuple[int, bytes, bytes]]] = defaultdict(set)
        self._flags: dict[JournalKey, dict[tuple[int, FlagKind], Flag]] = defaultdict(dict)

    async def close(self) -> None:
        return

    async def put_people(self, people: Iterable[Person]) -> None:
        after = {**self._people, **{person.number: person for person in people}}
        owners: dict[Identifier, int] = {}
        for person in after.values():
            for known in person.identifiers:
                if owners.setdefault(known.identifier, person.number) != person.number:
                    raise StoreError("an identifier is another person's")
        self._people = after

    async def people(self) -> AsyncIterator[Sequence[Person]]:
        for number in sorted(self._people):
            yield [self._people[number]]

    async def people_count(self) -> int:
        return len(self._people)

    async def put_device(self, device: Device) -> None:
        taken = await self.device_by_token(device.token_sha256)
        if taken is not None and taken.name != device.name:
            raise StoreError("the token is already another device's")
        self._devices[device.name] = device

    async def device_by_name(self, name: str) -> Device | None:
        return self._devices.get(name)

    async def device_by_token(self, token_sha256: bytes) -> Device | None:
        return next((d for d in self._devices.values() if d.token_sha256 == token_sha256), None)

    async def add_entries(self, key: JournalKey, records: Sequence[EntryRecord]) -> Added:
        entries, fresh, differing = self.entries[key], 0, {}
        for record in records:
            held = entries.setdefault(record.sequence, record)
            if held is record:
                fresh += 1
            elif (held.chain_hash, held.packed) != (record.chain_hash, record.packed):
                differing[record.sequence] = Held(held.chain_hash, held.packed)
                self.conflicts[key].add((record.sequence, record.chain_hash, record.packed))
        through = 0
        while through + 1 in entries:
            through += 1
        return Added(fresh, differing, through)

    async def held(self, key: JournalKey, sequences: Collection[int]) -> Mapping[int, Held]:
        entries = self.entries[key]
        return {
            s: Held(entries[s].chain_hash, entries[s].packed) for s in sequences if s in entries
        }

    async def raise_flags(self, key: JournalKey, flags: Iterable[Flag]) -> None:
        for flag in flags:
            self._flags[key].setdefault((flag.sequence, flag.kind), flag)

    async def flags(self, key: JournalKey) -> Sequence[Flag]:
        return sorted(self._flags[key].values())

    async def count(self, device: str) -> EntryCount:
        mine = [key for key in self.entries if key.device == device]
        packed = [record.packed for key in mine for record in self.entries[key].values()]
        return EntryCount(
            entries=len(packed),
            distinct=len(set(packed)),
            conflicts=sum(len(self.conflicts[key]) for key in mine),
            flags=sum(len(self._flags[key]) for key in mine),
        )
