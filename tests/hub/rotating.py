"""A hub's folder whose keys are replaced, and a gate that follows what lies in it."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from admission.identity import Identifier, IdentifierKind
from admission.standing import PersonFacts
from cache.replica.book import ReplicaBook
from cache.replica.contents import subscription
from cache.replica.directory_source import DirectorySource
from cache.replica.keys import hash_key_id
from cache.replica.replicate import Outcome, Replicator
from cache.replica.store import ReplicaStore
from cache.replica.trust import Trust
from hub.folder import DataFolder
from hub.keys import HubKeys, create_keys, load_keys
from hub.publish import Publisher
from hub.rotation import publish_again, rotate
from hub.store.port import KnownIdentifier, Person
from tests.worlds import ManualClock


def people(count: int) -> list[Person]:
    facts = PersonFacts(doses=2, born=date(1980, 1, 1))
    return [
        Person(n, (KnownIdentifier(Identifier(IdentifierKind.DOCUMENT, f"{n:012d}")),), facts)
        for n in range(count)
    ]


class World:
    """A hub's folder, and a gate that follows what lies in it."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock()
        self.clock.advance(60)
        self.folder = DataFolder(path / "hub")
        self.folder.create()
        create_keys(self.folder.keys)
        self.clock.advance(1)
        publish_again(self.folder, self.clock.now())
        self.publish(3)
        self.path = path
        self.restart()

    def restart(self) -> None:
        root = (self.path / "root.json").read_bytes() if self.started else self.pin()
        self.trust = Trust.open(self.path / "trust", root)
        keys = load_keys(self.folder.keys)
        takes = subscription("gate-1")
        key_id = hash_key_id(keys.hash_key)
        self.store = ReplicaStore(self.path / "state", self.trust, key_id, takes=takes)
        self.book = ReplicaBook(keys.hash_key)
        source = DirectorySource(self.folder.replica)
        self.gate = Replicator([source], self.store, self.book, self.clock)

    @property
    def started(self) -> bool:
        return (self.path / "root.json").exists()

    def pin(self) -> bytes:
        data = self.folder.root_file.read_bytes()
        (self.path / "root.json").write_bytes(data)
        return data

    def publish(self, count: int) -> None:
        self.clock.advance(1)
        keys = load_keys(self.folder.keys)
        Publisher(self.folder.published, keys).publish(people(count), now=self.clock.now())

    def rotate(self, role: str, root_key: Path | None = None) -> None:
        self.clock.advance(1)
        now = self.clock.now()
        rotate(self.folder, role, now, root_key=root_key, entropy=os.urandom)

    async def round(self) -> Outcome:
        self.clock.advance(2)
        return await self.gate.once()


def of(keys: HubKeys, role: str) -> bytes:
    key = getattr(keys, role)
    assert key is not None
    return bytes(key.private_bytes_raw())
