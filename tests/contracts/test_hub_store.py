"""What every engine behind the hub's store port must keep to."""

from __future__ import annotations

import asyncio
from datetime import date

import msgspec
import pytest

from admission.identity import Identifier, IdentifierKind
from admission.standing import CredentialStatus, PersonFacts, Product, TestResult
from hub.errors import StoreError
from hub.store.entries import (
    Added,
    Decoded,
    EntryCount,
    EntryRecord,
    Flag,
    FlagKind,
    Held,
    JournalKey,
    Offer,
)
from hub.store.marks import MarkedEntry, MarkKind
from hub.store.port import KnownIdentifier, Person, Store

KEY = JournalKey("gate-1", b"\x01" * 16)
OTHER = JournalKey("gate-1", b"\x02" * 16)


def person(number: int, value: str, **facts: object) -> Person:
    known = KnownIdentifier(Identifier(IdentifierKind.DOCUMENT, value))
    return Person(number, (known,), PersonFacts(**facts))


def records(*sequences: int, packed: bytes = b"entry") -> list[EntryRecord]:
    decoded = Decoded("site-1", -5, (1 << 64) - 1, "admit")
    return [
        EntryRecord(s, bytes([s % 256]) * 32, packed + b"%d" % s, decoded, 7) for s in sequences
    ]


async def add(store: Store, key: JournalKey, records: list[EntryRecord]) -> Added:
    (added,) = await store.add_entries([Offer(key, records)])
    return added


async def everybody(store: Store) -> list[Person]:
    return [person async for chunk in store.people() for person in chunk]


async def test_people_come_back_as_they_were_by_number(store: Store) -> None:
    full = Person(
        (1 << 63) - 1,
        (
            KnownIdentifier(Identifier(IdentifierKind.QID, "9"), CredentialStatus.REVOKED),
            KnownIdentifier(Identifier(IdentifierKind.DOCUMENT, "000190000001")),
            KnownIdentifier(Identifier(IdentifierKind.TYPED_CODE, "57213004867")),
        ),
        PersonFacts(
            doses=3,
            product=Product.OTHER,
            last_dose=date(2021, 9, 1),
            recovered=date(2021, 1, 2),
            born=date(1930, 12, 31),
            vulnerable=True,
            isolation_until=date(2021, 9, 30),
            district=12,
            tested_h=452_000,
            test_result=TestResult.POSITIVE,
            declared_h=452_001,
            symptoms=True,
            exposure=True,
            identity=65_535,
        ),
    )
    nameless = Person(0, (), PersonFacts())
    assert not await store.has_people()
    await store.put_people([full, nameless, person(5, "B1")])
    assert await store.has_people()
    assert await everybody(store) == [nameless, person(5, "B1"), full]
    assert await store.people_count() == 3


async def test_a_person_is_replaced_as_a_whole(store: Store) -> None:
    await store.put_people([person(1, "A1", doses=1), person(2, "A2")])
    await store.put_people([person(1, "A3", doses=2)])
    assert await everybody(store) == [person(1, "A3", doses=2), person(2, "A2")]
    await store.put_people([person(3, "A1")])
    assert await store.people_count() == 3


async def test_an_identifier_of_somebody_else_records_nobody(store: Store) -> None:
    await store.put_people([person(1, "A1")])
    with pytest.raises(StoreError):
        await store.put_people([person(2, "A2"), person(3, "A1")])
    assert await everybody(store) == [person(1, "A1")]


async def test_entries_are_kept_once(store: Store) -> None:
    first = await add(store, KEY, records(1, 2, 3))
    again = await add(store, KEY, records(2, 3, 4))
    assert (first.fresh, first.watermark.through) == (3, 3)
    assert (again.fresh, again.watermark.through, dict(again.differing)) == (1, 4, {})
    assert await store.count("gate-1") == EntryCount(4, 4, 0, 0)


async def test_the_watermark_stops_at_a_gap_and_jumps_when_it_closes(store: Store) -> None:
    assert (await add(store, KEY, records(4, 5))).watermark.through == 0
    assert (await add(store, KEY, records(7))).watermark.through == 0
    assert (await add(store, KEY, records(1, 2))).watermark.through == 2
    assert (await add(store, KEY, records(3))).watermark.through == 5
    assert (await add(store, KEY, records(6))).watermark.through == 7
    assert (await add(store, KEY, records(1))).watermark.through == 7


async def test_a_long_island_is_joined_whole(store: Store) -> None:
    for start in range(2, 2_502, 500):
        await add(store, KEY, records(*range(start, start + 500)))
    assert (await add(store, KEY, records(1))).watermark.through == 2_501


async def test_other_bytes_never_overwrite_and_are_kept_once(store: Store) -> None:
    await add(store, KEY, records(1, 2))
    for _ in range(2):
        added = await add(store, KEY, records(2, 3, packed=b"other"))
    assert dict(added.differing) == {2: Held(b"\x02" * 32, b"entry2")}
    assert added.watermark.through == 3
    assert (await store.held(KEY, (2,)))[2].packed == b"entry2"
    assert (await store.count("gate-1")).conflicts == 1


async def test_another_chain_hash_alone_is_a_conflict(store: Store) -> None:
    await add(store, KEY, records(1))
    forged = EntryRecord(1, b"\xff" * 32, b"entry1", None, 8)
    assert 1 in (await add(store, KEY, [forged])).differing


async def test_journals_and_devices_are_told_apart(store: Store) -> None:
    await add(store, KEY, records(1))
    assert (await add(store, OTHER, records(1))).fresh == 1
    assert await store.held(JournalKey("gate-2", KEY.journal), (1,)) == {}
    assert await store.count("gate-1") == EntryCount(2, 1, 0, 0)
    assert await store.count("gate-2") == EntryCount(0, 0, 0, 0)


async def test_raw_bytes_are_kept_without_columns(store: Store) -> None:
    await add(store, KEY, [EntryRecord(1, b"c" * 32, b"\x00\xff", None, 8)])
    assert (await store.held(KEY, (0, 1, 2))) == {1: Held(b"c" * 32, b"\x00\xff")}


async def test_the_largest_numbers_fit(store: Store) -> None:
    top = (1 << 63) - 1
    decoded = Decoded("s", top, 1 << 63, "refuse")
    await add(store, KEY, [EntryRecord(top, b"c" * 32, b"x", decoded, top)])
    assert top in await store.held(KEY, (top,))


async def test_a_flag_is_raised_once_and_keeps_its_first_detail(store: Store) -> None:
    flag = Flag(2, FlagKind.UNDECODABLE, "first")
    await store.raise_flags(KEY, [flag, Flag(1, FlagKind.CONFLICT)], 5)
    await store.raise_flags(KEY, [Flag(2, FlagKind.UNDECODABLE, "second")], 6)
    assert list(await store.flags(KEY)) == [Flag(1, FlagKind.CONFLICT), flag]
    assert list(await store.flags(OTHER)) == []


def marked(sequence: int, received_ns: int, *marks: MarkKind, site: str = "site-1") -> EntryRecord:
    decoded = Decoded(site, -5, None, "refuse", marks)
    return EntryRecord(sequence, b"c" * 32, b"m%d" % sequence, decoded, received_ns)


async def test_marked_entries_are_found_the_newest_first(store: Store) -> None:
    both = marked(2, 20, MarkKind.ALERT, MarkKind.CORRECTION)
    elsewhere = marked(3, 20, MarkKind.ALERT, site="site-2")
    first = [marked(1, 10, MarkKind.ALERT), both, elsewhere, marked(4, 30)]
    for _ in range(2):  # safe to repeat
        await add(store, KEY, first)
    await add(store, JournalKey("gate-2", KEY.journal), [marked(1, 20, MarkKind.ALERT)])
    raw = EntryRecord(5, b"c" * 32, b"\x00", None, 40)
    await add(store, KEY, [raw])

    async def found(kind: MarkKind, **asked: object) -> list[tuple[str, int]]:
        entries = await store.marked(kind, **{"limit": 10, **asked})  # type: ignore[arg-type]
        return [(entry.device, entry.sequence) for entry in entries]

    newest = [("gate-1", 3), ("gate-1", 2), ("gate-2", 1), ("gate-1", 1)]
    assert await found(MarkKind.ALERT) == newest
    assert await found(MarkKind.ALERT, limit=2) == newest[:2]
    assert await found(MarkKind.ALERT, since_ns=11) == newest[:3]
    assert await found(MarkKind.ALERT, since_ns=21) == []
    assert await found(MarkKind.ALERT, site="site-2") == [("gate-1", 3)]
    assert await found(MarkKind.CORRECTION) == [("gate-1", 2)]
    assert await found(MarkKind.OVERRIDE) == []
    (entry,) = await store.marked(MarkKind.CORRECTION, limit=1)
    assert entry == MarkedEntry("gate-1", KEY.journal, 2, b"m2", 20)


async def test_a_conflicting_entry_marks_nothing(store: Store) -> None:
    await add(store, KEY, [marked(1, 10)])
    await add(store, KEY, [msgspec.structs.replace(marked(1, 20, MarkKind.ALERT), packed=b"x")])
    assert list(await store.marked(MarkKind.ALERT, limit=10)) == []


async def test_concurrent_uploads_of_one_journal_double_nothing(store: Store) -> None:
    added = await asyncio.gather(
        *(add(store, KEY, records(*range(s, s + 5))) for s in (1, 3, 1, 6, 4))
    )
    assert sum(one.fresh for one in added) == 10
    assert max(one.watermark.through for one in added) == 10
    assert (await store.count("gate-1")).entries == 10
