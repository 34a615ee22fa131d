"""A coded segment answers exactly like the dict that it was built from, whatever its plan."""

from __future__ import annotations

import mmap
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.identity import PersonKey
from cache.errors import BuildError
from cache.replica.build import RowSet, write_rows, write_segment
from cache.replica.coding_plan import CodingPlan
from cache.replica.layout import PERSONS_3
from cache.replica.row_columns import read_rows
from cache.replica.segment import Segment
from tests.cache.replica.people import GROUPS, columns_of, plan_of, record_of, rows_of, tables_of
from tests.cache.replica.releases import HASH_KEY_ID, facts_of, key_of

PERSON = 2
"""Bits at the end of a key that do not tell people apart."""


def opened(rows: dict[int, bytes], plan: CodingPlan | None = None) -> Segment:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s")
        keys, words = columns_of(rows)
        built = write_rows(path, PERSONS_3, keys, words, HASH_KEY_ID, plan=plan)
        assert (built.size, built.rows) == (path.stat().st_size, len(rows))
        return Segment.open(path)


def assert_answers(segment: Segment, rows: dict[int, bytes]) -> None:
    for key, record in rows.items():
        assert segment.find(key) == record
        assert segment.find(key ^ 3) == record  # aliases keep 62 bits of a key
        rank = segment.locate(key)
        assert rank is not None
        assert segment.record(rank) == record
        assert segment.row(rank)[1] == record
    keys, records = read_rows(segment, 0, len(rows))
    assert [record.tobytes() for record in records] == list(rows.values())
    unmatched = 64 - segment.header.bucket_bits - segment.header.hash_bits
    for rank, (key, stored) in enumerate(zip(rows, keys.tolist(), strict=True)):
        assert stored in {key, key >> unmatched << unmatched}
        assert segment.row(rank)[0] == stored


values = st.tuples(
    *(st.one_of(st.integers(0, 3), st.integers(0, (1 << group.bits) - 1)) for group in GROUPS)
)
near = st.builds(lambda high, low: high << 60 | low << PERSON, st.integers(0, 3), st.integers(0, 9))
keys = st.one_of(st.integers(0, 2**64 - 1), near)
people = st.dictionaries(keys.map(lambda key: key >> PERSON << PERSON), values, max_size=60)


@settings(deadline=None, max_examples=100)
@given(people, st.lists(keys, max_size=20))
def test_whatever_the_records_it_answers_like_a_dict(
    said: dict[int, tuple[int, ...]], strangers: list[int]
) -> None:
    rows = {key: record_of(said[key]) for key in sorted(said)}
    segment = opened(rows)
    assert_answers(segment, rows)
    unmatched = 64 - segment.header.bucket_bits - segment.header.hash_bits
    plain = {key >> unmatched for rank, key in enumerate(rows)}
    for key in strangers:
        if key >> unmatched not in plain:
            assert segment.find(key) is None


@settings(deadline=None, max_examples=60)
@given(
    people,
    st.tuples(*(st.sets(st.integers(0, 5), min_size=1) for _ in range(6))),
    st.integers(6, 8),
    st.integers(0, 4),
)
def test_whatever_the_tables_it_answers_like_a_dict(
    said: dict[int, tuple[int, ...]],
    pools: tuple[set[int], ...],
    code_bytes: int,
    bucket_bits: int,
) -> None:
    rows = {key: record_of(said[key]) for key in sorted(said)}
    plan = CodingPlan(bucket_bits, 48, code_bytes, tables_of(tuple(map(tuple, pools))))
    segment = opened(rows, plan)
    assert_answers(segment, rows)
    absent = sum(
        any(v not in pool for v, pool in zip(values, pools, strict=False))
        for values in said.values()
    )
    assert segment.header.wide_rows >= absent


def test_over_many_pages_and_steps_of_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of(6_000, rare=400, twins=200)
    whole, columns = write(tmp_path / "whole", rows), columns_of(rows)
    for module in ("build", "planning"):
        monkeypatch.setattr(f"cache.replica.{module}.CHUNK_ROWS", 4_096)
    stepped = write_rows(tmp_path / "stepped", PERSONS_3, *columns, HASH_KEY_ID, plan=whole.plan)
    assert stepped == whole
    segment = Segment.open(tmp_path / "stepped")
    segment.self_test()
    assert_answers(segment, rows)
    assert all(segment.find(key_of(n)) is None for n in range(3_000))
    assert segment.damaged_pages == 0
    # Rows read from the middle are the same, and in buckets of their own.
    keys, records = read_rows(segment, 4_000, 4_100)
    whole_keys, whole_records = read_rows(segment, 0, len(rows))
    assert (keys == whole_keys[4_000:4_100]).all()
    assert (records == whole_records[4_000:4_100]).all()


def test_a_walk_through_all_rows_gives_back_the_memory_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of(3_000, twins=300)
    write(tmp_path / "s", rows)
    segment = Segment.open(tmp_path / "s")
    advised: list[tuple[int, int, int]] = []
    monkeypatch.setattr("cache.replica.segment._WALK_BYTES", 1_000)
    monkeypatch.setattr(segment, "_advise", lambda *said: advised.append(said))
    for first in range(0, len(rows), 700):
        end = min(first + 700, len(rows))
        assert len(segment.raw_rows(first, end)) == (end - first) * segment.header.row_bytes
    assert len(segment.wide) == 600 * 24
    assert [advice for advice, _, _ in advised] == [mmap.MADV_WILLNEED, mmap.MADV_DONTNEED] * 7
    monkeypatch.undo()
    monkeypatch.setattr("cache.replica.segment._WALK_BYTES", 1_000)
    assert_answers(segment, rows)  # whatever page a step begins in
    assert segment.raw_rows(5, 5) == segment.raw_wide(0, 0) == b""


def write(path: Path, rows: dict[int, bytes]) -> object:
    return write_rows(path, PERSONS_3, *columns_of(rows), HASH_KEY_ID)


def test_who_has_a_value_in_no_table_has_a_wide_row() -> None:
    rows = rows_of(300, rare=60)
    segment = opened(rows, plan_of(len(rows)))
    assert segment.header.wide_rows == 60
    assert [segment.wide_row(n)[0] for n in range(60)] == sorted(
        key for key, record in rows.items() if segment.wide.find(record) >= 0
    )
    assert_answers(segment, rows)
    segment.self_test()


def test_two_people_with_the_same_stored_bits_are_told_apart(tmp_path: Path) -> None:
    rows = rows_of(300, twins=5)
    segment = opened(rows)
    assert segment.header.wide_rows == 10
    assert_answers(segment, rows)
    one = min(key for key in rows if key + 12 in rows)
    unmatched = 64 - segment.header.bucket_bits - segment.header.hash_bits
    # A third with the same bits is neither of them.
    assert one >> unmatched == one + 4 >> unmatched
    assert segment.find(one + 4) is None


def test_twins_are_found_where_one_step_of_writing_ends_between_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = rows_of(4_200, twins=0)
    border = list(rows)[4_095]
    rows[border ^ 8] = rows[border][::-1]
    for module in ("build", "planning"):
        monkeypatch.setattr(f"cache.replica.{module}.CHUNK_ROWS", 4_096)
    rows = dict(sorted(rows.items()))
    segment = opened(rows)
    assert segment.header.wide_rows == 2
    assert_answers(segment, rows)


def test_rows_one_by_one_and_in_columns_give_the_same_bytes(tmp_path: Path) -> None:
    facts = {key_of(n): facts_of(n) for n in range(700)}
    gathered, rows = RowSet(PERSONS_3), {}
    for key, said in facts.items():
        gathered.add(key, PERSONS_3.pack(said))
        rows[key] = PERSONS_3.pack(said)
    one_by_one = write_segment(tmp_path / "a", gathered, HASH_KEY_ID)
    ordered = dict(sorted(rows.items()))
    assert write(tmp_path / "b", ordered) == one_by_one
    keys, words = columns_of(ordered)
    as_bytes = words.view(np.uint8).reshape(-1, 16)
    assert write_rows(tmp_path / "c", PERSONS_3, keys, as_bytes, HASH_KEY_ID) == one_by_one
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    segment = Segment.open(tmp_path / "a")
    for key, record in rows.items():
        rank = segment.locate(key)
        assert rank is not None
        assert segment.facts(rank) == PERSONS_3.unpack(record)


def test_keys_that_tell_no_two_people_apart_are_refused(tmp_path: Path) -> None:
    one, other = record_of((1,) * 7), record_of((2,) * 7)
    gathered = RowSet(PERSONS_3)
    gathered.add(PersonKey(8), one)
    gathered.add(PersonKey(11), one)
    assert write_segment(tmp_path / "s", gathered, HASH_KEY_ID).rows == 1
    gathered.add(PersonKey(10), other)
    with pytest.raises(BuildError, match="000000000000000"):
        write_segment(tmp_path / "s", gathered, HASH_KEY_ID)
    for records in (one + one, one + other):
        words = np.frombuffer(records, np.uint64).reshape(-1, 2)
        with pytest.raises(BuildError, match="apart"):
            write_rows(tmp_path / "s", PERSONS_3, np.array([8, 11], np.uint64), words, HASH_KEY_ID)


def test_rows_out_of_order_or_without_records_are_refused(tmp_path: Path) -> None:
    keys, words = columns_of(rows_of(50))
    with pytest.raises(BuildError):
        write_rows(tmp_path / "s", PERSONS_3, keys[::-1].copy(), words, HASH_KEY_ID)
    with pytest.raises(BuildError):
        write_rows(tmp_path / "s", PERSONS_3, keys, words[1:], HASH_KEY_ID)


def test_every_byte_is_where_the_format_says(tmp_path: Path) -> None:
    # By hand, without our code: four people in one bucket, two of them wide.
    pools = ((3, 5), (0, 7), (9,), (80, 81), (0,), (2, 4, 6))
    usual, rare = (5, 7, 9, 81, 0, 4, 0xABCD), (5, 6, 9, 80, 0, 2, 0x1234)
    rows = {
        0x0123_4567_89AB_CDEF: record_of(usual),
        0x4000_0000_0000_0000: record_of(rare),
        0x8000_0000_0000_0004: record_of((3, 0, 9, 80, 0, 2, 1)),
        0x8000_0000_0000_0008: record_of((3, 0, 9, 80, 0, 2, 2)),
        0xFFFF_FFFF_FFFF_FFFF: record_of((3, 0, 9, 80, 0, 6, 0xFFFF)),
    }
    codes = 2 * 2 * 1 * 2 * 1 * 3
    # u: 5 is place 1 of group 0, 7 place 1 of group 1, 81 place 1 of group 3, 4 place 1 of group 5.
    u = 1 + 2 * (1 + 2 * (0 + 1 * (1 + 2 * (0 + 1 * 1))))
    z = 0 + 2 * (0 + 2 * (0 + 1 * (0 + 2 * (0 + 1 * 2))))
    stored = b"".join(
        bytes.fromhex(hashed) + code.to_bytes(6, "little") + identity.to_bytes(2, "little")
        for hashed, code, identity in (
            ("0123456789ab", u, 0xABCD),
            ("400000000000", codes, 0x1234),
            ("800000000000", codes + 1, 1),
            ("800000000000", codes + 2, 2),
            ("ffffffffffff", z, 0xFFFF),
        )
    )
    wide = b"".join(key.to_bytes(8, "little") + rows[key] for key in list(rows)[1:4])
    tables = struct.pack("<11I", *(value for pool in pools for value in pool))
    index = struct.pack("<2I", 0, 5)
    pages = [part.ljust(4096, b"\0") for part in (stored, wide, tables, index)]
    crcs = struct.pack("<4I", *map(zlib.crc32, pages)).ljust(4096, b"\0")
    sizes = (2, 2, 1, 2, 1, 3, 0, 0)
    header = struct.pack(
        "<8sHHHHBBBBQQ8sI8II",
        *(b"CHOTSEG\0", 2, 1, 8, 14, 0, 48, 6, 6, 5, 6 * 4096, HASH_KEY_ID, 3),
        *(*sizes, zlib.crc32(crcs)),
    ).ljust(4092, b"\0")
    by_hand = b"".join((header, struct.pack("<I", zlib.crc32(header)), *pages, crcs))
    plan = CodingPlan(0, 48, 6, tables_of(pools))
    write_rows(tmp_path / "s", PERSONS_3, *columns_of(rows), HASH_KEY_ID, plan=plan)
    assert (tmp_path / "s").read_bytes() == by_hand
    assert_answers(Segment.open(tmp_path / "s"), rows)
