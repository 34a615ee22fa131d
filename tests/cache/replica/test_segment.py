"""A segment answers exactly like the dict that it was built from."""

from __future__ import annotations

import hashlib
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.identity import PersonKey
from cache.errors import BuildError, LayoutError, SegmentError
from cache.replica.build import RowSet, write_segment
from cache.replica.layout import PERSONS_1
from cache.replica.segment import Segment
from tests.cache.replica.releases import HASH_KEY_ID, facts_of, key_of, write

uniform = st.integers(0, 2**64 - 1)
crowded = st.integers(0, 2**12).map(lambda low: low << 20 | 0xABC)
keys = st.one_of(uniform, crowded, st.sampled_from([0, 1, 2**63, 2**64 - 1]))


@settings(deadline=None, max_examples=120)
@given(rows=st.dictionaries(keys, st.binary(min_size=10, max_size=10)), strangers=st.lists(keys))
def test_it_answers_exactly_like_a_dict(rows: dict[int, bytes], strangers: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        built = write(Path(folder, "s"), rows)
        segment = Segment.open(Path(folder, "s"))
    assert segment.header.rows == len(rows) == built.rows
    for key, record in rows.items():
        assert segment.find(key) == record
    # A stranger is told apart by the matched bits; the keyed hash spreads people over all of them.
    unmatched = max(0, 64 - segment.header.bucket_bits - segment.header.hash_bits)
    known = {key >> unmatched for key in rows}
    assert len(known) == len(rows)
    for key in strangers:
        if key >> unmatched not in known:
            assert segment.find(key) is None


def test_thousands_of_rows_over_many_pages(tmp_path: Path) -> None:
    rows = {key_of(n): PERSONS_1.pack(facts_of(n)) for n in range(5_000)}
    built = write(tmp_path / "s", rows)
    segment = Segment.open(tmp_path / "s")
    segment.self_test()
    assert built.size == (tmp_path / "s").stat().st_size == segment.header.size
    assert segment.header.row_pages > 10
    assert all(segment.find(key) == record for key, record in rows.items())
    assert all(segment.find(key_of(n)) is None for n in range(5_000, 9_000))
    assert segment.damaged_pages == 0


def test_a_match_across_two_rows_or_inside_a_record_is_no_match(tmp_path: Path) -> None:
    # All keys share bucket 0 (fewer than 32 rows); the stranger's stored bytes lie inside a record
    # and, with another one, across the border of two rows.
    inside = bytes.fromhex("a1a2a3a4a5")
    rows = {
        0x01 << 56: b"\xee\xee" + inside + b"\xee\xee\xee",
        0x02A3A4A5B6 << 24: b"\xee" * 7 + b"\xb1\xb2\xb3",
        0x03 << 56: bytes(10),
    }
    write(tmp_path / "s", rows)
    segment = Segment.open(tmp_path / "s")
    assert segment.header.bucket_bits == 0
    assert segment.find(int.from_bytes(inside + bytes(3), "big")) is None
    across = b"\xb1\xb2\xb3\x03\x00"
    assert segment.find(int.from_bytes(across + bytes(3), "big")) is None
    # And a straddling false hit before the true row does not hide it.
    hidden = dict(rows)
    hidden[int.from_bytes(inside + bytes(3), "big")] = b"truthfully"
    write(tmp_path / "h", hidden)
    assert Segment.open(tmp_path / "h").find(0xA1A2A3A4A5 << 24) == b"truthfully"


def test_no_rows_are_a_segment_too(tmp_path: Path) -> None:
    write(tmp_path / "s", {})
    segment = Segment.open(tmp_path / "s")
    segment.self_test()
    assert segment.find(0) is None


def test_the_same_rows_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [(key_of(n), PERSONS_1.pack(facts_of(n))) for n in range(500)]
    first = write(tmp_path / "a", rows)
    random.Random(1).shuffle(rows)
    assert write(tmp_path / "b", rows) == first
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_format_has_not_moved(tmp_path: Path) -> None:
    # A changed byte is a new format version: gates in the field read this one.
    write(tmp_path / "s", {key_of(n): PERSONS_1.pack(facts_of(n)) for n in range(100)})
    digest = hashlib.sha256((tmp_path / "s").read_bytes()).hexdigest()
    assert digest == "1414916653c1aa8a29f0f1c0565a2c0d33ae57326c57fcc24e859cf507b5de40"


def test_identical_rows_merge_and_contradicting_ones_are_refused(tmp_path: Path) -> None:
    record, other = PERSONS_1.pack(facts_of(1)), PERSONS_1.pack(facts_of(2))
    assert write(tmp_path / "s", [(7, record), (9, other), (7, record)]).rows == 2
    with pytest.raises(BuildError, match="0000000000000007") as refusal:
        write(tmp_path / "s", [(7, record), (9, other), (7, other)])
    assert "hash key" in refusal.value.hint


def test_keys_that_agree_in_many_bits_are_stored_with_more(tmp_path: Path) -> None:
    near = {2**63: b"a" * 10, 2**63 + 1: b"b" * 10, 2**63 + 2**20: b"c" * 10}
    write(tmp_path / "s", near)
    segment = Segment.open(tmp_path / "s")
    assert segment.header.hash_bits == 64
    assert {key: segment.find(key) for key in near} == near
    assert segment.find(2**63 + 2) is None


def test_a_record_of_another_width_is_refused() -> None:
    with pytest.raises(LayoutError):
        RowSet(PERSONS_1).add(PersonKey(1), bytes(9))


def test_a_hash_key_id_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError):
        write_segment(tmp_path / "s", RowSet(PERSONS_1), HASH_KEY_ID[:7])


def test_a_missing_file_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(SegmentError, match="No such file"):
        Segment.open(tmp_path / "s")
