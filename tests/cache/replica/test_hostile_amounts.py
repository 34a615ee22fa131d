"""Small files that stand for large amounts of work, signed by whoever has stolen a head key."""

from __future__ import annotations

import hashlib
import threading
import tracemalloc
from functools import cached_property
from pathlib import Path

import pytest
import zstandard
from msgspec.structs import replace

from cache.errors import BuildError, SegmentError
from cache.replica import composition
from cache.replica.coding_plan import unpack_plan
from cache.replica.head import Blob, DeltaFile
from cache.replica.layout import PERSONS_3
from cache.replica.merging import MAX_RECIPE_BYTES, MergeOutcome
from cache.replica.recipe import unpack_recipe
from cache.replica.status import Outcome
from cache.replica.table import Table
from tests.cache.replica.changing import Changing
from tests.cache.replica.gates import Gate
from tests.cache.replica.releases import MemorySource, facts_of


@pytest.fixture
def hub(tmp_path: Path, source: MemorySource) -> Changing:
    return Changing(tmp_path, source)


@pytest.mark.parametrize("known", [0, 1])
async def test_no_delta_is_read_once_those_before_it_speak_of_too_many_rows(
    gate: Gate,
    source: MemorySource,
    hub: Changing,
    known: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for step in range(2):
        if step == known:
            hub.publish()
            await gate.replicator.once()
        hub.change({3 * step: 9, 3 * step + 1: 9, 1_000 + step: 1})
        hub.delta()
    last = b"not even a delta"
    blob = Blob(hashlib.sha256(last).digest(), len(last))
    source.files[blob.name] = last
    through = hub.dataset.through + 1
    deltas = (*hub.dataset.deltas, DeltaFile(blob, hub.dataset.through, through))
    hub.dataset = replace(hub.dataset, deltas=deltas, through=through)
    hub.publish()
    monkeypatch.setattr(composition, "MAX_OVERLAY_ROWS", 5)
    assert await gate.replicator.once() is Outcome.REFUSED
    assert gate.replicator.status().last_error == "the deltas speak of more than 5 rows"
    assert gate.doses(3) == facts_of(3).doses


async def test_a_snapshot_that_is_larger_than_its_base_is_not_asked_for(
    gate: Gate, source: MemorySource, hub: Changing
) -> None:
    packed = hub.pack()
    hub.publish(snapshot=replace(packed, size=3 << 30))
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert source.fetched == [hub.dataset.name]
    assert gate.doses(3) == facts_of(3).doses


async def test_a_recipe_that_is_larger_than_one_may_be_is_not_asked_for(
    gate: Gate, source: MemorySource, hub: Changing
) -> None:
    hub.change({3: 9})
    hub.delta()
    following = hub.follow()
    hub.publish(
        following=replace(following, recipe=replace(following.recipe, size=MAX_RECIPE_BYTES + 1))
    )
    assert await gate.replicator.once() is Outcome.ACTIVATED
    await gate.merged()
    assert following.recipe.name not in source.fetched
    assert gate.replicator.status().merges[MergeOutcome.MISMATCHED] == 1
    assert gate.doses(3) == 9


async def test_rows_are_counted_where_no_lane_waits_for_the_medium(
    tmp_path: Path,
    gate: Gate,
    source: MemorySource,
    hub: Changing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counting: list[threading.Thread] = []

    class Recorded(Table):
        @cached_property
        def rows(self) -> int:
            counting.append(threading.current_thread())
            return super().rows

    for module in ("table", "activate", "generation"):
        monkeypatch.setattr(f"cache.replica.{module}.Table", Recorded)
    hub.change({3: 9, 1_000: 1})
    hub.publish()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert gate.replicator.status().rows == 201
    rebooted = Gate(tmp_path, source)
    await rebooted.replicator.open()
    assert rebooted.replicator.status().rows == 201
    assert counting
    assert threading.main_thread() not in counting


@pytest.mark.parametrize("item", [b"\x80", b"\x90", b"\xa0"])
def test_a_recipe_of_millions_of_nothings_is_not_unpacked_into_objects(item: bytes) -> None:
    count = 4 << 20
    bomb = b"\xdd" + count.to_bytes(4, "big") + item * count
    data = zstandard.ZstdCompressor().compress(bomb)
    tracemalloc.start()
    with pytest.raises(SegmentError):
        unpack_recipe(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * count


def test_a_plan_of_millions_of_empty_tables_is_not_unpacked_into_objects() -> None:
    count = 1 << 20
    bomb = b"\x94\x00\x20\x06\xdd" + count.to_bytes(4, "big") + b"\xc4\x00" * count
    tracemalloc.start()
    with pytest.raises(BuildError):
        unpack_plan(bomb, PERSONS_3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < count
