"""No truncation and no single flipped bit of a segment ever gives a wrong answer: exhaustively."""

from __future__ import annotations

import mmap
import os
import zlib
from pathlib import Path

import pytest

from cache.errors import DamagedPage, LayoutError, SegmentError
from cache.replica.geometry import PAGE_BYTES, Header, unpack_header
from cache.replica.layout import PERSONS_1
from cache.replica.merkle import LEAF_BYTES
from cache.replica.segment import Segment
from tests.cache.replica.releases import HASH_KEY_ID, facts_of, key_of, write

ROWS = {key_of(n): PERSONS_1.pack(facts_of(n)) for n in range(300)}
STRANGERS = [key_of(n) for n in range(1_000, 1_003)]


@pytest.fixture(scope="module")
def segment_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("segment") / "s"
    write(path, ROWS)
    return path.read_bytes()


@pytest.fixture
def view(segment_bytes: bytes) -> mmap.mmap:
    view = mmap.mmap(-1, len(segment_bytes))
    view.write(segment_bytes)
    return view


def test_every_truncation_is_refused(segment_bytes: bytes, tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_bytes(segment_bytes)
    for size in range(len(segment_bytes) - 1, -1, -1):
        os.truncate(path, size)
        with pytest.raises(SegmentError):
            Segment.open(path)


def test_trailing_bytes_are_refused(segment_bytes: bytes, tmp_path: Path) -> None:
    for extra in (b"\0", bytes(PAGE_BYTES)):
        (tmp_path / "s").write_bytes(segment_bytes + extra)
        with pytest.raises(SegmentError):
            Segment.open(tmp_path / "s")


def test_every_flip_outside_the_rows_is_refused_at_open(view: mmap.mmap) -> None:
    header = unpack_header(view[:PAGE_BYTES])
    rows_end = PAGE_BYTES * (1 + header.row_pages)
    for at in [*range(PAGE_BYTES), *range(rows_end, len(view))]:
        for bit in range(8):
            view[at] ^= 1 << bit
            try:
                Segment(view)
            except SegmentError:
                pass
            else:
                pytest.fail(f"bit {bit} of byte {at} passes unnoticed")
            view[at] ^= 1 << bit


def test_every_flip_inside_the_rows_answers_rightly_or_not_at_all(view: mmap.mmap) -> None:
    header = unpack_header(view[:PAGE_BYTES])
    # The first and the last row are on different pages; the others and the strangers in between.
    keys = [*sorted(ROWS)[::99], max(ROWS), *STRANGERS]
    for at in range(PAGE_BYTES, PAGE_BYTES * (1 + header.row_pages)):
        for bit in range(8):
            view[at] ^= 1 << bit
            segment = Segment(view)
            refused = 0
            for key in keys:
                try:
                    assert segment.find(key) == ROWS.get(key), f"bit {bit} of byte {at}"
                except DamagedPage:
                    refused += 1
            assert refused, f"bit {bit} of byte {at} passes unnoticed"
            assert segment.damaged_pages == 1
            view[at] ^= 1 << bit


def test_damage_is_confined_to_its_page_and_remembered(view: mmap.mmap) -> None:
    view[PAGE_BYTES + 10] ^= 1
    segment = Segment(view)
    answers = {"sound": 0, "refused": 0}
    for key, record in ROWS.items():
        try:
            assert segment.find(key) == record
            answers["sound"] += 1
        except DamagedPage:
            answers["refused"] += 1
    assert answers["sound"] > 10
    assert answers["refused"] > 200
    view[PAGE_BYTES + 10] ^= 1
    with pytest.raises(DamagedPage):  # once damaged, not believed again until it is reopened
        segment.find(min(ROWS))
    assert all(Segment(view).find(key) == record for key, record in ROWS.items())


def test_windows_wider_than_two_pages_are_checked_in_the_middle(tmp_path: Path) -> None:
    # Neighbours in other buckets share the crowd's first and last page and have touched them.
    before, after = 0x10 << 56, 0xF0 << 56
    crowded = {0xABC << 52 | n << 12: n.to_bytes(10, "little") for n in range(2_000)}
    path = tmp_path / "s"
    write(path, {before: bytes(10), **crowded, after: bytes(10)})
    data = bytearray(path.read_bytes())
    data[3 * PAGE_BYTES + 5] ^= 0x10
    path.write_bytes(data)
    segment = Segment.open(path)
    assert segment.header.row_pages > 5
    assert segment.find(before) == segment.find(after) == bytes(10)
    with pytest.raises(DamagedPage):
        segment.find(min(crowded))


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (8, 1),
        (8, 3),
        (10, 2),
        (16, 29),
        (17, 44),
        (17, 72),
        (18, 1),
        (19, 6),
        (44, 1),
        (48, 1),
        (200, 1),
    ],
)
def test_a_header_that_is_not_of_this_version_is_refused_though_its_crc_holds(
    view: mmap.mmap, at: int, value: int
) -> None:
    view[at] = value
    view[PAGE_BYTES - 4 : PAGE_BYTES] = zlib.crc32(view[: PAGE_BYTES - 4]).to_bytes(4, "little")
    with pytest.raises(SegmentError):
        Segment(view)


def test_a_damaged_segment_does_not_pass_its_self_test(view: mmap.mmap) -> None:
    Segment(view).self_test()
    view[PAGE_BYTES] ^= 1
    with pytest.raises(SegmentError):
        Segment(view).self_test()


def test_an_unknown_layout_or_width_is_refused(tmp_path: Path) -> None:
    for layout, row_bytes, error in ((99, 15, LayoutError), (1, 16, SegmentError)):
        header = Header(layout, 0, row_bytes, 0, 40, HASH_KEY_ID, 0)
        (tmp_path / "s").write_bytes(header.pack() + bytes(header.size - PAGE_BYTES))
        with pytest.raises(error):
            Segment.open(tmp_path / "s")


def test_leaves_that_reach_outside_the_rows_cannot_be_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "s"
    rows = {key_of(n): PERSONS_1.pack(facts_of(n)) for n in range(14_000)}
    size = write(path, rows).size
    for leaf in (0, size // LEAF_BYTES):
        with pytest.raises(SegmentError):
            Segment.open(path).distrust(leaf)
    segment = Segment.open(path)
    segment.distrust(1)
    assert segment.damaged_pages == LEAF_BYTES // PAGE_BYTES
    assert segment.find(max(rows)) == rows[max(rows)]
    refused = sorted(rows)[len(rows) // 2]
    with pytest.raises(DamagedPage):
        segment.find(refused)
