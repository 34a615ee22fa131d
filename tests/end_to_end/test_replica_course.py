"""A hub and one gate that trusts its root alone: every kind of news, one after the other."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from admission.credential import Credential, CredentialKind
from admission.identity import Identifier, IdentifierKind
from admission.standing import PersonFacts
from cache.replica.book import ReplicaBook
from cache.replica.contents import subscription
from cache.replica.directory_source import DirectorySource
from cache.replica.keys import hash_key_id
from cache.replica.merging import MergeOutcome
from cache.replica.replicate import Replicator
from cache.replica.source import FileKind
from cache.replica.status import GOOD_OUTCOMES, Outcome, ReplicaStatus
from cache.replica.store import ReplicaStore
from cache.replica.trust import Trust
from hub.folder import DataFolder
from hub.keys import HubKeys, create_keys, load_keys
from hub.publish import Publisher
from hub.rotation import ROTATED, rotate
from hub.store.port import KnownIdentifier, Person
from tests.worlds import ManualClock

HOUR_S = 3_600
PEOPLE = 400


def identifier(number: int) -> Identifier:
    return Identifier(IdentifierKind.DOCUMENT, f"{number:012d}")


def everybody(**doses: int) -> list[Person]:
    """Return all people, with two doses each, or some with others: `n7=3`."""
    people = []
    for number in range(PEOPLE):
        facts = PersonFacts(
            doses=doses.get(f"n{number}", 2), born=date(1980, 1, 1), district=number % 50
        )
        people.append(Person(number, (KnownIdentifier(identifier(number)),), facts))
    return people


class Course:
    """A hub's folder, served as a folder, and a gate."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.folder = folder
        self.hub = DataFolder(folder / "hub")
        self.open_hub(create_keys(self.hub.keys))

    def open_hub(self, keys: HubKeys) -> None:
        self.keys = keys
        self.publisher = Publisher(self.hub.published, keys)

    def publish(self, **doses: int) -> None:
        self.publisher.publish(everybody(**doses), now=self.clock.now())

    def boot(self) -> None:
        root = self.hub.published / "replica" / "metadata" / "1.root.json"
        trust = Trust.open(self.folder / "gate" / "trust", root.read_bytes())
        self.book = ReplicaBook(self.keys.hash_key)
        store = ReplicaStore(
            self.folder / "gate" / "replica",
            trust,
            hash_key_id(self.keys.hash_key),
            takes=subscription("gate-7"),
        )
        source = DirectorySource(self.hub.published / "replica")
        self.replicator = Replicator([source], store, self.book, self.clock)

    async def round(self) -> ReplicaStatus:
        assert await self.replicator.once() is Outcome.ACTIVATED, self.replicator.status()
        task = self.replicator._merging._task
        if task is not None:
            await task
        return self.replicator.status()

    def doses(self, number: int) -> int:
        shown = Credential(CredentialKind.CITIZEN_CARD, (identifier(number),))
        facts = self.book.standing_of(shown, self.clock.now()).facts
        assert facts is not None
        return facts.doses


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    for module in ("files", "steps", "tables"):  # so that few people are treated as many
        monkeypatch.setattr(f"hub.{module}.SMALL_BYTES", 0)
    return Course(tmp_path)


async def test_a_gate_follows_its_hub_through_changes_deltas_and_the_next_base(
    course: Course,
) -> None:
    course.publish()
    course.boot()
    first = await course.round()
    assert first.rows == PEOPLE
    assert first.fetched_bytes[FileKind.SEGMENT] == 0, "bases come packed"
    assert first.fetched_bytes[FileKind.SNAPSHOT] > 0

    course.publish(n7=0)
    changed = await course.round()
    assert (course.doses(7), course.doses(8)) == (0, 2)
    assert changed.fetched_bytes == first.fetched_bytes, "a change is in the head"

    course.clock.advance(HOUR_S)
    course.publisher.tend(course.clock.now())
    folded = await course.round()
    assert folded.fetched_bytes[FileKind.DELTA] > 0
    assert folded.deltas_applied == 1

    assert course.publisher.follow("persons", course.clock.now)
    merged = await course.round()
    assert (merged.merges[MergeOutcome.DONE], merged.merge_error) == (1, "")
    course.publish(n7=0, n8=1)
    await course.round()
    course.clock.advance(HOUR_S)
    course.publisher.tend(course.clock.now())
    switched = await course.round()
    assert switched.fetched_bytes[FileKind.SNAPSHOT] == first.fetched_bytes[FileKind.SNAPSHOT]
    assert switched.fetched_bytes[FileKind.SEGMENT] == 0, "the next base is made here"
    assert [course.doses(number) for number in (7, 8, 9)] == [0, 1, 2]

    course.boot()
    assert await course.replicator.open()
    assert [course.doses(number) for number in (7, 8, 9)] == [0, 1, 2]
    assert await course.replicator.once() is Outcome.UNCHANGED


async def test_a_gate_goes_along_as_every_key_of_the_hub_is_replaced(course: Course) -> None:
    course.publish()
    course.boot()
    await course.round()
    for number, role in enumerate(ROTATED):
        course.clock.advance(60)
        rotate(course.hub, role, course.clock.now(), root_key=None, entropy=os.urandom)
        assert await course.replicator.once() in GOOD_OUTCOMES, course.replicator.status()
        course.open_hub(load_keys(course.hub.keys))
        course.clock.advance(60)
        course.publish(n7=3 + number)
        course.boot()
        assert await course.replicator.open()
        await course.round()
        assert course.doses(7) == 3 + number
