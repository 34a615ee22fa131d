"""Protects that a running hub publishes what it can, and does not wait for all people."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from admission.orders import Order
from admission.standing import CredentialStatus, WatchEntry
from cache.replica.names import ALIASES
from hub.errors import PublishError
from hub.keys import HubKeys, create_keys
from hub.publication import Publication
from hub.publish import Publisher
from hub.store.port import KnownIdentifier, Person
from hub.store.registers import PEOPLE, WATCH, Row
from tests.hub.hubs import DOCUMENT, FACTS, Hub, a_hub

ACTIVE, REVOKED = CredentialStatus.ACTIVE, CredentialStatus.REVOKED


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> HubKeys:
    return create_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
async def hub(tmp_path: Path, keys: HubKeys) -> Hub:
    return await a_hub(tmp_path, keys)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 files and rows raise no events
            await asyncio.sleep(0.005)


async def test_changes_of_a_few_and_registers_do_not_wait_for_all_people(hub: Hub) -> None:
    await hub.publish()

    async def never() -> None:
        raise AssertionError

    publication = Publication(hub.release, hub.clock, never)
    await hub.store.put_people([Person(1, (KnownIdentifier(DOCUMENT, REVOKED),), FACTS)])
    await hub.put_rows(WATCH, Row("1", (DOCUMENT,), WatchEntry(ACTIVE)))
    await publication.changes()
    head = hub.publisher.published()
    assert head is not None
    standing = hub.standing(head)
    assert standing.facts is not None
    assert (standing.facts.status, standing.watch) == (REVOKED, WatchEntry(ACTIVE))
    assert await hub.release.stale() == frozenset()
    async with hub.store.change() as change:
        await change.clear_people()
        await change.put_people([Person(2, (KnownIdentifier(DOCUMENT),), FACTS)])
        await change.put_rows(WATCH, [Row("1", (DOCUMENT,), WatchEntry(REVOKED))])
    await publication.changes()
    assert await hub.release.stale() == {PEOPLE}
    head = hub.publisher.published()
    assert head is not None
    assert hub.standing(head).watch == WatchEntry(REVOKED)


async def test_changes_of_people_whom_another_publisher_works_on_are_left(hub: Hub) -> None:
    await hub.publish()
    await hub.store.put_people([Person(1, (KnownIdentifier(DOCUMENT, REVOKED),), FACTS)])
    await hub.put_rows(WATCH)
    other = Publisher(hub.folder, hub.keys)
    with other._heads.taken({ALIASES}):
        left = await hub.release.publish_changes(hub.clock.now(), limit=10)
    assert left == {PEOPLE, WATCH}, "the watch list has no base yet"
    assert await hub.release.stale() == {PEOPLE, WATCH}
    assert not await hub.release.publish_changes(
        hub.clock.now(), only=frozenset({PEOPLE}), limit=10
    )
    assert await hub.release.stale() == {WATCH}


async def test_a_running_hub_leaves_people_to_another_process_and_tries_again(hub: Hub) -> None:
    calls = 0

    async def publish_people() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise PublishError("the disk is full")
        await hub.release.publish(hub.clock.now(), only=frozenset({PEOPLE}))

    publication = Publication(
        hub.release, hub.clock, publish_people, interval_s=0.005, retry_s=0.01
    )
    await hub.store.put_order(Order(0, 5, 16))
    running = asyncio.create_task(publication.run())

    async def has_failed() -> bool:
        return "disk is full" in publication.problem

    async def is_published() -> bool:
        head = await asyncio.to_thread(hub.publisher.published)
        return head is not None and "orders" in head.documents and not publication.problem

    await until(has_failed)
    await until(is_published)
    await hub.put_rows(WATCH, Row("1", (DOCUMENT,), WatchEntry(ACTIVE)))

    async def is_watched() -> bool:
        head = await asyncio.to_thread(hub.publisher.published)
        return head is not None and WATCH in head.datasets

    await until(is_watched)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert calls == 2, "people did not change again"
