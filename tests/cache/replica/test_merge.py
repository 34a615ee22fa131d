"""A merge writes, byte for byte, what building the same rows by the same plan would."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from cache.errors import BuildError, DamagedPage, LayoutError, MergeStopped, SegmentError
from cache.replica import merge as merging
from cache.replica.coding_plan import CodingPlan
from cache.replica.geometry import PAGE_BYTES, Header
from cache.replica.layout import ALIASES_1, CREDENTIALS_1, PERSONS_3, Layout
from cache.replica.merge import merge
from cache.replica.recipe import Recipe, pack_recipe, unpack_recipe
from cache.replica.recipe_write import following_keys, make_recipe, recipe_by
from cache.replica.segment import Segment
from cache.replica.snapshot_write import write_snapshot
from cache.replica.table import Table
from tests.cache.replica.coded import (
    BASE_SHAPES,
    FAR,
    NEXT_SHAPES,
    TWINS,
    Rows,
    built,
    crowd,
    plans,
)
from tests.cache.replica.releases import HASH_KEY_ID
from tests.cache.replica.tables import delta_file, read, records_of
from tests.cache.replica.test_segment_hostile import sealed


def applied(rows: Rows, changes: Mapping[int, bytes | None]) -> dict[int, bytes]:
    now = {**rows, **changes}
    return {key: record for key, record in now.items() if record is not None}


def table_of(
    folder: Path,
    layout: Layout[Any],
    base: Rows,
    *steps: Mapping[int, Any],
    plan: CodingPlan | None = None,
) -> Table:
    built(folder / "base", layout, base, plan)
    table = Table(Segment.open(folder / "base"))
    for number, changes in enumerate(steps, start=1):
        delta = read(delta_file(table, changes, number, sorted(base)), table, number)
        table = table.with_deltas([delta], {})
    return table


def keys_of(rows: Rows) -> Any:
    return np.array(sorted(rows), np.uint64)


def merged_as_built(
    folder: Path, table: Table, base: Rows, now: Rows, plan: CodingPlan | None = None
) -> Recipe:
    """Merge by the recipe that would be published, or by a plan, and compare with building."""
    keys = keys_of(base)
    recipe = recipe_by(plan, table, keys) if plan else make_recipe(table, keys)
    there = unpack_recipe(pack_recipe(recipe))
    merged = merge(table, there, folder / "merged", HASH_KEY_ID)
    expected = built(folder / "built", table.layout, now, recipe.plan)
    assert (folder / "merged").read_bytes() == (folder / "built").read_bytes()
    assert merged == expected
    assert merged.leaves == expected.leaves
    assert list(following_keys(table, keys_of(base))) == sorted(now)
    return recipe


@settings(deadline=None, max_examples=50)
@given(data=st.data(), step=st.sampled_from([1, 3, 1 << 17]))
def test_any_changes_of_coded_rows_merge_into_what_is_built(data: st.DataObject, step: int) -> None:
    few = data.draw(st.lists(records_of(PERSONS_3), min_size=2, max_size=4), "records")
    keys, records = st.sampled_from(FAR + TWINS), st.sampled_from(few)
    base = data.draw(st.dictionaries(keys, records, max_size=24), "base")
    changes = st.dictionaries(keys, st.none() | records, max_size=12)
    steps = data.draw(st.lists(changes, max_size=3), "steps")
    now: dict[int, bytes] = dict(base)
    for each in steps:
        now = applied(now, each)
    before = data.draw(plans(few, BASE_SHAPES), "plan of the base")
    shapes = [shape for shape in NEXT_SHAPES if sum(shape) <= before.bucket_bits + before.hash_bits]
    plan = data.draw(plans(few, shapes), "plan")
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "STEP_ROWS", step)
        table = table_of(Path(name), PERSONS_3, base, *steps, plan=before)
        merged_as_built(Path(name), table, base, now, plan)


@settings(deadline=None, max_examples=40)
@given(data=st.data(), layout=st.sampled_from([CREDENTIALS_1, ALIASES_1]))
def test_any_changes_of_plain_rows_merge_into_what_is_built(
    data: st.DataObject, layout: Layout[Any]
) -> None:
    keys, records = st.sampled_from(FAR), records_of(layout)
    base = data.draw(st.dictionaries(keys, records, max_size=24), "base")
    changes = data.draw(st.dictionaries(keys, st.none() | records, max_size=12), "changes")
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "STEP_ROWS", 4)
        folder = Path(name)
        table = table_of(folder, layout, base, changes)
        merged_as_built(folder, table, base, applied(base, changes))


def a_day(seed: int, base: Rows) -> dict[int, bytes | None]:
    """Some removed, some new, and some changed in one group or another."""
    rng = random.Random(seed)
    changes: dict[int, bytes | None] = dict(crowd(seed, len(base) // 50))
    for key in rng.sample(sorted(base), len(base) // 10):
        word = int.from_bytes(base[key], "little")
        kind = rng.randrange(4)
        value = word ^ (1 << rng.choice([5, 33, 55, 66, 80, 100, 120]))
        changes[key] = None if kind == 0 else value.to_bytes(16, "little")
    return changes


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[int, bytes], Table, Path]:
    base = crowd(1, 20_000)
    folder = tmp_path_factory.mktemp("day")
    table = table_of(folder, PERSONS_3, base, a_day(2, base), a_day(3, base))
    return base, table, folder / "base"


Day = tuple[dict[int, bytes], Table, Path]


def test_a_day_of_many_rows_merges_over_many_steps(
    day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "STEP_ROWS", 999)
    base, table, _ = day
    now = applied(applied(base, a_day(2, base)), a_day(3, base))
    best = make_recipe(table, keys_of(base)).plan
    plan = structs.replace(best, tables=tuple(values[::2] for values in best.tables))
    recipe = merged_as_built(tmp_path, table, base, now, plan)
    # The day has rows that become wide, whose keys the base does not know: else it shows nothing.
    assert len(recipe.ranks) > 20
    assert Segment.open(tmp_path / "merged").header.wide_rows > 50


@pytest.mark.parametrize("layout", [PERSONS_3, CREDENTIALS_1])
def test_nobody_becomes_somebody_and_somebody_nobody(tmp_path: Path, layout: Layout[Any]) -> None:
    rows = {key: bytes([1] * layout.record_bytes) for key in FAR[:5]}
    merged_as_built(tmp_path, table_of(tmp_path, layout, {}, rows), {}, rows)
    nobody = dict.fromkeys(rows)
    merged_as_built(tmp_path, table_of(tmp_path, layout, rows, nobody), rows, {})
    merged_as_built(tmp_path, table_of(tmp_path, layout, {}), {}, {})


def test_a_change_of_the_head_merges_as_one_of_a_delta(tmp_path: Path) -> None:
    base = crowd(4, 500)
    changes = a_day(5, base)
    table = table_of(tmp_path, PERSONS_3, base).with_changes(changes)
    merged_as_built(tmp_path, table, base, applied(base, changes))


def test_a_damaged_page_ends_the_merge_wherever_it_is(day: Day, tmp_path: Path) -> None:
    base, table, source = day
    recipe = make_recipe(table, keys_of(base))
    whole = source.read_bytes()
    header = table.header
    for page in (1, header.row_pages, header.row_pages + header.wide_pages):
        damaged = bytearray(whole)
        damaged[page * PAGE_BYTES + 100] ^= 4
        (tmp_path / "damaged").write_bytes(damaged)
        again = Table(Segment.open(tmp_path / "damaged"), [table.net()])
        with pytest.raises(DamagedPage):
            merge(again, recipe, tmp_path / "merged.part", HASH_KEY_ID)
        (tmp_path / "damaged").unlink()
    assert [path.name for path in tmp_path.iterdir()] == ["merged.part"]


@settings(max_examples=60)
@given(data=st.data())
def test_a_base_that_contradicts_itself_under_sound_checksums_ends_merge_and_snapshot(
    data: st.DataObject,
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = {key: bytes([key >> 60 & 3] * 16) for key in FAR + TWINS}
        tables = tuple(np.array([value, 200], np.uint32) for value in range(6))
        made = built(folder / "base", PERSONS_3, rows, CodingPlan(2, 48, 6, tables))

        def change(bytes_of_it: bytearray, header: Header) -> None:
            parts = [range(header.rows * header.row_bytes), range(header.wide_rows * 24)]
            index = PAGE_BYTES * (header.row_pages + header.wide_pages + header.table_pages)
            places = [*parts[0], *(PAGE_BYTES * header.row_pages + at for at in parts[1])]
            places += range(index, index + 20)
            for _ in range(data.draw(st.integers(1, 3))):
                at = data.draw(st.sampled_from(places))
                bytes_of_it[PAGE_BYTES + at] = data.draw(st.integers(0, 255))

        try:
            segment = Segment(sealed((folder / "base").read_bytes(), change))
            write_snapshot(segment, folder / "snapshot")
            recipe = Recipe(8, made.plan, np.zeros(0, np.int64), np.zeros(0, np.uint64))
            merge(Table(segment), recipe, folder / "merged", HASH_KEY_ID)
        except SegmentError:
            return
    assert segment.header.rows == len(rows)


def test_a_merge_ends_at_the_step_after_it_was_told_to(
    day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "STEP_ROWS", 1_000)
    base, table, _ = day
    recipe = make_recipe(table, keys_of(base))
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) == 5

    with pytest.raises(MergeStopped):
        merge(table, recipe, tmp_path / "merged.part", HASH_KEY_ID, stop=stop)
    assert len(asked) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["merged.part"]
    # What was left of one that was ended is no obstacle for the next.
    merge(table, recipe, tmp_path / "merged.part", HASH_KEY_ID)


def test_a_recipe_for_another_base_is_refused(tmp_path: Path) -> None:
    base = crowd(6, 300)
    table = table_of(tmp_path, PERSONS_3, base, a_day(7, base))
    recipe = make_recipe(table, keys_of(base))
    kept = table.header.bucket_bits + table.header.hash_bits
    fewer = recipe.plan

    def other(plan: CodingPlan = fewer, ranks: Any = (), ends: Any = ()) -> Recipe:
        return Recipe(8, plan, np.array(ranks, np.int64), np.array(ends, np.uint64))

    wider = CodingPlan(fewer.bucket_bits + 1, fewer.hash_bits, fewer.code_bytes, fewer.tables)
    for wrong in (
        Recipe(9, CodingPlan(4, 40, 0, ()), recipe.ranks[:0], recipe.key_ends[:0]),
        other(wider),
        other(ranks=[table.header.rows], ends=[0]),
        other(ranks=[0], ends=[1 << 64 - kept]),
    ):
        with pytest.raises(SegmentError):
            merge(table, wrong, tmp_path / "m", HASH_KEY_ID)


def test_no_recipe_is_made_where_rows_keep_too_little_of_their_keys(tmp_path: Path) -> None:
    rows = {key: bytes(8) for key in FAR}
    table = table_of(tmp_path, ALIASES_1, rows, {FAR[0] ^ 1: bytes(8)})
    with pytest.raises(BuildError):
        make_recipe(table, keys_of(rows))
    with pytest.raises(BuildError, match="as many keys"):
        make_recipe(table, keys_of(rows)[1:])


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_a_recipe_that_is_damaged_anywhere_is_refused_or_another_recipe(
    data: st.DataObject,
) -> None:
    recipe = Recipe(
        8,
        CodingPlan(16, 32, 6, tuple(np.array([0, 3, 200], np.uint32) for _ in range(6))),
        np.array([5, 9], np.int64),
        np.array([77, 4095], np.uint64),
    )
    packed = bytearray(pack_recipe(recipe))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.sampled_from([len(packed), at]))
    try:
        unpack_recipe(bytes(packed[:cut]))
    except (SegmentError, LayoutError):
        return
    assert cut == len(packed)


def test_a_recipe_that_unpacks_to_more_than_one_may_is_refused() -> None:
    with pytest.raises(SegmentError, match="larger than one may be"):
        unpack_recipe(zstandard.ZstdCompressor(level=1).compress(bytes(20 << 20)))
    for wrong in (b"", b"\0" * 50, zstandard.ZstdCompressor().compress(b"\xc0")):
        with pytest.raises(SegmentError):
            unpack_recipe(wrong)
