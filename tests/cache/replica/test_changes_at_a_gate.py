"""Protects how changes reach a gate: in the head and as deltas, and what is none."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from msgspec.structs import replace

from cache.replica.head import Blob, DeltaFile
from cache.replica.source import FileKind
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


async def test_changes_in_the_head_count_at_once_and_cost_no_file(
    gate: Gate, source: MemorySource, hub: Changing
) -> None:
    await gate.replicator.once()
    source.fetched.clear()
    hub.change({7: 9, 8: None, 1_000: 1})
    hub.publish()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert (gate.doses(7), gate.doses(8), gate.doses(1_000)) == (9, None, 1)
    assert gate.doses(9) == facts_of(9).doses
    assert source.fetched == []
    status = gate.replicator.status()
    assert (status.numbers["persons"], status.deltas_applied, status.rows) == (1, 0, 200)
    hub.change({7: 3})
    hub.publish()
    await gate.replicator.once()
    assert (gate.doses(7), gate.doses(8)) == (3, None)


async def test_a_delta_is_fetched_once_and_read_again_at_boot(
    tmp_path: Path, gate: Gate, source: MemorySource, hub: Changing
) -> None:
    await gate.replicator.once()
    hub.change({7: 9, 8: None, 1_000: 1})
    delta = hub.delta()
    hub.publish()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    hub.change({7: 10})
    second = hub.delta()
    hub.change({9: 11})
    hub.publish()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert source.fetched == [hub.dataset.name, delta.file.name, second.file.name]
    status = gate.replicator.status()
    assert (status.numbers["persons"], status.deltas_applied) == (3, 2)
    assert status.fetched_bytes[FileKind.DELTA] == delta.file.size + second.file.size
    source.envelope = None
    rebooted = Gate(tmp_path, source)
    assert await rebooted.replicator.open()
    for each in (gate, rebooted):
        said = [each.doses(n) for n in (7, 8, 9, 1_000)]
        assert said == [10, None, 11, 1]
    assert rebooted.replicator.status().rows == 200


async def test_hours_that_become_a_day_say_the_same(
    gate: Gate, source: MemorySource, hub: Changing
) -> None:
    await gate.replicator.once()
    base = hub.table
    hub.change({7: 9, 8: 4})
    hub.delta()
    hub.change({8: None, 9: 5})
    hub.delta()
    hub.publish()
    await gate.replicator.once()
    told = hub.table
    hub.table, hub.dataset = base, replace(hub.dataset, deltas=())
    hub.pending = {int(key): told.find(int(key)) for key in hub._keys}
    hub.delta()
    hub.publish()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert [gate.doses(n) for n in (7, 8, 9)] == [9, None, 5]
    assert len(hub.dataset.deltas) == 1


async def test_a_delta_in_place_of_another_counts_from_the_base_on(
    gate: Gate, source: MemorySource, hub: Changing
) -> None:
    base, before = hub.table, hub.dataset
    hub.change({7: 9, 8: 9})
    hub.delta()
    hub.publish()
    await gate.replicator.once()
    hub.table, hub.dataset = base, before
    hub.change({7: 4})
    hub.delta()
    hub.publish()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert (gate.doses(7), gate.doses(8)) == (4, facts_of(8).doses)


async def test_a_lost_delta_is_not_passed_over(
    tmp_path: Path, gate: Gate, source: MemorySource, hub: Changing
) -> None:
    await gate.replicator.once()
    hub.change({7: 9})
    delta = hub.delta()
    hub.publish()
    await gate.replicator.once()
    path = next(gate.state.rglob(f"{delta.file.name}.delta"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    rebooted = Gate(tmp_path, source)
    await rebooted.replicator.open()
    assert rebooted.doses(7) == OLD, "the generation before serves, as it was"
    assert await rebooted.replicator.once() is Outcome.ACTIVATED
    assert rebooted.doses(7) == 9


def lies(hub: Changing, source: MemorySource) -> dict[str, tuple[DeltaFile, ...]]:
    """Return deltas in the head that are not what they are said to be."""
    (true,) = hub.dataset.deltas
    data = source.files[true.file.name]
    noise = hashlib.sha256(b"noise").digest() * 100
    files = {"noise": noise, "empty frame": b"\x28\xb5\x2f\xfd\x00\x00", "cut": data[:-3]}
    said = {}
    for name, content in files.items():
        blob = Blob(hashlib.sha256(content).digest(), len(content))
        source.files[blob.name] = content
        said[name] = (DeltaFile(blob, 0, true.through),)
    said["another number"] = (DeltaFile(true.file, 0, true.through + 1),)
    said["twice"] = (true, DeltaFile(true.file, true.through, true.through + 1))
    return said


@pytest.mark.parametrize(
    "lie", ["noise", "empty frame", "cut", "another number", "twice", "of another base"]
)
async def test_a_delta_that_is_not_of_this_base_and_number_never_counts(
    tmp_path: Path, gate: Gate, source: MemorySource, hub: Changing, lie: str
) -> None:
    await gate.replicator.once()
    hub.change({7: 9})
    hub.delta()
    if lie == "of another base":
        (tmp_path / "other").mkdir()
        other = Changing(tmp_path / "other", source, people=150)
        hub.publish(root=other.dataset.root, size=other.dataset.size, rows=other.dataset.rows)
    else:
        deltas = lies(hub, source)[lie]
        hub.publish(deltas=deltas, through=deltas[-1].through)
    for _ in range(2):
        assert await gate.replicator.once() is Outcome.REFUSED
        assert gate.doses(7) == OLD
    assert gate.replicator.status().sequence == 1
    hub.publish()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert gate.doses(7) == 9


@pytest.mark.parametrize("entry", [b"x", bytes(8) + b"\x02", bytes(8) + b"\x01" + bytes(15)])
async def test_changes_that_are_none_never_count(
    gate: Gate, source: MemorySource, hub: Changing, entry: bytes
) -> None:
    await gate.replicator.once()
    hub.publish(changes=entry, through=1)
    assert await gate.replicator.once() is Outcome.REFUSED
    assert gate.doses(7) == OLD
    assert gate.replicator.status().sequence == 1


async def test_deltas_beyond_what_a_gate_takes_are_refused_unfetched(
    gate: Gate, source: MemorySource, hub: Changing
) -> None:
    await gate.replicator.once()
    source.fetched.clear()
    huge = Blob(bytes(32), (64 << 20) + 1)
    hub.publish(deltas=(DeltaFile(huge, 0, 1),), through=1)
    assert await gate.replicator.once() is Outcome.REFUSED
    assert source.fetched == []
