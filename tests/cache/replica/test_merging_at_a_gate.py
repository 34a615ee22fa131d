"""Protects how a gate makes the next base by itself, in the background, or goes on without it."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cache.errors import DamagedPage, MergeStopped
from cache.replica import merge
from cache.replica.merging import MergeOutcome
from cache.replica.status import Outcome
from tests.cache.replica.changing import Changing
from tests.cache.replica.gates import Gate
from tests.cache.replica.releases import MemorySource, facts_of

OLD = facts_of(7).doses


@pytest.fixture
def hub(tmp_path: Path, source: MemorySource) -> Changing:
    hub = Changing(tmp_path, source)
    hub.publish()
    return hub


async def test_the_base_to_come_is_made_here_and_not_fetched(
    tmp_path: Path, gate: Gate, source: MemorySource, hub: Changing
) -> None:
    await gate.replicator.once()
    hub.change({7: 9, 8: None, 1_000: 1})
    hub.delta()
    following = hub.follow()
    hub.change({9: 5})  # after what is merged
    hub.publish()
    await gate.replicator.once()
    await gate.merged()
    assert gate.replicator.status().merges[MergeOutcome.DONE] == 1
    assert (gate.state / "segments" / f"{following.name}.segment").exists()
    hub.advance()
    source.fetched.clear()
    hub.publish()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert source.fetched == []
    for each in (gate, Gate(tmp_path, source)):
        await each.replicator.open()
        assert [each.doses(n) for n in (7, 8, 9, 1_000)] == [9, None, 5, 1]
        assert each.replicator.status().numbers["persons"] == 1


async def test_a_merge_that_gives_another_base_changes_nothing_and_is_not_repeated(
    gate: Gate, source: MemorySource, hub: Changing
) -> None:
    hub.change({7: 9})
    hub.delta()
    following = hub.follow()
    lied = replace(following, root=bytes(32))
    hub.publish(following=lied)
    await gate.replicator.once()
    await gate.merged()
    hub.publish(following=lied)
    gate.clock.advance(10_000)
    await gate.replicator.once()
    await gate.merged()
    status = gate.replicator.status()
    assert status.merges[MergeOutcome.MISMATCHED] == 1
    assert status.merge_error
    assert gate.doses(7) == 9
    assert not list(gate.state.rglob("*.tmp"))
    hub.advance()
    hub.publish()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert source.fetched[-1] == following.name, "it is fetched when its time has come"


@pytest.mark.parametrize("lack", ["recipe", "boundary", "page", "room"])
async def test_a_merge_that_fails_is_tried_again_later(
    gate: Gate, source: MemorySource, hub: Changing, lack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.change({7: 9})
    hub.delta()
    hub.change({7: 10})
    following = hub.follow()
    recipe = source.files[following.recipe.name]
    named = replace(following, through=2) if lack == "boundary" else following
    if lack == "recipe":
        del source.files[following.recipe.name]
    with monkeypatch.context() as patch:
        if lack == "room":
            free = hub.dataset.size + (64 << 20) - 1
            usage = type("Usage", (), {"free": free})
            hub.publish(following=None)
            await gate.replicator.once()
            patch.setattr("cache.replica.files.shutil.disk_usage", lambda _: usage)
        if lack == "boundary":
            hub.change({8: 3})  # through 3: no delta ends at 2
        hub.publish(following=named)
        if lack == "page":
            patch.setattr("cache.replica.merge.merge_rows", damaged)
        await gate.replicator.once()
        await gate.merged()
    merges = gate.replicator.status().merges
    assert merges[MergeOutcome.ABANDONED] == 1
    assert gate.replicator.status().merge_error
    source.files[following.recipe.name] = recipe
    hub.publish(following=following)
    await gate.replicator.once()
    await gate.merged()
    assert gate.replicator.status().merges[MergeOutcome.DONE] == 0, "not at once"
    gate.clock.advance(600)
    await gate.replicator.once()
    await gate.merged()
    assert gate.replicator.status().merges[MergeOutcome.DONE] == 1


def damaged(*_: object) -> None:
    raise DamagedPage("row page 3 is damaged")


async def test_a_merge_ends_with_the_appliance_and_begins_anew_after_it(
    tmp_path: Path, gate: Gate, source: MemorySource, hub: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.change({7: 9})
    hub.delta()
    following = hub.follow()
    hub.publish()

    with monkeypatch.context() as patch:
        patch.setattr("cache.replica.merge.merge_rows", until_stopped)
        await gate.run(1)
    assert gate.replicator.status().merges[MergeOutcome.ABANDONED] == 1
    assert not list(gate.state.rglob("*.tmp"))
    (gate.state / "segments" / f"{following.name}.segment.merged.tmp").write_bytes(b"power cut")
    rebooted = Gate(tmp_path, source)
    await rebooted.replicator.once()
    await rebooted.merged()
    assert not list(gate.state.rglob("*.tmp"))
    assert rebooted.replicator.status().merges[MergeOutcome.DONE] == 1


async def test_a_merge_for_nothing_is_stopped(
    gate: Gate, source: MemorySource, hub: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.change({7: 9})
    hub.delta()
    hub.follow()
    hub.publish()
    monkeypatch.setattr("cache.replica.merge.merge_rows", until_stopped)
    await gate.replicator.once()
    hub.publish()
    await gate.replicator.once()
    assert not gate.replicator.status().merges[MergeOutcome.ABANDONED], "it is still asked for"
    hub.publish(following=None)
    await gate.replicator.once()
    await gate.merged()
    assert gate.replicator.status().merges[MergeOutcome.ABANDONED] == 1


async def test_a_base_that_is_being_made_is_waited_for_and_not_fetched(
    gate: Gate, source: MemorySource, hub: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, real = threading.Event(), threading.Event(), merge.merge_rows

    def slow(*arguments: Any) -> None:
        begun.set()
        assert go_on.wait(20)
        real(*arguments)

    await gate.replicator.once()
    hub.change({7: 9})
    hub.delta()
    following = hub.follow()
    monkeypatch.setattr("cache.replica.merge.merge_rows", slow)
    hub.publish()
    await gate.replicator.once()
    assert await asyncio.to_thread(begun.wait, 20)
    hub.advance()
    hub.publish()
    activation = asyncio.create_task(gate.replicator.once())
    await asyncio.wait([activation], timeout=0.05)
    assert not activation.done()
    go_on.set()
    assert await activation is Outcome.ACTIVATED
    assert following.name not in source.fetched
    assert gate.doses(7) == 9


def until_stopped(*arguments: object) -> None:
    stop = arguments[-1]
    assert callable(stop)
    while not stop():
        pass
    raise MergeStopped("as asked")
