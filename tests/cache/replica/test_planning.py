"""Protects the choice of a coding: deterministic, within its bounds, and worth its bytes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.errors import BuildError
from cache.replica.coding_plan import CodingPlan, require_plan, unpack_plan
from cache.replica.column_types import Keys, Words
from cache.replica.geometry import MAX_TABLE_ENTRIES, bucket_bits_for, coded_hash_bits_for
from cache.replica.layout import PERSONS_1, PERSONS_3
from cache.replica.planning import _cuts, count_values, plan, values_of
from tests.cache.replica.people import GROUPS, columns_of, plan_of, rows_of, tables_of


def people(number: int, *pools: int, seed: int = 1) -> tuple[Keys, Words]:
    """Return people with so many different values in each group, equally frequent."""
    chance = np.random.default_rng(seed)
    words = np.zeros((number, 2), np.uint64)
    for group, pool in zip(GROUPS, pools, strict=False):
        some = chance.permutation(np.arange(number) % pool).astype(np.uint64)
        words[:, group.word] |= some << np.uint64(group.shift)
    return np.unique(chance.integers(0, 1 << 64, number, dtype=np.uint64)), words


def test_what_fits_is_kept_whole() -> None:
    keys, words = people(3_000, 100, 90, 80, 70, 60, 50)
    made = plan(PERSONS_3, keys, words)
    assert made.code_bytes == 6
    assert [len(table) for table in made.tables] == [100, 90, 80, 70, 60, 50]
    for group, table in zip(GROUPS, made.tables, strict=False):
        assert table.tolist() == sorted(set(values_of(group, words).tolist()))


def test_no_rows_make_no_tables() -> None:
    made = plan(PERSONS_3, np.zeros(0, np.uint64), np.zeros((0, 2), np.uint64))
    assert [len(table) for table in made.tables] == [0] * 6
    assert (made.bucket_bits, made.hash_bits, made.code_bytes) == (0, 48, 6)


def test_the_plan_does_not_depend_on_how_the_rows_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = rows_of(20_000, rare=900, twins=30)
    keys, words = columns_of(rows)
    made = plan(PERSONS_3, keys, words)
    for chunk in (700, 1 << 14):  # the smaller ones count in an array of all values
        monkeypatch.setattr("cache.replica.planning.CHUNK_ROWS", chunk)
        assert plan(PERSONS_3, keys, words) == made
        for group in GROUPS[:-1]:
            values, counts = count_values(group, words)
            said = np.unique(values_of(group, words), return_counts=True)
            assert (values == said[0]).all()
            assert (counts == said[1]).all()


def test_rare_values_are_cut_where_a_narrower_code_pays_for_them() -> None:
    # 256 ** 6 codes take the frequent values and not one in a thousand of the rare ones.
    keys, words = people(60_000, 1_000, 256, 256, 256, 256, 60)
    rare = slice(0, 60)
    words[rare, 1] |= np.arange(1 << 13, (1 << 13) + 60, dtype=np.uint64) << np.uint64(28 + 6)
    made = plan(PERSONS_3, keys, words)
    assert made.code_bytes == 6
    wide = sum(absent.sum() for absent in [_absent(made, words)])
    assert 0 < wide < 120
    assert math.prod(len(t) for t in made.tables) + wide <= 256**6
    # Where as many as one in ten would be wide, a byte more for everybody costs less.
    keys, words = people(60_000, 8_000, 300, 300, 250, 300, 100)
    made = plan(PERSONS_3, keys, words)
    assert made.code_bytes == 7
    assert not _absent(made, words).any()


def _absent(made: CodingPlan, words: Words) -> np.ndarray:
    absent = np.zeros(len(words), bool)
    for group, table in zip(GROUPS, made.tables, strict=False):
        absent |= ~np.isin(values_of(group, words), table)
    return absent


counts = st.lists(st.integers(1, 50), min_size=1, max_size=400).map(
    lambda some: np.array(some * 3, np.int64)
)


@given(st.tuples(*[counts] * 6), st.integers(0, 100))
def test_no_value_is_cut_in_vain_and_the_most_frequent_never(
    groups: tuple[np.ndarray, ...], twins: int
) -> None:
    rows, before = 10**6, [0] * 6
    for code_bytes, cut, wide in _cuts(groups, twins, rows):
        sizes = [len(group) - less for group, less in zip(groups, cut, strict=True)]
        ordered = [sorted(group.tolist()) for group in groups]
        assert min(sizes) >= 1
        assert math.prod(sizes) + wide <= 256**code_bytes
        assert wide == min(rows, twins + sum(sum(o[:c]) for o, c in zip(ordered, cut, strict=True)))
        if cut != before:  # without the last cut, whichever it was, they did not fit
            assert any(
                math.prod(s + (g == last) for g, s in enumerate(sizes))
                + wide
                - ordered[last][c - 1]
                > 256**code_bytes
                for last, c in enumerate(cut)
                if c > before[last]
            )
        before = cut


def test_of_two_groups_the_one_whose_cut_costs_fewer_people_for_its_factor_is_cut() -> None:
    # The rarest of 65,537 values is one person, and makes next to no room; to lose 100 of a
    # group of four values makes a quarter.
    small = np.array([3, 100, 100, 100, 100], np.int64)
    large = np.array([1, *[400] * 65_536], np.int64)
    full = np.array([10_000] * 200, np.int64)
    *_, said = _cuts((small, large, full, full, full, full), 0, 10**9)
    assert said == (6, [3, 0, 0, 0, 0, 0], 203)


def test_tables_stay_resident_however_many_values_there_are() -> None:
    number = 150_000
    keys, words = people(number, number, 3, 1, 1, 2, 1)
    keys = np.arange(number, dtype=np.uint64) << np.uint64(40)
    made = plan(PERSONS_3, keys, words)
    assert sum(len(table) for table in made.tables) == MAX_TABLE_ENTRIES
    assert [len(table) for table in made.tables[1:]] == [3, 1, 1, 2, 1]


@pytest.mark.parametrize("rows", [0, 20, 300, 4_000, 5_000, 9_000])
@pytest.mark.parametrize("matched", [48, 50, 53, 64])
def test_no_more_bits_are_matched_than_are_known(rows: int, matched: int) -> None:
    keys, words = people(rows, 3, 3, 3, 3, 3, 3)
    made = plan(PERSONS_3, keys, words, matched_bits=matched)
    assert 48 <= made.bucket_bits + made.hash_bits <= matched
    records = np.zeros((rows, 10), np.uint8)
    plain = plan(PERSONS_1, keys, records, matched_bits=matched)
    assert 40 <= plain.bucket_bits + plain.hash_bits <= max(matched, 48)
    if matched == 64:
        assert plain.bucket_bits == made.bucket_bits == max(0, rows.bit_length() - 5)


@given(st.integers(32, (1 << 32) - 1))
def test_a_bucket_has_16_to_32_rows_and_48_bits_are_matched(rows: int) -> None:
    bucket_bits = bucket_bits_for(rows)
    assert 16 <= rows >> bucket_bits < 32
    hash_bits = coded_hash_bits_for(bucket_bits)
    assert bucket_bits + hash_bits >= 48
    assert hash_bits == 32 or bucket_bits + hash_bits - 8 < 48


def test_too_few_known_bits_are_refused() -> None:
    keys, words = people(300, 3, 3, 3, 3, 3, 3)
    with pytest.raises(BuildError):
        plan(PERSONS_3, keys, words, matched_bits=47)
    with pytest.raises(BuildError):
        plan(PERSONS_1, np.array([1, 2], np.uint64), np.zeros((2, 10), np.uint8), matched_bits=48)


@pytest.mark.parametrize("layout", [PERSONS_1, PERSONS_3], ids=["plain", "coded"])
def test_a_packed_plan_comes_back_or_is_refused(layout: object) -> None:
    made = plan_of(300) if layout is PERSONS_3 else CodingPlan(4, 40, 0, ())
    data = made.pack()
    assert unpack_plan(data, layout) == made  # type: ignore[arg-type]
    assert hash(unpack_plan(data, layout)) == hash(made)  # type: ignore[arg-type]
    for size in range(len(data)):
        with pytest.raises(BuildError):
            unpack_plan(data[:size], layout)  # type: ignore[arg-type]
    for at in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            try:
                other = unpack_plan(bytes(flipped), layout)  # type: ignore[arg-type]
            except BuildError:
                continue
            assert other != made
            assert other.pack() == flipped


@pytest.mark.parametrize(
    "made",
    [
        CodingPlan(0, 48, 0, ()),
        CodingPlan(0, 40, 6, tables_of()),
        CodingPlan(29, 32, 6, tables_of()),
        CodingPlan(0, 48, 5, tables_of()),
        CodingPlan(0, 48, 6, tables_of()[:5]),
        CodingPlan(0, 48, 6, (*tables_of()[:5], np.array([2, 2], np.uint32))),
        CodingPlan(0, 48, 6, (*tables_of()[:5], np.array([1 << 20], np.uint32))),
        CodingPlan(0, 48, 6, (*tables_of()[:5], np.zeros(0, np.uint32))),
        CodingPlan(-1, 48, 6, tables_of()),
        CodingPlan(1 << 70, 48, 6, tables_of()),
    ],
    ids=range(10),
)
def test_a_plan_that_no_coded_segment_can_have_is_refused(made: CodingPlan) -> None:
    require_plan(plan_of(1), PERSONS_3)
    with pytest.raises(BuildError):
        require_plan(made, PERSONS_3)
