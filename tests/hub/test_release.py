"""Protects what a gate finds of what the hub was told: every kind of knowledge, and no old one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest

from admission.credential import Credential, CredentialKind, Pass, PassKind, Proof, Signature
from admission.hours import Hours
from admission.identity import MAX_PERMITS, Identifier, IdentifierKind, person_keyer
from admission.orders import Order
from admission.standing import (
    CredentialStatus,
    Officer,
    Permit,
    PersonFacts,
    RosterEntry,
    Standing,
    TestResult,
    WatchEntry,
    Withdrawal,
)
from cache.replica.book import ReplicaBook
from cache.replica.head import Head
from cache.replica.layout import ROSTER_1
from cache.replica.names import ALIASES, PERSONS
from hub.errors import HubError, PublishError
from hub.files import KEPT_NS
from hub.keys import HubKeys, create_keys
from hub.publication import Publication
from hub.publish import Publisher
from hub.release import Release
from hub.store.port import KnownIdentifier, Person
from hub.store.registers import (
    CREDENTIALS,
    DOCUMENTS,
    OFFICERS,
    ORDERS,
    PEOPLE,
    PERMITS,
    WATCH,
    Row,
    roster,
)
from hub.tables import HEAD_CHANGES_BYTES
from tests.hub.memory_store import MemoryStore
from tests.hub.released import tables_of
from tests.worlds import ManualClock

ACTIVE, REVOKED = CredentialStatus.ACTIVE, CredentialStatus.REVOKED
FACTORY = roster("factory-1")
DOCUMENT = Identifier(IdentifierKind.DOCUMENT, "000190000001")
PASS = Identifier(IdentifierKind.PASS_NUMBER, "ab12")
FACTS = PersonFacts(
    doses=2, tested_h=450_000, test_result=TestResult.NEGATIVE, declared_h=450_001, identity=9
)


class Hub:
    """A store and what is published of it."""

    def __init__(self, folder: Path, keys: HubKeys) -> None:
        self.folder = folder
        self.keys = keys
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.publisher = Publisher(folder, keys)
        self.release = Release(self.store, self.publisher)

    @property
    def now_h(self) -> int:
        return self.clock.now().wall_ns // 3_600_000_000_000

    async def put(self, register: str, *rows: Row) -> None:
        async with self.store.change() as change:
            await change.put_rows(register, rows)

    async def publish(self) -> Head:
        head = await self.release.publish(self.clock.now())
        assert head is not None
        return head

    def standing(self, head: Head, *, proof: Proof | None = None) -> Standing:
        book = ReplicaBook(self.keys.hash_key)
        tables = tables_of(self.folder, head)
        book.swap(tables, head)
        subject = person_keyer(self.keys.hash_key)(DOCUMENT)
        badge = Pass(PassKind.OFFICER, b"1", subject) if proof else None
        shown = Credential(CredentialKind.CHOT_PASS, (DOCUMENT,), proof=proof, granted=badge)
        return book.standing_of(shown, self.clock.now())


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> HubKeys:
    return create_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
async def hub(tmp_path: Path, keys: HubKeys) -> Hub:
    hub = Hub(tmp_path, keys)
    await hub.store.put_people([Person(1, (KnownIdentifier(DOCUMENT),), FACTS)])
    return hub


async def test_a_gate_finds_everything_that_the_hub_was_told(hub: Hub) -> None:
    permit = Permit(ACTIVE, hub.now_h, hub.now_h + 72, 0b11, 760, Hours(420, 1_080))
    worker = RosterEntry(ACTIVE, date(2021, 9, 1), date(2021, 12, 31), Hours(1_320, 360))
    watched, officer = WatchEntry(ACTIVE), Officer(ACTIVE, 4_016, district=760)
    for register, entry in (
        (PERMITS, permit),
        (FACTORY, worker),
        (WATCH, watched),
        (OFFICERS, officer),
    ):
        await hub.put(register, Row("1", (DOCUMENT,), entry))
    await hub.put(CREDENTIALS, Row("2", (PASS,), Withdrawal()))
    proof = Proof(Signature.VALID, withdrawn_as=(PASS,))
    standing = hub.standing(await hub.publish(), proof=proof)
    assert standing.facts == FACTS
    assert standing.permits == (permit,)
    assert (standing.rostered, standing.roster) == (True, worker)
    assert (standing.watch, standing.officer, standing.withdrawn) == (watched, officer, True)


async def test_somebody_with_many_permits_keeps_those_that_end_last(hub: Hub) -> None:
    permits = [Permit(ACTIVE, hub.now_h, hub.now_h + 1 + n) for n in range(MAX_PERMITS + 4)]
    ended = Permit(ACTIVE, hub.now_h - 2_000, hub.now_h - 31 * 24)
    rows = [Row(f"{n}", (DOCUMENT,), permit) for n, permit in enumerate([*permits, ended])]
    await hub.put(PERMITS, *rows)
    found = hub.standing(await hub.publish()).permits
    assert sorted(p.until_h for p in found) == [p.until_h for p in permits[-MAX_PERMITS:]]


async def test_a_permit_that_ended_lately_is_told_and_an_old_one_is_not(hub: Hub) -> None:
    lately = Permit(ACTIVE, hub.now_h - 2_000, hub.now_h - 24)
    await hub.put(PERMITS, Row("1", (DOCUMENT,), lately))
    await hub.put(
        PERMITS, Row("2", (DOCUMENT,), Permit(ACTIVE, hub.now_h - 2_000, hub.now_h - 31 * 24))
    )
    assert hub.standing(await hub.publish()).permits == (lately,)


async def test_only_what_changed_is_stale_and_only_that_is_written(hub: Hub) -> None:
    assert await hub.release.stale() == {PEOPLE}
    await hub.put(WATCH, Row("1", (DOCUMENT,), WatchEntry(ACTIVE)))
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


async def test_a_roster_that_was_dropped_leaves_the_head(hub: Hub) -> None:
    await hub.put(FACTORY, Row("1", (DOCUMENT,), RosterEntry(ACTIVE)))
    assert FACTORY in (await hub.publish()).datasets
    await hub.store.drop_register(FACTORY)
    head = await hub.publish()
    assert set(head.datasets) == {PERSONS, ALIASES}
    assert not hub.standing(head).rostered


async def test_an_emptied_roster_stays_in_the_head(hub: Hub) -> None:
    await hub.put(FACTORY)
    standing = hub.standing(await hub.publish())
    assert (standing.rostered, standing.roster) == (True, None)


async def test_lost_notes_and_another_hash_key_cost_a_new_release(
    hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await hub.put(WATCH)
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
    await hub.put(WATCH, Row("1", (DOCUMENT,), WatchEntry(ACTIVE)))
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


async def test_nothing_goes_out_before_the_first_people(hub: Hub, tmp_path: Path) -> None:
    store = MemoryStore()
    await store.put_order(Order(0, 5, 16))
    empty = Release(store, Publisher(tmp_path / "empty", hub.keys))
    with pytest.raises(HubError, match="nobody"):
        await empty.publish(hub.clock.now())


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
    await hub.put(WATCH, Row("1", (DOCUMENT,), WatchEntry(ACTIVE)))
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
    await hub.put(WATCH)
    other = Publisher(hub.folder, hub.keys)
    with other._heads.taken({ALIASES}):
        left = await hub.release.publish_changes(hub.clock.now(), limit=10)
    assert left == {PEOPLE, WATCH}, "the watch list has no base yet"
    assert await hub.release.stale() == {PEOPLE, WATCH}
    assert not await hub.release.publish_changes(
        hub.clock.now(), only=frozenset({PEOPLE}), limit=10
    )
    assert await hub.release.stale() == {WATCH}


async def test_a_head_has_room_for_the_changes_of_many_sites(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cache.replica.durable.os.fsync", lambda _: None)
    workers = [Identifier(IdentifierKind.DOCUMENT, f"{n}") for n in range(100)]
    for status in (ACTIVE, REVOKED):
        for site in range(20):
            rows = [Row(one.value, (one,), RosterEntry(status)) for one in workers]
            await hub.put(roster(f"site-{site}"), *rows)
        head = await hub.publish()
    inline = [len(dataset.changes) for dataset in head.datasets.values()]
    assert 0 < sum(inline) <= HEAD_CHANGES_BYTES
    tables = tables_of(hub.folder, head)
    key = person_keyer(hub.keys.hash_key)(workers[50])
    for site in range(20):
        table = tables[roster(f"site-{site}")]
        assert table is not None
        assert (table.rows, table.find(key)) == (100, ROSTER_1.pack(RosterEntry(REVOKED)))


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


async def test_permits_that_ended_long_ago_go_with_the_next_base(hub: Hub) -> None:
    lately = Permit(ACTIVE, hub.now_h - 72, hub.now_h)
    await hub.put(PERMITS, Row("1", (DOCUMENT,), lately))
    await hub.publish()
    hub.clock.advance(31 * 86_400)
    await hub.store.put_order(Order(0, 5, 16))
    assert hub.standing(await hub.publish()).permits == (lately,)
    await hub.release.rebase(frozenset({PERMITS}), hub.clock)
    head = hub.publisher.published()
    assert head is not None
    assert hub.standing(head).permits == ()


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
    await hub.put(WATCH, Row("1", (DOCUMENT,), WatchEntry(ACTIVE)))

    async def is_watched() -> bool:
        head = await asyncio.to_thread(hub.publisher.published)
        return head is not None and WATCH in head.datasets

    await until(is_watched)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert calls == 2, "people did not change again"


async def test_what_fits_no_record_is_refused_and_nothing_changes(hub: Hub) -> None:
    head = await hub.publish()
    await hub.put(WATCH, Row("1", (DOCUMENT,), WatchEntry(ACTIVE, date(2100, 1, 1))))
    with pytest.raises(PublishError):
        await hub.publish()
    assert hub.publisher.published() == head
    assert not list(hub.folder.rglob("*.part"))
