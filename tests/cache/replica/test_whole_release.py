"""Protects a release of many parts: a gate takes its own, all at once, and loses no more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from admission.credential import Credential, CredentialKind
from admission.standing import CredentialStatus, Lookup, RosterEntry, Standing, WatchEntry
from cache.errors import HeadError, LayoutError
from cache.replica.contents import DOCUMENTS_LIMIT_BYTES, contents_of, subscription
from cache.replica.head import Dataset, Document
from cache.replica.layout import PERSONS_1, ROSTER_1, WATCH_1
from cache.replica.names import PERSONS, ROSTER, WATCH, roster_name
from cache.replica.status import Outcome
from tests.cache.replica.gates import Gate
from tests.cache.replica.releases import (
    HASH_KEY_ID,
    SITE,
    MemorySource,
    Release,
    a_store,
    deliver,
    document,
)

ON_LIST = RosterEntry(CredentialStatus.ACTIVE)
WANTED = WatchEntry(CredentialStatus.ACTIVE)


def whole(folder: Path, people: int, wanted: int, documents: Mapping[str, bytes]) -> Release:
    others = {
        roster_name(SITE): (ROSTER_1, {1: ON_LIST}),
        roster_name("elsewhere"): (ROSTER_1, {2: ON_LIST}),
        WATCH: (WATCH_1, {wanted: WANTED}),
    }
    return Release(folder, people, others=others, documents=documents)


@pytest.fixture
def old(tmp_path: Path) -> Release:
    return whole(tmp_path, 100, 5, {"orders": b"old orders", "trust/dcc": b"keys"})


@pytest.fixture
def new(tmp_path: Path) -> Release:
    return whole(tmp_path, 100, 6, {"orders": b"new orders", "trust/dcc": b"keys"})


@pytest.fixture
def source(old: Release, new: Release) -> MemorySource:
    return MemorySource(old, new)


def asked(gate: Gate, number: int) -> Standing:
    shown = Credential(CredentialKind.CITIZEN_CARD, (document(number),))
    return gate.book.standing_of(shown, gate.clock.now())


def names(release: Release, *datasets: str) -> list[str]:
    return [release.datasets[name].name for name in datasets]


async def test_a_gate_takes_what_is_its_own_and_then_only_what_changed(
    gate: Gate, source: MemorySource, old: Release, new: Release
) -> None:
    assert await gate.replicator.once() is Outcome.ACTIVATED
    documents = [d.name for d in old.documents.values()]
    assert source.fetched == [*names(old, PERSONS, roster_name(SITE), WATCH), *documents]
    assert (asked(gate, 1).roster, asked(gate, 2).roster, asked(gate, 1).rostered) == (
        ON_LIST,
        None,
        True,
    )
    assert gate.documents == [{"orders": b"old orders", "trust/dcc": b"keys"}]
    source.fetched.clear()
    source.envelope = new.envelope(2)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert source.fetched == [*names(new, WATCH), new.documents["orders"].name]
    assert (asked(gate, 5).watch, asked(gate, 6).watch) == (None, WANTED)
    assert gate.documents[-1] == {"orders": b"new orders", "trust/dcc": b"keys"}
    status = gate.replicator.status()
    assert (status.datasets[PERSONS], status.datasets[ROSTER], status.documents) == (100, 1, 2)
    assert status.missing == 0


async def test_what_changes_for_other_sites_only_is_not_fetched(
    gate: Gate, source: MemorySource, old: Release
) -> None:
    await gate.replicator.once()
    source.fetched.clear()
    other = Dataset(bytes(range(32)), 12_288, 1, ROSTER_1.id)
    datasets = {**old.datasets, roster_name("elsewhere"): other}
    source.envelope = old.envelope(2, datasets=datasets)
    assert await gate.replicator.once() is Outcome.REVOUCHED
    assert source.fetched == []
    assert len(gate.documents) == 1


async def test_a_part_that_cannot_be_had_leaves_the_whole_release_before(
    gate: Gate, source: MemorySource, new: Release
) -> None:
    await gate.replicator.once()
    data = source.files.pop(new.documents["orders"].name)
    source.envelope = new.envelope(2)
    assert await gate.replicator.once() is Outcome.UNREACHABLE
    assert (asked(gate, 5).watch, asked(gate, 6).watch) == (WANTED, None)
    assert len(gate.documents) == 1
    source.files[new.documents["orders"].name] = data[:-1] + b"x"
    assert await gate.replicator.once() is Outcome.REFUSED
    source.files[new.documents["orders"].name] = data
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert asked(gate, 6).watch == WANTED


async def test_a_reboot_brings_back_every_part_and_the_documents(
    tmp_path: Path, gate: Gate, source: MemorySource
) -> None:
    await gate.replicator.once()
    source.envelope = None
    rebooted = Gate(tmp_path, source)
    assert await rebooted.replicator.open()
    assert (asked(rebooted, 1).roster, asked(rebooted, 5).watch) == (ON_LIST, WANTED)
    assert rebooted.documents == gate.documents


@pytest.mark.parametrize("harmed", [roster_name(SITE), WATCH])
async def test_a_dataset_lost_at_rest_is_unreadable_until_it_is_fetched_again(
    tmp_path: Path, gate: Gate, source: MemorySource, old: Release, harmed: str
) -> None:
    await gate.replicator.once()
    (gate.state / "segments" / f"{old.datasets[harmed].name}.segment").unlink()
    rebooted = Gate(tmp_path, source)
    assert await rebooted.replicator.open()
    assert rebooted.replicator.status().missing == 1
    standing = asked(rebooted, 1)
    if harmed == WATCH:  # whoever is looked for may be written there
        assert (standing.lookup, standing.unreadable) == (Lookup.UNREADABLE, (WATCH,))
        assert standing.facts is None
    else:
        assert (standing.lookup, standing.unreadable) == (Lookup.FOUND, (ROSTER,))
        assert standing.rostered
    source.fetched.clear()
    assert await rebooted.replicator.once() is Outcome.ACTIVATED
    assert source.fetched == names(old, harmed)
    assert asked(rebooted, 1).unreadable == ()


async def test_a_document_damaged_at_rest_is_named_without_content_and_fetched_again(
    tmp_path: Path, gate: Gate, source: MemorySource, old: Release
) -> None:
    await gate.replicator.once()
    path = gate.state / "segments" / f"{old.documents['orders'].name}.document"
    path.write_bytes(b"OLD ORDERS")
    rebooted = Gate(tmp_path, source)
    assert await rebooted.replicator.open()
    assert rebooted.documents == [{"orders": b"", "trust/dcc": b"keys"}]
    assert await rebooted.replicator.once() is Outcome.ACTIVATED
    assert rebooted.documents[-1] == {"orders": b"old orders", "trust/dcc": b"keys"}


async def test_a_whole_release_before_serves_rather_than_a_newer_one_with_a_hole(
    tmp_path: Path, gate: Gate, source: MemorySource, new: Release
) -> None:
    await gate.replicator.once()
    source.envelope = new.envelope(2)
    await gate.replicator.once()
    (gate.state / "segments" / f"{new.datasets[WATCH].name}.segment").unlink()
    source.envelope = None
    rebooted = Gate(tmp_path, source)
    assert await rebooted.replicator.open()
    assert rebooted.replicator.status().sequence == 1
    assert asked(rebooted, 5).watch == WANTED


async def test_whoever_cannot_read_a_document_does_not_stop_the_replica(
    gate: Gate, source: MemorySource, new: Release
) -> None:
    gate.unwelcome = True
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert "no such orders" in gate.replicator.status().documents_error
    assert gate.replicator.status().last_error == ""
    gate.unwelcome = False
    source.envelope = new.envelope(2)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert gate.replicator.status().documents_error == ""


async def test_files_of_two_releases_are_kept_and_older_ones_removed(
    tmp_path: Path, old: Release, new: Release
) -> None:
    newest = whole(tmp_path, 101, 6, {"orders": b"newest orders"})
    store = a_store(tmp_path / "state")
    store.open()
    for sequence, release in enumerate((old, new, newest), start=1):
        deliver(store, release, sequence)
    files = {path.name.partition(".")[0] for path in (tmp_path / "state" / "segments").iterdir()}
    taken = {
        item.name
        for release in (new, newest)
        for item in (
            *release.datasets.values(),
            *release.documents.values(),
        )
    }
    assert files == taken - {new.datasets[roster_name("elsewhere")].name}


class TestContents:
    takes = staticmethod(subscription(SITE))

    def test_more_than_a_gate_may_hold_is_refused_before_it_is_fetched(self, old: Release) -> None:
        limit = sum(d.size for n, d in old.datasets.items() if self.takes(n))
        assert contents_of(old.signed(), HASH_KEY_ID, self.takes, limit)
        with pytest.raises(HeadError, match="limit"):
            contents_of(old.signed(), HASH_KEY_ID, self.takes, limit - 1)
        many = {f"trust/{i}": Document(bytes(32), 13 << 20) for i in range(5)}
        assert sum(d.size for d in many.values()) > DOCUMENTS_LIMIT_BYTES
        with pytest.raises(HeadError, match="documents"):
            contents_of(old.signed(documents=many), HASH_KEY_ID, self.takes, 1 << 40)

    def test_a_site_fetches_what_it_subscribes_to(self, old: Release) -> None:
        takes = subscription(SITE, ["roster", "permits", "watch"])
        contents = contents_of(old.signed(), HASH_KEY_ID, takes, 1 << 40)
        assert set(contents.datasets) == {PERSONS, WATCH}, "nothing is decided without these"

    def test_rows_of_another_kind_than_the_name_says_are_refused(self, old: Release) -> None:
        swapped = {PERSONS: old.dataset, WATCH: old.datasets[roster_name(SITE)]}
        with pytest.raises(LayoutError, match="watch"):
            contents_of(old.signed(datasets=swapped), HASH_KEY_ID, self.takes, 1 << 40)

    def test_a_kind_of_dataset_that_is_unknown_here_is_left_alone(self, old: Release) -> None:
        more = {**old.datasets, "parcels": Dataset(bytes(32), 1, 1, 99)}
        contents = contents_of(old.signed(datasets=more), HASH_KEY_ID, self.takes, 1 << 40)
        assert set(contents.datasets) == {PERSONS, WATCH, roster_name(SITE)}
        assert old.dataset.layout == PERSONS_1.id
