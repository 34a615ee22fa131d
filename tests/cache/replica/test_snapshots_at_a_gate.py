"""Protects how a base comes: packed, gone on with after a break, and as itself where that fails."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cache.errors import MergeStopped, SourceError
from cache.replica.directory_source import DirectorySource
from cache.replica.durable import remove
from cache.replica.head import Blob
from cache.replica.source import ByteSink, FileKind, path_of
from cache.replica.status import Outcome
from tests.cache.replica.changing import Changing
from tests.cache.replica.gates import Gate
from tests.cache.replica.releases import MemorySource, facts_of


@pytest.fixture
def hub(tmp_path: Path, source: MemorySource) -> Changing:
    return Changing(tmp_path, source)


async def test_a_base_comes_packed_and_is_kept_unpacked(
    tmp_path: Path, gate: Gate, source: MemorySource, hub: Changing
) -> None:
    snapshot = hub.pack()
    hub.publish()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert source.fetched == [snapshot.name]
    fetched = gate.replicator.status().fetched_bytes
    assert fetched[FileKind.SNAPSHOT] == snapshot.size
    assert fetched[FileKind.SEGMENT] == 0
    names = {path.suffix for path in (gate.state / "segments").iterdir()}
    assert names == {".segment", ".leaves"}
    kept = gate.state / "segments" / f"{hub.dataset.name}.segment"
    assert kept.read_bytes() == hub.path.read_bytes()
    for each in (gate, Gate(tmp_path, source)):
        await each.replicator.open()
        assert each.doses(7) == facts_of(7).doses


async def test_a_broken_download_goes_on_after_a_restart_and_with_another_upstream(
    tmp_path: Path, source: MemorySource, hub: Changing
) -> None:
    snapshot = hub.pack()
    hub.publish()
    whole = source.files[snapshot.name]

    starts: list[int] = []

    class Breaking(MemorySource):
        async def file(
            self, kind: FileKind, name: str, size: int, to: ByteSink, *, start: int = 0
        ) -> None:
            starts.append(start)
            to.write(whole[start : start + 500])
            raise SourceError("the line broke")

    breaking = Breaking()
    breaking.envelope = source.envelope
    for _ in range(2):
        assert await Gate(tmp_path, breaking).replicator.once() is Outcome.UNREACHABLE
    assert starts == [0, 500]
    gate = Gate(tmp_path, breaking, source)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert starts == [0, 500, 1_000]
    assert source.fetched == [snapshot.name]
    assert gate.replicator.status().fetched_bytes[FileKind.SNAPSHOT] == snapshot.size - 1_000
    assert gate.doses(7) == facts_of(7).doses


async def test_a_gate_that_goes_off_amid_unpacking_need_not_fetch_again(
    tmp_path: Path, gate: Gate, source: MemorySource, hub: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot, begun, stopped = hub.pack(), threading.Event(), threading.Event()
    hub.publish()

    def until_stopped(*_: Path, size: int, stop: Callable[[], bool]) -> None:
        begun.set()
        while not stop():
            pass
        raise MergeStopped("as asked")

    def last(path: Path) -> None:
        remove(path)
        stopped.set()  # of a gate that goes off nothing runs on beside the next one

    with monkeypatch.context() as patch:
        patch.setattr("cache.replica.fetching.remove", last)
        patch.setattr("cache.replica.snapshot.read_snapshot", until_stopped)
        task = asyncio.create_task(gate.replicator.run())
        assert await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(stopped.wait, 20)
    rebooted = Gate(tmp_path, source)
    assert await rebooted.replicator.once() is Outcome.ACTIVATED
    assert source.fetched == [snapshot.name]
    assert rebooted.replicator.status().fetched_bytes[FileKind.SNAPSHOT] == 0


async def test_a_download_that_no_head_asks_for_any_more_is_let_go(
    tmp_path: Path, gate: Gate, source: MemorySource, hub: Changing
) -> None:
    await Gate(tmp_path, MemorySource()).replicator.open()
    part = gate.state / "segments" / f"{'ab' * 32}.snapshot.part"
    part.write_bytes(b"of the week before")
    source.files.pop(hub.pack().name)
    hub.publish()
    assert await gate.replicator.once() is Outcome.UNREACHABLE
    assert not part.exists(), "before what is asked for now is fetched: there may be no room"


@pytest.mark.parametrize("lie", ["noise", "another base", "flipped"])
async def test_a_snapshot_that_is_not_the_base_is_not_asked_for_again(
    tmp_path: Path, gate: Gate, source: MemorySource, hub: Changing, lie: str
) -> None:
    true = hub.pack()
    content = {
        "noise": hashlib.sha256(b"noise").digest() * 500,
        "flipped": source.files[true.name][:-9] + b"x" * 9,
    }
    if lie == "another base":
        (tmp_path / "other").mkdir()
        said = Changing(tmp_path / "other", source, people=199).pack()
    else:
        said = Blob(hashlib.sha256(content[lie]).digest(), len(content[lie]))
        source.files[said.name] = content[lie]
    hub.publish(snapshot=said)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert source.fetched == [said.name, hub.dataset.name]
    assert gate.doses(7) == facts_of(7).doses
    assert not list(gate.state.rglob("*.snapshot*"))


async def test_what_an_upstream_sends_in_place_of_a_snapshot_is_fetched_unpacked(
    gate: Gate, source: MemorySource, hub: Changing
) -> None:
    said = hub.pack()
    source.files[said.name] = bytes(said.size)
    hub.publish()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert source.fetched == [said.name, hub.dataset.name]


async def test_what_a_power_cut_left_of_a_download_costs_one_more_and_not_the_packing(
    tmp_path: Path, gate: Gate, source: MemorySource, hub: Changing
) -> None:
    said = hub.pack()
    hub.publish()
    await Gate(tmp_path, MemorySource()).replicator.open()
    part = gate.state / "segments" / f"{said.name}.snapshot.part"
    part.write_bytes(bytes(said.size - 10))  # its length came to the medium, and its bytes did not
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert source.fetched == [said.name, said.name]


async def test_a_mirror_that_holds_a_base_only_unpacked_serves_it(
    tmp_path: Path, source: MemorySource, hub: Changing
) -> None:
    snapshot = hub.pack()
    hub.publish()
    assert source.envelope is not None
    stick = tmp_path / "stick"
    (stick / "segments").mkdir(parents=True)
    (stick / "head").write_bytes(source.envelope)
    segment = path_of(FileKind.SEGMENT, hub.dataset.name)
    (stick / segment).write_bytes(hub.path.read_bytes())
    cut_off = MemorySource()  # the hub, which no cable leads to
    gate = Gate(tmp_path, cut_off, DirectorySource(stick))
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert gate.doses(7) == facts_of(7).doses
    assert gate.replicator.status().fetched_bytes[FileKind.SNAPSHOT] == 0
    assert snapshot.name not in {path.stem for path in (gate.state / "segments").iterdir()}
