"""One appliance's replica for tests: all of it real but the upstream and the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from admission.credential import Credential, CredentialKind
from admission.standing import Lookup, Standing
from cache.replica.book import ReplicaBook
from cache.replica.head import Head
from cache.replica.replicate import Replicator
from cache.replica.source import ReplicaSource
from cache.replica.vouching import Vouching
from tests.cache.replica.releases import (
    HASH_KEY,
    a_store,
    document,
)
from tests.worlds import ManualClock


class Gate:
    """One appliance's replica, all of it real but the upstream and the clock."""

    def __init__(
        self, folder: Path, *sources: ReplicaSource, trust: Vouching | None = None
    ) -> None:
        self.clock = ManualClock()
        self.clock.advance(60)
        self.book = ReplicaBook(HASH_KEY)
        self.state = folder / "state"
        self.heads: list[Head] = []
        self.documents: list[dict[str, bytes]] = []
        self.unwelcome = False
        self.waits: list[float] = []
        self.rounds_left = 0
        self.replicator = Replicator(
            sources,
            a_store(self.state, trust=trust),
            self.book,
            self.clock,
            on_head=self.heads.append,
            on_documents=self.read,
            sleep=self.sleep,
            jitter=lambda: 0.5,
        )

    def read(self, documents: Mapping[str, bytes]) -> None:
        if self.unwelcome:
            raise ValueError("no such orders")
        self.documents.append(dict(documents))

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.rounds_left -= 1
        if self.rounds_left <= 0:
            raise asyncio.CancelledError

    async def run(self, rounds: int) -> None:
        self.rounds_left = rounds
        with pytest.raises(asyncio.CancelledError):
            await self.replicator.run()

    def knows(self, number: int) -> bool:
        return self.standing(number).lookup is Lookup.FOUND

    def standing(self, number: int) -> Standing:
        credential = Credential(CredentialKind.CITIZEN_CARD, (document(number),))
        return self.book.standing_of(credential, self.clock.now())

    def doses(self, number: int) -> int | None:
        """Return how many doses somebody has on record; None = nobody of this number."""
        standing = self.standing(number)
        assert standing.lookup in {Lookup.FOUND, Lookup.NOT_FOUND}
        return standing.facts.doses if standing.facts else None

    async def merged(self) -> None:
        """Return once no base is being made."""
        task = self.replicator._merging._task
        if task is not None:
            await task
