"""Protects what the hub remembers of what it published: it is written anew when it must be."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from admission.orders import Order
from admission.standing import CredentialStatus, PersonFacts, WatchEntry
from hub.files import KEPT_NS
from hub.keys import HubKeys, create_keys
from hub.publish import Publisher
from hub.release import Release
from hub.store.port import KnownIdentifier, Person
from hub.store.registers import DOCUMENTS, ORDERS, PEOPLE, WATCH, Row
from tests.hub.hubs import DOCUMENT, FACTS, Hub, a_hub

ACTIVE, REVOKED = CredentialStatus.ACTIVE, CredentialStatus.REVOKED


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> HubKeys:
    return create_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
async def hub(tmp_path: Path, keys: HubKeys) -> Hub:
    return await a_hub(tmp_path, keys)


async def test_only_what_changed_is_stale_and_only_that_is_written(hub: Hub) -> None:
    assert await hub.release.stale() == {PEOPLE}
    await hub.put_rows(WATCH, Row("1", (DOCUMENT,), WatchEntry(ACTIVE)))
    await hub.store.put_order(Order(760, 5, 16))
    await hub.store.put_document("trust/dcc", b"keys")
    head = await hub.publish()
    assert set(head.documents) == {"orders", "trust/dcc"}
    assert await hub.release.stale() == frozenset()
    assert await hub.release.publish(hub.clock.now()) is None
    hub.publisher.revouch(hub.clock.now())
    assert await Release(hub.store, Publisher(hub.folder, hub.keys)).stale() == frozenset()
    await hub.store.remove_document("trust/dcc")
    assert await hub.release.stale() == {DOCUMENTS}
    after = await hub.publish()
    assert (set(after.documents), after.datasets) == ({"orders"}, head.datasets)
    await hub.store.remove_order(760, 5)
    assert await hub.release.stale() == {ORDERS}
    assert not (await hub.publish()).documents


async def test_lost_notes_and_another_hash_key_cost_a_new_release(
    hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await hub.put_rows(WATCH)
    head = await hub.publish()
    notes = hub.folder / "replica" / ".notes"
    for damage in (b"", b"[]", notes.read_bytes().replace(b"persons", b"parsons")):
        notes.write_bytes(damage)
        assert PEOPLE in await hub.release.stale()
        assert (await hub.publish()).datasets == head.datasets
    other = create_keys(tmp_path_factory.mktemp("other"))
    mixed = msgspec.structs.replace(hub.keys, hash_key=other.hash_key)
    assert await Release(hub.store, Publisher(hub.folder, mixed)).stale() == {PEOPLE, WATCH}


async def test_what_was_published_from_elsewhere_is_published_anew(hub: Hub) -> None:
    await hub.publish()
    head_file = hub.folder / "replica" / "head"
    restored = head_file.read_bytes()
    stranger = Person(1, (KnownIdentifier(DOCUMENT),), PersonFacts())
    hub.publisher.publish([stranger], now=hub.clock.now())
    assert await hub.release.stale() == {PEOPLE}
    assert hub.standing(await hub.publish()).facts == FACTS
    await hub.store.put_people([Person(2, (), PersonFacts())])
    await hub.put_rows(WATCH, Row("1", (DOCUMENT,), WatchEntry(ACTIVE)))
    await hub.publish()
    head_file.write_bytes(restored)
    assert WATCH in await hub.release.stale(), "the notes are of another head"


async def test_what_no_head_names_any_more_goes_after_a_while(hub: Hub) -> None:
    names = []
    for number in range(2):
        await hub.store.put_document("trust/dcc", b"%d" % number)
        names.append((await hub.publish()).documents["trust/dcc"].name)
    folder = hub.folder / "replica" / "documents"
    assert {path.stem for path in folder.iterdir()} == set(names)
    hub.clock.advance(KEPT_NS // 10**9 + 1)
    await hub.store.put_order(Order(760, 5, 16))
    head = await hub.publish()
    assert {path.stem for path in folder.iterdir()} == {d.name for d in head.documents.values()}


async def test_what_is_published_is_forgotten_by_the_store_in_time(hub: Hub) -> None:
    await hub.publish()
    before = (await hub.store.revisions())[PEOPLE]
    await hub.store.put_people([Person(1, (KnownIdentifier(DOCUMENT, REVOKED),), FACTS)])
    await hub.release.tend(hub.clock.now())
    assert await hub.store.changed_people(before, limit=10) is not None, "not published yet"
    await hub.publish()
    await hub.release.tend(hub.clock.now())
    assert await hub.store.changed_people(before, limit=10) is None
    assert await hub.release.stale() == frozenset()
