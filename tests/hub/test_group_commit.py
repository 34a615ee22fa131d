"""Protects uploads that come together: one commit for all, and one bad offer harms nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from hub import group_commit
from hub.errors import StoreError
from hub.group_commit import GroupCommit
from hub.store.entries import Added, EntryRecord, JournalKey, Offer
from tests.contracts.test_hub_entries import record
from tests.hub.memory_store import MemoryStore


class Gated(MemoryStore):
    """A store that writes when it is let, and cannot write what comes of one gate."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[list[str]] = []
        self.let = asyncio.Event()
        self.broken = ""

    async def add_entries(self, offers: Sequence[Offer]) -> Sequence[Added]:
        self.groups.append([offer.key.device for offer in offers])
        await self.let.wait()
        if self.broken in self.groups[-1]:
            raise StoreError("disk failed")
        return await super().add_entries(offers)


def offer(device: str, *records: EntryRecord) -> Offer:
    return Offer(JournalKey(device, bytes(16)), records or (record(1),))


async def begun(commits: GroupCommit, *devices: str) -> list[asyncio.Task[Added]]:
    tasks = [asyncio.create_task(commits.add(offer(device))) for device in devices]
    await asyncio.sleep(0)
    return tasks


async def test_who_comes_while_the_store_is_busy_shares_the_next_commit() -> None:
    store = Gated()
    commits = GroupCommit(store)
    tasks = await begun(commits, "a", "b", "c", "d")
    store.let.set()
    added = await asyncio.gather(*tasks)
    assert store.groups == [["a"], ["b", "c", "d"]]
    assert [one.watermark.through for one in added] == [1, 1, 1, 1]


async def test_a_group_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAX_GROUP_ENTRIES", 2)
    store = Gated()
    tasks = await begun(GroupCommit(store), *"abcde")
    store.let.set()
    await asyncio.gather(*tasks)
    assert store.groups == [["a"], ["b", "c"], ["d", "e"]]


async def test_an_offer_that_cannot_be_written_fails_alone() -> None:
    store = Gated()
    store.broken = "c"
    tasks = await begun(GroupCommit(store), *"abcd")
    store.let.set()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(one, StoreError) for one in done] == [False, False, True, False]
    assert {key.device for key in store.entries_of} == {"a", "b", "d"}


async def test_a_caller_that_goes_away_takes_nobody_along() -> None:
    store = Gated()
    tasks = await begun(GroupCommit(store), *"abcd")
    tasks[0].cancel()
    tasks[2].cancel()
    await asyncio.sleep(0)
    store.let.set()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(one, asyncio.CancelledError) for one in done] == [True, False, True, False]
    assert {"b", "d"} <= {key.device for key in store.entries_of}
