"""Protects what every engine behind the hub's store port keeps for gates besides people."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest

from admission.hours import Hours
from admission.identity import Identifier, IdentifierKind
from admission.orders import Order
from admission.standing import (
    CredentialStatus,
    Officer,
    Permit,
    PersonFacts,
    RosterEntry,
    WatchEntry,
    Withdrawal,
)
from hub.errors import StoreError
from hub.store.port import KnownIdentifier, Person, Store
from hub.store.registers import (
    CREDENTIALS,
    DOCUMENTS,
    OFFICERS,
    ORDERS,
    PEOPLE,
    PERMITS,
    WATCH,
    Entry,
    Row,
    roster,
)

ACTIVE, REVOKED = CredentialStatus.ACTIVE, CredentialStatus.REVOKED
FACTORY = roster("factory-1")

FULL: dict[str, Entry] = {
    PERMITS: Permit(REVOKED, 452_000, 452_072, 0b101, 760, Hours(420, 1_080, 0b11)),
    WATCH: WatchEntry(ACTIVE, date(2021, 9, 30)),
    OFFICERS: Officer(ACTIVE, 4_016, date(2021, 12, 31), 760),
    CREDENTIALS: Withdrawal(REVOKED, 452_000),
    FACTORY: RosterEntry(ACTIVE, date(2021, 9, 1), date(2021, 9, 30), Hours(1_320, 360)),
}
EMPTIEST: dict[str, Entry] = {
    PERMITS: Permit(ACTIVE, 0, 1),
    WATCH: WatchEntry(ACTIVE),
    OFFICERS: Officer(ACTIVE, 1),
    CREDENTIALS: Withdrawal(),
    FACTORY: RosterEntry(ACTIVE),
}


def document(value: str) -> Identifier:
    return Identifier(IdentifierKind.DOCUMENT, value)


async def put(store: Store, register: str, *rows: Row) -> None:
    async with store.change() as change:
        await change.put_rows(register, rows)


async def all_rows(store: Store, register: str) -> list[Row]:
    return [row async for chunk in store.rows(register) for row in chunk]


@pytest.mark.parametrize("register", FULL)
async def test_rows_come_back_as_they_were_by_key(store: Store, register: str) -> None:
    full = Row("b", (document("B1"), Identifier(IdentifierKind.QID, "9")), FULL[register])
    nobodys = Row("a", (), EMPTIEST[register])
    await put(store, register, full, nobodys)
    assert await all_rows(store, register) == [nobodys, full]
    for other in set(FULL) - {register}:
        assert await all_rows(store, other) == []


async def test_a_row_is_replaced_as_a_whole(store: Store) -> None:
    await put(store, WATCH, Row("a", (document("A1"), document("A2")), FULL[WATCH]))
    await put(store, WATCH, Row("a", (document("A3"),), EMPTIEST[WATCH]))
    assert await all_rows(store, WATCH) == [Row("a", (document("A3"),), EMPTIEST[WATCH])]
    async with store.change() as change:
        assert await change.rows_by(WATCH, [document("A1")]) == []
        assert len(await change.rows_by(WATCH, [document("A3"), document("A1")])) == 1


async def test_rows_are_removed_by_key(store: Store) -> None:
    await put(store, WATCH, *(Row(key, (document(f"{key}1"),), FULL[WATCH]) for key in "abc"))
    async with store.change() as change:
        await change.remove_rows(WATCH, {"b", "nobody"})
        assert await change.rows_by(WATCH, [document("b1")]) == []
    assert [row.key for row in await all_rows(store, WATCH)] == ["a", "c"]


async def test_a_change_sees_what_it_has_written(store: Store) -> None:
    rows = [Row(f"{n:05}", (document(f"N{n}"),), EMPTIEST[PERMITS]) for n in range(6_000)]
    async with store.change() as change:
        await change.put_rows(PERMITS, rows)
        found = await change.rows_by(PERMITS, [row.identifiers[0] for row in rows])
        assert sorted(row.key for row in found) == [row.key for row in rows]
        assert list(await change.rows_of(PERMITS, ["00007", "none"])) == [rows[7]]
        assert await change.rows_by(FACTORY, [document("N1")]) == []
    assert await all_rows(store, PERMITS) == rows


async def test_a_change_that_fails_leaves_the_store_as_it_was(store: Store) -> None:
    await put(store, PERMITS, Row("a", (), FULL[PERMITS]))
    before = await store.revisions()

    async def interrupted() -> None:
        async with store.change() as change:
            await change.clear_rows(PERMITS)
            await change.put_people([Person(1, (), PersonFacts())])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await interrupted()
    assert await all_rows(store, PERMITS) == [Row("a", (), FULL[PERMITS])]
    assert await store.people_count() == 0
    assert await store.revisions() == before


async def test_people_are_found_by_any_identifier_within_a_change(store: Store) -> None:
    known = [KnownIdentifier(document(f"A{n}"), REVOKED) for n in range(3)]
    one, other = (
        Person(4, tuple(known[:2]), PersonFacts(doses=2)),
        Person(7, (known[2],), PersonFacts()),
    )
    async with store.change() as change:
        assert await change.next_number() == 0
        await change.put_people([one, other])
        assert list(await change.people_by([document("A1"), document("A0")])) == [one]
        assert list(await change.people_by([document("A2"), document("A1")])) == [one, other]
        assert list(await change.people_by([document("Z")])) == []
        await change.clear_people()
        assert await change.next_number() == 8, "nobody gets the number of somebody else"
    assert await store.people_count() == 0


async def test_an_emptied_register_is_there_and_a_dropped_one_is_not(store: Store) -> None:
    await put(store, FACTORY, Row("a", (document("A1"),), FULL[FACTORY]))
    first = (await store.revisions())[FACTORY]
    async with store.change() as change:
        await change.clear_rows(FACTORY)
    emptied = (await store.revisions())[FACTORY]
    assert await store.drop_register(FACTORY)
    assert not await store.drop_register(FACTORY)
    assert FACTORY not in await store.revisions()
    await put(store, FACTORY)
    assert first < emptied < (await store.revisions())[FACTORY]
    assert await all_rows(store, FACTORY) == []


async def test_revisions_rise_with_what_changed_and_nothing_else(store: Store) -> None:
    assert dict(await store.revisions()) == {}
    await store.put_people([Person(1, (), PersonFacts())])
    await put(store, PERMITS, Row("a", (), FULL[PERMITS]))
    await store.put_order(Order(760, 5, 16))
    await store.put_document("trust/dcc", b"x")
    before = await store.revisions()
    assert set(before) == {PEOPLE, PERMITS, ORDERS, DOCUMENTS}
    await put(store, PERMITS, Row("b", (), FULL[PERMITS]))
    await store.remove_document("trust/dcc")
    after = await store.revisions()
    assert {name for name in after if after[name] != before[name]} == {PERMITS, DOCUMENTS}
    assert all(after[name] >= before[name] for name in before)


@pytest.mark.parametrize("register", ["", "persons", "roster/", "roster/../x", "nothing"])
async def test_there_are_no_other_registers(store: Store, register: str) -> None:
    with pytest.raises(StoreError):
        await put(store, register, Row("a", (), FULL[PERMITS]))
    with pytest.raises(StoreError):
        await all_rows(store, register)


async def test_orders_are_kept_by_district_and_moment(store: Store) -> None:
    await store.put_order(Order(760, 100, 16))
    await store.put_order(Order(0, 100, 15))
    await store.put_order(Order(760, 100, 19))
    await store.put_order(Order(760, 50, 15))
    assert list(await store.orders()) == [
        Order(0, 100, 15),
        Order(760, 50, 15),
        Order(760, 100, 19),
    ]
    assert await store.remove_order(760, 50)
    assert not await store.remove_order(760, 50)
    assert len(await store.orders()) == 2


async def test_documents_are_kept_by_name(store: Store) -> None:
    await store.put_document("trust/dcc", b"old")
    await store.put_document("trust/dcc", b"\x00new")
    await store.put_document("rulebook/hcmc-2021-09", b"{}")
    assert await store.document("trust/dcc") == b"\x00new"
    assert await store.document("trust/vds") is None
    held = await store.documents()
    assert list(held) == ["rulebook/hcmc-2021-09", "trust/dcc"]
    assert held["trust/dcc"].sha256 == hashlib.sha256(b"\x00new").digest()
    assert held["trust/dcc"].size == 4
    assert await store.remove_document("trust/dcc")
    assert not await store.remove_document("trust/dcc")


@pytest.mark.parametrize("name", ["", "/", "trust/", "../x", "Trust/dcc", "a/b/c/d", "trust/dcc\n"])
async def test_a_document_has_a_name_that_is_one(store: Store, name: str) -> None:
    with pytest.raises(StoreError):
        await store.put_document(name, b"x")
