"""A segment whose CRCs all hold and whose content contradicts itself never makes a wrong answer."""

from __future__ import annotations

import itertools
import mmap
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from cache.errors import DamagedPage, LayoutError, SegmentError
from cache.replica.build import write_rows
from cache.replica.geometry import MAX_TABLE_ENTRIES, PAGE_BYTES, Header, unpack_header
from cache.replica.layout import PERSONS_1, PERSONS_3
from cache.replica.row_columns import read_rows
from cache.replica.segment import Segment
from tests.cache.replica.people import columns_of, plan_of, rows_of
from tests.cache.replica.releases import HASH_KEY_ID, facts_of, key_of, write

ROWS = rows_of(300, rare=30, twins=4)


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("segment") / "s"
    write_rows(path, PERSONS_3, *columns_of(ROWS), HASH_KEY_ID, plan=plan_of(len(ROWS)))
    return path.read_bytes()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("segment") / "s"
    write(path, {key_of(n): PERSONS_1.pack(facts_of(n)) for n in range(300)})
    return path.read_bytes()


def sealed(data: bytes, change: Callable[[bytearray, Header], None]) -> mmap.mmap:
    """Return the segment after a change, with every CRC made anew."""
    changed, header = bytearray(data), unpack_header(data[:PAGE_BYTES])
    change(changed, header)
    table_at = PAGE_BYTES * (1 + header.checked_pages)
    for page in range(header.checked_pages):
        crc = zlib.crc32(changed[PAGE_BYTES * (1 + page) : PAGE_BYTES * (2 + page)])
        struct.pack_into("<I", changed, table_at + 4 * page, crc)
    struct.pack_into("<I", changed, 80, zlib.crc32(changed[table_at:]))
    struct.pack_into("<I", changed, 4092, zlib.crc32(changed[:4092]))
    view = mmap.mmap(-1, len(changed))
    view.write(changed)
    return view


def put(
    at: Callable[[Header], int], form: str, *values: int
) -> Callable[[bytearray, Header], None]:
    return lambda data, header: struct.pack_into(form, data, at(header), *values)


def rows_at(header: Header) -> int:
    return PAGE_BYTES


def wide_at(header: Header) -> int:
    return PAGE_BYTES * (1 + header.row_pages)


def tables_at(header: Header) -> int:
    return wide_at(header) + PAGE_BYTES * header.wide_pages


def index_at(header: Header) -> int:
    return tables_at(header) + PAGE_BYTES * header.table_pages


def test_sealing_alone_changes_nothing(coded: bytes, plain: bytes) -> None:
    for data in (coded, plain):
        assert sealed(data, lambda data, header: None)[:] == data


@pytest.mark.parametrize("table", range(6))
def test_tables_that_do_not_ascend_or_fit_are_refused(coded: bytes, table: int) -> None:
    header = unpack_header(coded[:PAGE_BYTES])
    bits = PERSONS_3.groups[table].bits
    first = sum(header.table_sizes[:table])
    last = first + header.table_sizes[table] - 1
    at = tables_at(header)
    values = struct.unpack_from(f"<{sum(header.table_sizes)}I", coded, at)
    for place, value in (
        (first, values[first + 1]),
        (first, values[last]),
        (last, values[last - 1]),
        (last, 0),
        (last, 1 << bits),
        (last, 0xFFFF_FFFF),
    ):
        with pytest.raises(SegmentError, match="table"):
            Segment(sealed(coded, put(lambda h: at + 4 * place, "<I", value)))  # noqa: B023


def test_a_code_that_stands_for_nothing_is_unreadable(coded: bytes) -> None:
    header = unpack_header(coded[:PAGE_BYTES])
    keys = list(ROWS)
    usual = header.hash_bits // 8
    rank = next(
        rank
        for rank in range(100, 200)
        if Segment(sealed(coded, lambda d, h: None)).row(rank)[0] & 0xFFF == 0
    )
    at = PAGE_BYTES + rank * header.row_bytes + usual
    for code in (header.codes + header.wide_rows, (1 << 8 * header.code_bytes) - 1):
        form = code.to_bytes(header.code_bytes, "little")
        view = sealed(coded, lambda d, h: d.__setitem__(slice(at, at + len(form)), form))  # noqa: B023
        segment = Segment(view)
        with pytest.raises(DamagedPage, match="nothing"):
            segment.find(keys[rank])
        with pytest.raises(DamagedPage, match="nothing"):
            segment.row(rank)
        with pytest.raises(DamagedPage, match="nothing"):
            read_rows(segment, 0, len(keys))
        others = [key for key in keys if key != keys[rank]]
        assert all(segment.find(key) == ROWS[key] for key in others)


def test_a_wide_row_of_somebody_else_is_unreadable(coded: bytes) -> None:
    wide = Segment(sealed(coded, lambda d, h: None)).wide_row(0)[0]
    other = wide ^ 1 << 63
    segment = Segment(sealed(coded, put(wide_at, "<Q", other)))
    with pytest.raises(DamagedPage, match="not its row's"):
        segment.find(wide)
    with pytest.raises(DamagedPage, match="not its row's"):
        segment.row(list(ROWS).index(wide))
    with pytest.raises(DamagedPage, match="not its row's"):
        read_rows(segment, 0, len(ROWS))
    assert segment.find(other) is None
    # Somebody with the same stored bits is somebody else, and that is no contradiction.
    near = Segment(sealed(coded, put(wide_at, "<Q", wide ^ 4)))
    assert near.find(wide) is None


@pytest.mark.parametrize("bucket", [1, 2, 5])
@pytest.mark.parametrize("first", [0, 300, 0xFFFF_FFFF])
def test_an_index_that_does_not_ascend_is_unreadable(coded: bytes, bucket: int, first: int) -> None:
    view = sealed(coded, put(lambda h: index_at(h) + 4 * bucket, "<I", first))
    segment = Segment(view)
    refused = 0
    for key, record in ROWS.items():
        try:
            found = segment.find(key)
        except DamagedPage:
            refused += 1
        else:
            assert found in {record, None}
    # The bucket that now ends before it starts, or after the rows.
    assert refused > 5 or first == 0
    with pytest.raises(DamagedPage):
        read_rows(segment, 0, len(ROWS))


@pytest.mark.parametrize("kind", ["plain", "coded"])
def test_an_index_beyond_the_rows_is_refused_or_unreadable(
    kind: str, request: pytest.FixtureRequest
) -> None:
    data = request.getfixturevalue(kind)
    header = unpack_header(data[:PAGE_BYTES])
    buckets = 1 << header.bucket_bits
    for place in (0, buckets):
        with pytest.raises(SegmentError, match="index"):
            Segment(sealed(data, put(lambda h: index_at(h) + 4 * place, "<I", 299 + place)))  # noqa: B023
    beyond = Segment(sealed(data, put(lambda h: index_at(h) + 4, "<I", header.rows + 1)))
    with pytest.raises(DamagedPage):
        beyond.find(0)
    with pytest.raises(DamagedPage):
        beyond.find(1 << 64 - header.bucket_bits)


def header_bytes(data: bytes, at: int, form: str, *values: int) -> bytes:
    page = bytearray(data[:PAGE_BYTES])
    struct.pack_into(form, page, at, *values)
    struct.pack_into("<I", page, 4092, zlib.crc32(page[:4092]))
    return bytes(page)


@pytest.mark.parametrize("kind", ["plain", "coded"])
def test_every_other_byte_in_a_header_is_refused(kind: str, request: pytest.FixtureRequest) -> None:
    data = request.getfixturevalue(kind)
    # Hash key id and the CRC of the CRC table may be any; wide rows and tables are content.
    free = {*range(36, 44), *range(80, 84)} | (set(range(44, 72)) if kind == "coded" else set())
    view = mmap.mmap(-1, len(data))
    view.write(data)
    for at in {*range(84), 84, 500, 4091} - free:
        for value in set(range(256)) - {data[at]}:
            view[:PAGE_BYTES] = header_bytes(data, at, "B", value)
            with pytest.raises((SegmentError, LayoutError)):
                Segment(view)


@pytest.mark.parametrize("wide", [0, 1, 37, 39, 170])
def test_another_number_of_wide_rows_makes_no_wrong_answer(coded: bytes, wide: int) -> None:
    assert unpack_header(coded[:PAGE_BYTES]).wide_rows == 38
    view = mmap.mmap(-1, len(coded))
    view.write(header_bytes(coded, 44, "<I", wide) + coded[PAGE_BYTES:])
    if not wide:  # their page is no longer theirs
        with pytest.raises(SegmentError):
            Segment(view)
        return
    segment, refused = Segment(view), 0
    for key, record in ROWS.items():
        try:
            assert segment.find(key) == record
        except DamagedPage:
            refused += 1
    assert refused == max(0, 38 - wide)


def test_every_combination_of_widths_is_judged() -> None:
    for bucket_bits, hash_bits, code_bytes, tables, wide in itertools.product(
        (0, 1, 7, 8, 15, 16, 28, 29),
        (0, 8, 24, 32, 36, 40, 48, 56, 64, 72),
        range(10),
        range(9),
        (0, 3),
    ):
        header = Header(
            layout=8 if code_bytes else 1,
            rows=5,
            row_bytes=hash_bits // 8 + (code_bytes + 2 if code_bytes else 10),
            bucket_bits=bucket_bits,
            hash_bits=hash_bits,
            hash_key_id=HASH_KEY_ID,
            crc_table_crc=0,
            code_bytes=code_bytes,
            wide_rows=wide,
            table_sizes=(2,) * tables,
        )
        matched = bucket_bits + hash_bits
        if code_bytes:
            right = code_bytes in {6, 7, 8} and hash_bits in {32, 40, 48} and tables > 0
            right = right and 48 <= matched <= 62 and bucket_bits <= 28
        else:
            right = hash_bits in {40, 48, 56, 64} and bucket_bits <= 28 and not tables and not wide
        assert right == (not header.contradiction()), header
        if right:
            assert unpack_header(header.pack()) == header
        else:
            with pytest.raises(SegmentError):
                unpack_header(header.pack())


@pytest.mark.parametrize(
    "change",
    [
        {"row_bytes": 15},
        {"row_bytes": 13},
        {"wide_rows": 6},
        {"table_sizes": (2, 2, 0, 2, 2, 2)},
        {"table_sizes": (256, 256, 256, 256, 256, 256)},  # no code is left for the wide rows
        {"table_sizes": (MAX_TABLE_ENTRIES - 4, 1, 1, 1, 1, 1)},
        {"table_sizes": (1 << 16, 1 << 16, 1, 1, 1, 1)},
        {"rows": 1 << 32},
    ],
    ids=str,
)
def test_a_coded_header_that_cannot_be_so_is_refused(change: dict[str, object]) -> None:
    header = Header(8, 5, 14, 0, 48, HASH_KEY_ID, 0, 6, 5, (2, 2, 2, 2, 2, 2))
    assert unpack_header(header.pack()) == header
    with pytest.raises(SegmentError):
        unpack_header(msgspec.structs.replace(header, **change).pack())


def test_a_layout_that_is_unknown_or_of_another_form_is_refused(tmp_path: Path) -> None:
    plain = Header(1, 0, 15, 0, 40, HASH_KEY_ID, 0)
    coded = Header(8, 0, 14, 0, 48, HASH_KEY_ID, 0, 6, 0, (0,) * 6)
    for good in (plain, coded):
        assert Segment(sealed_empty(good)).find(0) is None
    for header, changes, error in (
        (plain, {"layout": 99}, LayoutError),
        (plain, {"row_bytes": 16}, SegmentError),
        (plain, {"layout": 8, "row_bytes": 21}, SegmentError),
        (coded, {"layout": 99}, LayoutError),
        (coded, {"layout": 1}, SegmentError),
        (coded, {"table_sizes": (0,) * 5}, SegmentError),
        (coded, {"table_sizes": (0,) * 7}, SegmentError),
    ):
        with pytest.raises(error):
            Segment(sealed_empty(msgspec.structs.replace(header, **changes)))


def sealed_empty(header: Header) -> mmap.mmap:
    return sealed(header.pack().ljust(header.size, b"\0"), lambda data, header: None)
