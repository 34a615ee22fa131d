"""Protects what a gate finds of what the hub was told: every kind of knowledge, and no old one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from admission.credential import Proof, Signature
from admission.hours import Hours
from admission.identity import MAX_PERMITS, Identifier, IdentifierKind, person_keyer
from admission.orders import Order
from admission.standing import (
    CredentialStatus,
    Officer,
    Permit,
    RosterEntry,
    WatchEntry,
    Withdrawal,
)
from cache.replica.layout import ROSTER_1
from cache.replica.names import ALIASES, PERSONS
from hub.errors import HubError, PublishError
from hub.keys import HubKeys, create_keys
from hub.publish import Publisher
from hub.release import Release
from hub.store.registers import CREDENTIALS, OFFICERS, PERMITS, WATCH, Row, roster
from hub.tables import HEAD_CHANGES_BYTES
from tests.hub.hubs import DOCUMENT, FACTS, Hub, a_hub
from tests.hub.memory_store import MemoryStore
from tests.hub.released import tables_of

ACTIVE, REVOKED = CredentialStatus.ACTIVE, CredentialStatus.REVOKED
FACTORY = roster("factory-1")
PASS = Identifier(IdentifierKind.PASS_NUMBER, "ab12")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> HubKeys:
    return create_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
async def hub(tmp_path: Path, keys: HubKeys) -> Hub:
    return await a_hub(tmp_path, keys)


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
        await hub.put_rows(register, Row("1", (DOCUMENT,), entry))
    await hub.put_rows(CREDENTIALS, Row("2", (PASS,), Withdrawal()))
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
    await hub.put_rows(PERMITS, *rows)
    found = hub.standing(await hub.publish()).permits
    assert sorted(p.until_h for p in found) == [p.until_h for p in permits[-MAX_PERMITS:]]


async def test_a_permit_that_ended_lately_is_told_and_an_old_one_is_not(hub: Hub) -> None:
    lately = Permit(ACTIVE, hub.now_h - 2_000, hub.now_h - 24)
    await hub.put_rows(PERMITS, Row("1", (DOCUMENT,), lately))
    await hub.put_rows(
        PERMITS, Row("2", (DOCUMENT,), Permit(ACTIVE, hub.now_h - 2_000, hub.now_h - 31 * 24))
    )
    assert hub.standing(await hub.publish()).permits == (lately,)


async def test_a_roster_that_was_dropped_leaves_the_head(hub: Hub) -> None:
    await hub.put_rows(FACTORY, Row("1", (DOCUMENT,), RosterEntry(ACTIVE)))
    assert FACTORY in (await hub.publish()).datasets
    await hub.store.drop_register(FACTORY)
    head = await hub.publish()
    assert set(head.datasets) == {PERSONS, ALIASES}
    assert not hub.standing(head).rostered


async def test_an_emptied_roster_stays_in_the_head(hub: Hub) -> None:
    await hub.put_rows(FACTORY)
    standing = hub.standing(await hub.publish())
    assert (standing.rostered, standing.roster) == (True, None)


async def test_nothing_goes_out_before_the_first_people(hub: Hub, tmp_path: Path) -> None:
    store = MemoryStore()
    await store.put_order(Order(0, 5, 16))
    empty = Release(store, Publisher(tmp_path / "empty", hub.keys))
    with pytest.raises(HubError, match="nobody"):
        await empty.publish(hub.clock.now())


async def test_a_head_has_room_for_the_changes_of_many_sites(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cache.replica.durable.os.fsync", lambda _: None)
    workers = [Identifier(IdentifierKind.DOCUMENT, f"{n}") for n in range(100)]
    for status in (ACTIVE, REVOKED):
        for site in range(20):
            rows = [Row(one.value, (one,), RosterEntry(status)) for one in workers]
            await hub.put_rows(roster(f"site-{site}"), *rows)
        head = await hub.publish()
    inline = [len(dataset.changes) for dataset in head.datasets.values()]
    assert 0 < sum(inline) <= HEAD_CHANGES_BYTES
    tables = tables_of(hub.folder, head)
    key = person_keyer(hub.keys.hash_key)(workers[50])
    for site in range(20):
        table = tables[roster(f"site-{site}")]
        assert table is not None
        assert (table.rows, table.find(key)) == (100, ROSTER_1.pack(RosterEntry(REVOKED)))


async def test_permits_that_ended_long_ago_go_with_the_next_base(hub: Hub) -> None:
    lately = Permit(ACTIVE, hub.now_h - 72, hub.now_h)
    await hub.put_rows(PERMITS, Row("1", (DOCUMENT,), lately))
    await hub.publish()
    hub.clock.advance(31 * 86_400)
    await hub.store.put_order(Order(0, 5, 16))
    assert hub.standing(await hub.publish()).permits == (lately,)
    await hub.release.rebase(frozenset({PERMITS}), hub.clock)
    head = hub.publisher.published()
    assert head is not None
    assert hub.standing(head).permits == ()


async def test_what_fits_no_record_is_refused_and_nothing_changes(hub: Hub) -> None:
    head = await hub.publish()
    await hub.put_rows(WATCH, Row("1", (DOCUMENT,), WatchEntry(ACTIVE, date(2100, 1, 1))))
    with pytest.raises(PublishError):
        await hub.publish()
    assert hub.publisher.published() == head
    assert not list(hub.folder.rglob("*.part"))
