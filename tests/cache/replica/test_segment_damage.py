"""No truncation and no single flipped bit of a segment ever gives a wrong answer: exhaustively."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import pytest

from cache.errors import DamagedPage, SegmentError
from cache.replica.build import write_rows
from cache.replica.geometry import PAGE_BYTES, unpack_header
from cache.replica.layout import PERSONS_1, PERSONS_3
from cache.replica.merkle import LEAF_BYTES
from cache.replica.row_columns import read_rows
from cache.replica.segment import Segment
from tests.cache.replica.people import columns_of, plan_of, rows_of
from tests.cache.replica.releases import HASH_KEY_ID, facts_of, key_of, write

LEAF_PAGES = LEAF_BYTES // PAGE_BYTES
PLAIN = {key_of(n): PERSONS_1.pack(facts_of(n)) for n in range(300)}
CODED = rows_of(420, rare=40, twins=8)
STRANGERS = [key_of(n) for n in range(1_000, 1_003)]


def bytes_of(folder: Path, rows: dict[int, bytes]) -> bytes:
    path = folder / "s"
    if rows is CODED:
        write_rows(path, PERSONS_3, *columns_of(rows), HASH_KEY_ID, plan=plan_of(len(rows)))
    else:
        write(path, rows)
    return path.read_bytes()


@pytest.fixture(scope="module", params=["plain", "coded"])
def rows(request: pytest.FixtureRequest) -> dict[int, bytes]:
    return {"plain": PLAIN, "coded": CODED}[request.param]


@pytest.fixture(scope="module")
def segment_bytes(rows: dict[int, bytes], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return bytes_of(tmp_path_factory.mktemp("segment"), rows)


@pytest.fixture
def view(segment_bytes: bytes) -> mmap.mmap:
    return view_of(segment_bytes)


def view_of(data: bytes) -> mmap.mmap:
    view = mmap.mmap(-1, len(data))
    view.write(data)
    return view


def test_every_truncation_is_refused(segment_bytes: bytes, tmp_path: Path) -> None:
    whole = memoryview(segment_bytes)
    for size in range(len(segment_bytes)):
        with pytest.raises(SegmentError):
            Segment(whole[:size])  # type: ignore[arg-type]
    path = tmp_path / "s"
    path.write_bytes(segment_bytes)
    for size in range(len(segment_bytes) - 1, -1, -127):
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
    rows_end = PAGE_BYTES * (1 + header.row_pages + header.wide_pages)
    assert len(view) - rows_end >= PAGE_BYTES * (2 + (header.table_pages > 0))
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


def test_every_flip_inside_the_rows_answers_rightly_or_not_at_all(
    view: mmap.mmap, rows: dict[int, bytes]
) -> None:
    segment = Segment(view)
    # What is resident was read before the flip, and is as if the segment had been opened after it.
    untouched = bytes(len(segment._pages))
    keys = _touching_every_page(segment, rows)
    for at in range(PAGE_BYTES, PAGE_BYTES * (1 + len(untouched))):
        for bit in range(8):
            view[at] ^= 1 << bit
            segment._pages[:] = untouched
            segment.forget_checks()
            refused = 0
            for key in keys:
                try:
                    found = segment.find(key)
                except DamagedPage:
                    refused += 1
                else:
                    if found != rows.get(key):
                        pytest.fail(f"bit {bit} of byte {at} makes a wrong answer")
            if not refused or segment.damaged_pages != 1:
                pytest.fail(f"bit {bit} of byte {at} passes unnoticed")
            view[at] ^= 1 << bit


def _touching_every_page(segment: Segment, rows: dict[int, bytes]) -> list[int]:
    """Return a few people and strangers; each page of rows and wide rows is needed by one."""
    ranks = {min(rank, len(rows) - 1) for rank in range(0, len(rows) + 230, 230)}
    keys = [key for rank, key in enumerate(sorted(rows)) if rank in ranks] + STRANGERS[:2]
    keys += [key for key in rows if key + 12 in rows][:1]  # a twin, if there are any
    for key in keys:
        assert segment.find(key) == rows.get(key)
    assert bytes(segment._pages) == bytes([1]) * len(segment._pages)
    return keys


def test_every_answer_is_right_or_none_whichever_page_is_damaged(
    view: mmap.mmap, rows: dict[int, bytes]
) -> None:
    header = unpack_header(view[:PAGE_BYTES])
    for page in range(1, 1 + header.row_pages + header.wide_pages):
        for at in range(page * PAGE_BYTES, (page + 1) * PAGE_BYTES, 301):
            view[at] ^= 0x10
            segment, refused = Segment(view), 0
            for key in [*rows, *STRANGERS]:
                try:
                    assert segment.find(key) == rows.get(key)
                except DamagedPage:
                    refused += 1
            assert refused > 0
            with pytest.raises(DamagedPage):
                read_rows(segment, 0, len(rows))
            view[at] ^= 0x10


def test_damage_is_confined_to_its_page_and_remembered(tmp_path: Path) -> None:
    view = view_of(bytes_of(tmp_path, PLAIN))
    view[PAGE_BYTES + 10] ^= 1
    segment = Segment(view)
    answers = {"sound": 0, "refused": 0}
    for key, record in PLAIN.items():
        try:
            assert segment.find(key) == record
            answers["sound"] += 1
        except DamagedPage:
            answers["refused"] += 1
    assert answers["sound"] > 10
    assert answers["refused"] > 200
    view[PAGE_BYTES + 10] ^= 1
    with pytest.raises(DamagedPage):  # once damaged, not believed again until it is reopened
        segment.find(min(PLAIN))
    assert all(Segment(view).find(key) == record for key, record in PLAIN.items())


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


def test_a_damaged_segment_does_not_pass_its_self_test(view: mmap.mmap) -> None:
    Segment(view).self_test()
    view[PAGE_BYTES] ^= 1
    with pytest.raises(SegmentError):
        Segment(view).self_test()


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


def test_leaves_of_wide_rows_can_be_set_aside_too(tmp_path: Path) -> None:
    path, rows = tmp_path / "s", rows_of(2_000, twins=2_600)
    write_rows(path, PERSONS_3, *columns_of(rows), HASH_KEY_ID)
    segment = Segment.open(path)
    pages = segment.header.row_pages + segment.header.wide_pages
    first = segment.header.row_pages // LEAF_PAGES + 1
    assert first * LEAF_PAGES - 1 + LEAF_PAGES <= pages  # a leaf that lies in the wide rows
    segment.distrust(first)
    plain = [key for key in rows if key + 12 not in rows and key - 12 not in rows]
    assert len(plain) >= 2_000
    refused = 0
    for key, record in rows.items():
        try:
            assert segment.find(key) == record
        except DamagedPage:
            refused += 1
            assert key not in plain
    assert refused > 2_000
    with pytest.raises(SegmentError):
        segment.distrust(first + 1)
