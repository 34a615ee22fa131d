"""Records under their keyed hashes, one by one: of a register's entries, and of a few people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from admission.identity import MAX_PERMITS, Identifier, PersonKey, permit_keys, person_keyer
from cache.errors import BuildError
from cache.replica.alias import SPARE_BITS, Alias
from cache.replica.changes import Changes
from cache.replica.layout import ALIASES_1, PERMITS_1, PERSONS_3, Layout
from cache.replica.names import ALIASES, PERSONS
from hub.store.changes import ChangedPeople
from hub.store.port import Person

Entries = Iterable[tuple[Identifier, Any]]
"""An entry per identifier in its normal form, in any order. Entries that are the same object one
after the other are packed once."""


def keyed(
    layout: Layout[Any], entries: Entries, hash_key: bytes
) -> Iterator[tuple[PersonKey, bytes]]:
    """Yield each row of a register: its key and its packed record.

    Permits have a slot each: of somebody who has too many, those count that end last.

    :raises LayoutError: if an entry does not fit the layout.
    """
    key_of, pack = person_keyer(hash_key), layout.pack
    if layout is PERMITS_1:
        yield from _permits(entries, hash_key)
        return
    packed: Any = None
    record = b""
    for identifier, entry in entries:
        if entry is not packed:
            record, packed = pack(entry), entry
        yield key_of(identifier), record


def register_changes(
    layout: Layout[Any], touched: Iterable[Identifier], entries: Entries, hash_key: bytes
) -> dict[int, bytes | None]:
    """Return what a register's dataset is to say of these identifiers, by key: None = nothing.

    :param entries: all that the register has of them.
    :raises LayoutError: if an entry does not fit the layout.
    :raises BuildError: if two entries of one identifier contradict each other.
    """
    key_of = person_keyer(hash_key)
    changes: dict[int, bytes | None] = {}
    for identifier in touched:
        key = key_of(identifier)
        changes.update(dict.fromkeys(permit_keys(key) if layout is PERMITS_1 else (key,)))
    for row, record in keyed(layout, entries, hash_key):
        _say(changes, row, record)
    return changes


def people_changes(changed: ChangedPeople, hash_key: bytes) -> dict[str, Changes]:
    """Return what `PERSONS` and `ALIASES` are to say of the touched identifiers, by key.

    :raises LayoutError: if somebody's facts do not fit the layout.
    :raises BuildError: if two identifiers share a key.
    """
    key_of = person_keyer(hash_key)
    persons: dict[int, bytes | None] = {key_of(one): None for one in changed.touched}
    aliases = dict(persons)
    for person in changed.people:
        for place, (identifier, key, record) in enumerate(_rows_of(person, key_of)):
            if identifier in changed.touched:
                _say(aliases if place else persons, key, record)
    return {PERSONS: persons, ALIASES: aliases}


def _rows_of(
    person: Person, key_of: Callable[[Identifier], PersonKey]
) -> Iterator[tuple[Identifier, PersonKey, bytes]]:
    """Yield the rows of one person: the record, then an alias for each further identifier."""
    keys = [key_of(known.identifier) for known in person.identifiers]
    for place, (known, key) in enumerate(zip(person.identifiers, keys, strict=True)):
        if place:
            alias = Alias(known.status, keys[0] >> SPARE_BITS)
            yield known.identifier, key, ALIASES_1.pack(alias)
        else:
            facts = msgspec.structs.replace(person.facts, status=known.status)
            yield known.identifier, key, PERSONS_3.pack(facts)


def _permits(entries: Entries, hash_key: bytes) -> Iterator[tuple[PersonKey, bytes]]:
    key_of, pack = person_keyer(hash_key), PERMITS_1.pack
    held: dict[PersonKey, set[tuple[int, bytes]]] = {}
    for identifier, permit in entries:
        held.setdefault(key_of(identifier), set()).add((permit.until_h, pack(permit)))
    for key, permits in held.items():
        last = sorted(permits, reverse=True)[:MAX_PERMITS]
        for slot, (_, record) in zip(permit_keys(key), last, strict=False):
            yield slot, record


def _say(changes: dict[int, bytes | None], key: int, record: bytes) -> None:
    if changes.get(key) not in (None, record):
        msg = f"the key {key:016x} has two different records"
        raise BuildError(msg, hint="merge the records of each identifier")
    changes[key] = record
