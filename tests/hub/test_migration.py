"""Protects what a hub of an earlier version has on record from being lost when it is updated."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path

from admission.identity import Identifier, IdentifierKind
from admission.standing import PersonFacts, Product
from hub.store.devices import Device
from hub.store.port import KnownIdentifier, Person
from hub.store.sqlite import open_store

BEFORE = ("0001_people.sql", "0002_devices.sql", "0003_entries.sql")


async def test_people_of_the_first_version_are_still_on_record(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    scripts = resources.files("hub.store.sqlite") / "migrations"
    with closing(sqlite3.connect(path)) as database:
        for name in BEFORE:
            database.executescript((scripts / name).read_text())
        row = "(41, 2, 1, '2021-08-01', NULL, NULL, 0, NULL, 7)"
        database.execute(f"INSERT INTO person VALUES {row}")
        database.execute("INSERT INTO identifier VALUES ('document', '000190000001', 41, 0, 0)")
        database.execute(f"PRAGMA user_version = {len(BEFORE)}")
        database.commit()
    document = Identifier(IdentifierKind.DOCUMENT, "000190000001")
    async with open_store(path) as store:
        (chunk,) = [chunk async for chunk in store.people()]
        (person,) = chunk
        assert person.identifiers == (KnownIdentifier(document),)
        assert person.facts == PersonFacts(
            doses=2, product=Product.PFIZER, last_dose=person.facts.last_dose, district=7
        )
        assert "persons" in await store.revisions(), "the first publication finds them"
        async with store.change() as change:
            assert await change.next_number() == 42
            assert list(await change.people_by([document])) == [person]
        await store.put_people([Person(42, (), PersonFacts())])
        assert await store.people_count() == 2


async def test_a_device_of_the_first_version_is_known_and_its_token_ends(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    scripts = resources.files("hub.store.sqlite") / "migrations"
    with closing(sqlite3.connect(path)) as database:
        for name in BEFORE:
            database.executescript((scripts / name).read_text())
        database.execute("INSERT INTO device VALUES ('gate-1', ?, 7)", (b"a" * 32,))
        database.execute(f"PRAGMA user_version = {len(BEFORE)}")
        database.commit()
    async with open_store(path) as store:
        assert await store.device_by_name("gate-1") == Device(name="gate-1", enrolled_ns=7)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT token_sha256 FROM device").fetchall() == [(None,)]
