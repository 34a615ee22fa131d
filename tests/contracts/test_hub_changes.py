"""Protects what the publisher reads instead of everything: no touched identifier is left out."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from admission.identity import Identifier, IdentifierKind
from admission.standing import CredentialStatus, PersonFacts, WatchEntry
from hub.errors import StoreError
from hub.store.port import KnownIdentifier, Person, Store
from hub.store.registers import PEOPLE, WATCH, Row
from hub.store.sqlite import change_log, open_store

MANY = 1_000
WATCHED = WatchEntry(CredentialStatus.ACTIVE)


def numbers(*values: str) -> tuple[Identifier, ...]:
    return tuple(Identifier(IdentifierKind.DOCUMENT, value) for value in values)


def known(*values: str) -> frozenset[Identifier]:
    return frozenset(numbers(*values))


def person(number: int, *values: str, doses: int = 0) -> Person:
    return Person(number, tuple(map(KnownIdentifier, numbers(*values))), PersonFacts(doses=doses))


def row(key: str, *values: str) -> Row:
    return Row(key, numbers(*values), WATCHED)


async def revision(store: Store, name: str) -> int:
    return (await store.revisions())[name]


async def test_who_was_written_is_touched_under_former_numbers_too(store: Store) -> None:
    await store.put_people([person(1, "A1", "A2"), person(2, "B1")])
    before = await revision(store, PEOPLE)
    await store.put_people([person(1, "A2", "A3", doses=1)])
    changed = await store.changed_people(before, limit=MANY)
    assert changed is not None
    assert changed.touched == known("A1", "A2", "A3")
    assert list(changed.people) == [person(1, "A2", "A3", doses=1)]
    assert changed.revision == await revision(store, PEOPLE)
    nothing = await store.changed_people(changed.revision, limit=MANY)
    assert nothing is not None
    assert (nothing.touched, list(nothing.people)) == (frozenset(), [])


async def test_a_number_that_went_to_somebody_else_leads_to_them(store: Store) -> None:
    await store.put_people([person(1, "A1", "A2")])
    before = await revision(store, PEOPLE)
    async with store.change() as change:
        await change.put_people([person(1, "A1")])
        await change.put_people([person(2, "A2")])
    changed = await store.changed_people(before, limit=MANY)
    assert changed is not None
    assert changed.touched == known("A1", "A2")
    assert list(changed.people) == [person(1, "A1"), person(2, "A2")]


async def test_rows_are_touched_when_put_replaced_and_removed(store: Store) -> None:
    async with store.change() as change:
        await change.put_rows(WATCH, [row("1", "A1"), row("2", "B1"), row("3", "C1")])
    before = await revision(store, WATCH)
    async with store.change() as change:
        await change.put_rows(WATCH, [row("1", "A2", "B1")])
        await change.remove_rows(WATCH, {"2", "none"})
    changed = await store.changed_rows(WATCH, before, limit=MANY)
    assert changed is not None
    assert changed.touched == known("A1", "A2", "B1")
    assert list(changed.rows) == [row("1", "A2", "B1")]
    assert changed.revision == await revision(store, WATCH)
    with pytest.raises(StoreError):
        await store.changed_rows("nothing", 0, limit=MANY)


async def test_the_log_answers_from_the_first_change_on_and_for_no_later_one(store: Store) -> None:
    assert await store.changed_people(1, limit=MANY) is None
    await store.put_people([person(1, "A1")])
    first = await store.changed_people(0, limit=MANY)
    assert first is not None
    assert first.touched == known("A1")
    assert await store.changed_people(first.revision + 1, limit=MANY) is None


@pytest.mark.parametrize("register", [PEOPLE, WATCH])
async def test_what_was_cleared_has_to_be_compared_whole(store: Store, register: str) -> None:
    await store.put_people([person(1, "A1")])
    async with store.change() as change:
        await change.put_rows(WATCH, [row("1", "A1")])
    before = await revision(store, register)
    async with store.change() as change:
        await change.clear_people()
        await change.clear_rows(WATCH)
        await change.put_people([person(2, "A2")])
        await change.put_rows(WATCH, [row("2", "A2")])

    async def changes(after: int) -> object:
        if register == PEOPLE:
            return await store.changed_people(after, limit=MANY)
        return await store.changed_rows(register, after, limit=MANY)

    assert await changes(before) is None
    assert await changes(await revision(store, register)) is not None


async def test_what_is_forgotten_or_too_much_has_to_be_compared_whole(store: Store) -> None:
    revisions = []
    for number in range(3):
        await store.put_people([person(number, f"A{number}")])
        revisions.append(await revision(store, PEOPLE))
    assert await store.changed_people(revisions[0], limit=1) is None
    await store.forget_changes(PEOPLE, revisions[1])
    assert await store.changed_people(revisions[0], limit=MANY) is None
    last = await store.changed_people(revisions[1], limit=1)
    assert last is not None
    assert last.touched == known("A2")
    await store.forget_changes(PEOPLE, revisions[2] + 5)
    await store.put_people([person(9, "A9")])
    assert await store.changed_people(revisions[2], limit=1) is not None


async def test_what_was_undone_is_not_logged(store: Store) -> None:
    await store.put_people([person(1, "A1")])
    before = await revision(store, PEOPLE)
    with suppress(ZeroDivisionError):
        async with store.change() as change:
            await change.put_people([person(2, "A2")])
            raise ZeroDivisionError
    changed = await store.changed_people(before, limit=MANY)
    assert changed is not None
    assert not changed.touched


async def test_a_log_that_would_become_too_long_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_log.ChangeLog.__init__, "__kwdefaults__", {"limit": 5})
    async with open_store(tmp_path / "hub.db") as store:
        await store.put_people([person(0, "A0")])
        before = await revision(store, PEOPLE)
        for number in range(1, 6):  # over many transactions
            await store.put_people([person(number, f"A{number}")])
        assert await store.changed_people(before, limit=MANY) is None
        before = await revision(store, PEOPLE)
        await store.put_people([person(9, "A9")])
        assert await store.changed_people(before, limit=MANY) is not None
        async with store.change() as change:  # within one
            for number in range(10, 20):
                await change.put_people([person(number, f"A{number}")])
        assert await store.changed_people(before, limit=MANY) is None
        rows = await store._connection._raw.execute_fetchall("SELECT count(*) FROM change_log")
        assert next(iter(rows))[0] == 0
