"""Protects what decays on the medium: it answers nothing, costs only itself, and comes back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from admission.standing import Lookup
from cache.replica.merkle import LEAF_BYTES
from cache.replica.source import FileKind
from cache.replica.status import Outcome
from tests.cache.replica.changing import Changing
from tests.cache.replica.gates import Gate
from tests.cache.replica.releases import MemorySource

PEOPLE = 17_000
SOME = range(0, PEOPLE, 20)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Changing, MemorySource]:
    """Four leaves of rows, somebody changed since, and an upstream that has them."""
    source = MemorySource()
    hub = Changing(tmp_path_factory.mktemp("hub"), source, PEOPLE)
    hub.change({7: 9})
    hub.publish()
    return hub, source


@pytest.fixture
def hub(world: tuple[Changing, MemorySource]) -> Changing:
    return world[0]


@pytest.fixture
async def source(tmp_path: Path, world: tuple[Changing, MemorySource]) -> MemorySource:
    """The upstream, after a gate has taken its release into its state."""
    source = MemorySource()
    source.chunk_bytes = 1 << 16
    source.envelope, source.files = world[1].envelope, dict(world[1].files)
    assert await Gate(tmp_path, source).replicator.once() is Outcome.ACTIVATED
    source.fetched.clear()
    return source


def stored(folder: Path, suffix: str = ".segment") -> Path:
    return next((folder / "state").rglob(f"*{suffix}"))


def flip(path: Path, *at: int) -> None:
    """Change bits under whatever has the file mapped."""
    with path.open("r+b") as file:
        for place in at:
            file.seek(place)
            bits = file.read(1)[0]
            file.seek(place)
            file.write(bytes([bits ^ 4]))


def answered(gate: Gate) -> dict[int, Lookup]:
    return {number: gate.standing(number).lookup for number in SOME}


async def test_a_flipped_bit_is_no_answer_until_its_leaf_is_fetched(
    tmp_path: Path, source: MemorySource, hub: Changing
) -> None:
    flip(stored(tmp_path), 100_000)
    gate = Gate(tmp_path, source)
    await gate.replicator.open()
    said = answered(gate)
    lost = {number for number, lookup in said.items() if lookup is not Lookup.FOUND}
    assert {said[number] for number in lost} == {Lookup.UNREADABLE}
    assert 0 < len(lost) < len(said) / 2, "one leaf of four"
    assert gate.doses(7) == 9, "what has changed since is in the head"
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert source.ranges == [(hub.dataset.name, LEAF_BYTES, 2 * LEAF_BYTES)]
    assert source.fetched == []
    assert set(answered(gate).values()) == {Lookup.FOUND}
    status = gate.replicator.status()
    assert (status.healed_pages, status.damaged_pages) == (1, 0)
    assert status.fetched_bytes[FileKind.SEGMENT] == LEAF_BYTES
    assert stored(tmp_path).read_bytes() == hub.path.read_bytes()
    assert await gate.replicator.once() is Outcome.UNCHANGED


async def test_a_page_found_damaged_while_serving_comes_back_the_same_way(
    tmp_path: Path, source: MemorySource, hub: Changing
) -> None:
    gate = Gate(tmp_path, source)
    await gate.replicator.open()
    flip(stored(tmp_path), 100_000)
    gate.clock.advance(3_600)
    assert await gate.replicator.once() is Outcome.UNCHANGED
    everybody = range(PEOPLE)
    lost = [n for n in everybody if gate.standing(n).lookup is Lookup.UNREADABLE]
    assert lost
    assert gate.replicator.status().unreadable_lookups == len(lost)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert all(gate.knows(number) for number in lost)
    assert gate.replicator.status().healed_pages == 1


async def test_without_the_hub_it_stays_unreadable_there_and_only_there(
    tmp_path: Path, source: MemorySource, hub: Changing
) -> None:
    flip(stored(tmp_path), 100_000)
    envelope, source.envelope = source.envelope, None
    gate = Gate(tmp_path, source)
    await gate.replicator.open()
    before = answered(gate)
    for _ in range(2):
        assert await gate.replicator.once() is Outcome.UNREACHABLE
        assert answered(gate) == before
    assert gate.replicator.status().healed_pages == 0
    source.envelope = envelope
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert set(answered(gate).values()) == {Lookup.FOUND}


@pytest.mark.parametrize("part", ["header", "index", "CRC table", "end", "appended"])
async def test_what_no_look_up_works_without_comes_back_by_range_too(
    tmp_path: Path, source: MemorySource, hub: Changing, part: str
) -> None:
    path, size = stored(tmp_path), hub.dataset.size
    if part == "end":
        os.truncate(path, size - 5_000)
    elif part == "appended":
        with path.open("ab") as file:
            file.write(b"more")
    else:
        flip(path, {"header": 20, "index": size - 9_000, "CRC table": size - 4_000}[part])
    gate = Gate(tmp_path, source)
    assert not await gate.replicator.open()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert source.fetched == []
    assert sum(end - start for _, start, end in source.ranges) <= LEAF_BYTES
    assert path.read_bytes() == hub.path.read_bytes()
    assert gate.doses(7) == 9


@pytest.mark.parametrize("lack", ["another leaf", "no ranges", "no leaf hashes", "other hashes"])
async def test_where_a_leaf_is_not_to_be_had_the_whole_is_fetched(
    tmp_path: Path,
    source: MemorySource,
    hub: Changing,
    lack: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flip(stored(tmp_path), 100_000)
    gate = Gate(tmp_path, source)
    await gate.replicator.open()
    match lack:
        case "another leaf":
            monkeypatch.setattr(source, "part_of", leaf_of_zeros)
            monkeypatch.setattr("cache.replica.files.mend", never)
        case "no ranges":
            source.parts = False
        case "no leaf hashes":
            stored(tmp_path, ".leaves").unlink()
        case "other hashes":
            flip(stored(tmp_path, ".leaves"), 40)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert source.fetched == [hub.dataset.name]
    assert set(answered(gate).values()) == {Lookup.FOUND}


def never(*_: object) -> None:
    raise AssertionError("a copy is not even begun")


async def leaf_of_zeros(kind: FileKind, name: str, start: int, end: int) -> bytes:
    return bytes(end - start)


async def test_a_leaf_that_the_medium_cannot_read_is_mended_in_a_new_file(
    tmp_path: Path, source: MemorySource, hub: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, inode = os.pread, stored(tmp_path).stat().st_ino

    def unreadable(descriptor: int, size: int, at: int) -> bytes:
        if os.fstat(descriptor).st_ino == inode and at == LEAF_BYTES:
            raise OSError(5, "Input/output error")
        return real(descriptor, size, at)

    monkeypatch.setattr(os, "pread", unreadable)
    gate = Gate(tmp_path, source)
    await gate.replicator.open()
    assert Lookup.UNREADABLE in answered(gate).values()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert set(answered(gate).values()) == {Lookup.FOUND}
    assert gate.replicator.status().healed_pages == 16
    assert stored(tmp_path).stat().st_ino != inode


async def test_damage_that_was_not_on_the_medium_needs_no_upstream_file(
    tmp_path: Path, source: MemorySource, hub: Changing
) -> None:
    gate = Gate(tmp_path, source)
    await gate.replicator.open()
    path = stored(tmp_path)
    flip(path, 100_000)
    gate.clock.advance(3_600)
    await gate.replicator.once()
    assert any(gate.standing(n).lookup is Lookup.UNREADABLE for n in range(PEOPLE))
    flip(path, 100_000)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert (source.ranges, source.fetched) == ([], [])
    assert set(answered(gate).values()) == {Lookup.FOUND}
