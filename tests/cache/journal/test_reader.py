"""Reading for the upload: durable entries only, bounded, without gaps, whatever was damaged."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.passage import chained, genesis
from cache.journal.errors import JournalUnavailable
from cache.journal.frame import FRAME_HEAD_BYTES, HEADER_BYTES
from cache.journal.reader import LOST_CHAIN_HASH, JournalReader
from cache.journal.recovery import recover
from cache.journal.segment_file import SegmentWriter
from tests.cache.journal.entries import JOURNAL, a_writer, all_entries, drafts, pruned
from tests.cache.journal.simulated_disk import SimulatedDisk

DIRECTORY = Path("journal")
ONE = {"max_entries": 1, "max_bytes": 1 << 20}
MANY = {"max_entries": 1_000, "max_bytes": 1 << 20}


def a_disk(entries: int, rotate_bytes: int = 600) -> tuple[SimulatedDisk, SegmentWriter]:
    disk = SimulatedDisk()
    writer = a_writer(disk, DIRECTORY, rotate_bytes=rotate_bytes)
    for number in range(1, entries + 1):
        writer.append_group(drafts([number.to_bytes(100, "big")]))
    return disk, writer


def file_names(disk: SimulatedDisk) -> list[Path]:
    return sorted(DIRECTORY / name for name in disk.names(DIRECTORY))


async def test_entries_come_with_the_chain_that_the_hub_checks() -> None:
    disk, _ = a_disk(20)
    chain_hash = genesis(JOURNAL)
    entries = await JournalReader(DIRECTORY, disk).read(0, 20, **MANY)
    assert [entry.sequence for entry in entries] == list(range(1, 21))
    for entry in entries:
        chain_hash = chained(chain_hash, entry.sequence, entry.packed)
        assert entry.chain_hash == chain_hash


async def test_nothing_beyond_the_durable_end_is_read() -> None:
    disk, _ = a_disk(5)
    assert [e.sequence for e in await JournalReader(DIRECTORY, disk).read(3, 4, **MANY)] == [4]
    assert await JournalReader(DIRECTORY, disk).read(4, 4, **MANY) == []


@given(
    asked=st.lists(
        st.tuples(st.integers(0, 39), st.integers(1, 15), st.integers(1, 900)), max_size=9
    )
)
@settings(max_examples=40, deadline=None)
def test_any_order_of_questions_gets_right_answers_within_the_bounds(
    asked: list[tuple[int, int, int]],
) -> None:
    disk, _ = a_disk(40)
    reader = JournalReader(DIRECTORY, disk)
    for after, max_entries, max_bytes in asked:
        entries = reader.read_now(after, 40, max_entries=max_entries, max_bytes=max_bytes)
        assert [e.packed for e in entries] == [
            n.to_bytes(100, "big") for n in range(after + 1, after + 1 + len(entries))
        ]
        size = sum(FRAME_HEAD_BYTES + len(entry.packed) for entry in entries)
        assert len(entries) == 1 or size <= max_bytes
        assert 1 <= len(entries) <= max_entries


async def test_reading_in_turn_reads_no_file_from_its_start_again() -> None:
    disk, _ = a_disk(200, rotate_bytes=1 << 20)
    reader = JournalReader(DIRECTORY, disk)
    offsets: list[int] = []
    read = disk.read
    disk.read = lambda path, offset, limit: (offsets.append(offset), read(path, offset, limit))[1]  # type: ignore[method-assign]
    for after in range(0, 200, 50):
        await reader.read(after, 200, max_entries=50, max_bytes=1 << 20)
    assert offsets.count(0) == 1


async def test_a_writer_that_goes_on_is_followed() -> None:
    disk, writer = a_disk(3)
    reader = JournalReader(DIRECTORY, disk)
    read = [entry.sequence for entry in await reader.read(0, 3, **MANY)]
    for number in range(4, 30):
        writer.append_group(drafts([number.to_bytes(100, "big")]))
        read += [entry.sequence for entry in await reader.read(number - 1, number, **MANY)]
    assert read == list(range(1, 30))


async def test_superseded_entries_are_passed_over() -> None:
    disk, writer = a_disk(2, rotate_bytes=1 << 20)

    def before(name: str, _: int) -> None:
        if name in ("sync", "truncate"):
            raise OSError(errno.EIO, "injected")

    disk.before = before
    for _ in range(3):
        with pytest.raises(JournalUnavailable):
            writer.append_group(drafts([b"never acknowledged"]))
    disk.before = lambda name, count: None
    writer.append_group(drafts([b"third"]))
    entries = await JournalReader(DIRECTORY, disk).read(0, 3, **MANY)
    assert [entry.packed for entry in entries][2:] == [b"third"]


async def test_a_damaged_entry_keeps_its_place_and_blocks_none() -> None:
    disk, _ = a_disk(10)
    path = file_names(disk)[1]
    data = bytearray(disk.content(path))
    data[HEADER_BYTES + 60] ^= 1
    disk.overwrite(path, bytes(data))
    hurt = int(path.name[:19])
    entries = await all_entries(disk, DIRECTORY, 10)
    assert [entry.sequence for entry in entries] == list(range(1, 11))
    lost = [entry for entry in entries if not entry.packed]
    assert [(entry.sequence, entry.chain_hash) for entry in lost] == [(hurt, LOST_CHAIN_HASH)]
    reader = JournalReader(DIRECTORY, disk)
    await reader.read(0, 10, **MANY)
    assert reader.lost_entries == 1


@pytest.mark.parametrize(("first", "last"), [(1, 3), (2, 2), (3, 10)])
async def test_pruned_places_are_told_and_are_not_lost(first: int, last: int) -> None:
    disk, _ = a_disk(10, rotate_bytes=1 << 20)
    (path,) = file_names(disk)
    disk.overwrite(path, pruned(disk.content(path), first, last))
    reader = JournalReader(DIRECTORY, disk)
    entries = [entry for after in range(10) for entry in await reader.read(after, 10, **ONE)]
    assert [entry.sequence for entry in entries] == list(range(1, 11))
    assert [e.sequence for e in entries if not e.packed] == list(range(first, last + 1))
    assert await reader.read(0, 10, **MANY) == entries
    assert reader.lost_entries == 0
    assert recover(disk, DIRECTORY, JOURNAL).position.last_sequence == 10


@pytest.mark.parametrize("place", [0, 1, -1])
async def test_a_removed_file_keeps_its_places_and_blocks_none(place: int) -> None:
    disk, _ = a_disk(20)
    path = file_names(disk)[place]
    disk.remove(path)
    entries = await all_entries(disk, DIRECTORY, 20)
    assert [entry.sequence for entry in entries] == list(range(1, 21))
    assert 0 < len([entry for entry in entries if not entry.packed]) < 20


async def test_a_medium_that_does_not_answer_loses_nothing() -> None:
    disk, _ = a_disk(3)

    def refuse(path: Path, offset: int, limit: int) -> bytes:
        raise OSError(errno.EIO, "injected")

    disk.read = refuse  # type: ignore[method-assign]
    with pytest.raises(JournalUnavailable):
        await JournalReader(DIRECTORY, disk).read(0, 3, **MANY)
