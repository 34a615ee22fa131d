"""A table says what a dict says to which the same was done, however it was cut into deltas."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache.errors import DamagedPage, DeltaError
from cache.replica.changes import pack_changes, unpack_changes
from cache.replica.delta_write import combine, difference, write_delta
from cache.replica.geometry import PAGE_BYTES
from cache.replica.groups import spare_bits
from cache.replica.layout import CREDENTIALS_1, PERSONS_2, PERSONS_3, Layout
from cache.replica.segment import Segment
from cache.replica.table import Table
from tests.cache.replica.releases import write
from tests.cache.replica.tables import BASE, delta_file, listed, read, records_of, segment_of

FAR = [n * 0x9E37_79B9_7F4A_7C15 % 2**64 & ~3 for n in range(1, 9)] + [0, 2**64 - 4]
NEAR = [key ^ 1 << 10 for key in FAR[:3]]
"""Keys that share the bits that a small base stores with some of `FAR`."""


def matched(segment: Segment, key: int) -> int:
    return key >> max(0, 64 - segment.header.bucket_bits - segment.header.hash_bits)


@settings(deadline=None, max_examples=120)
@given(data=st.data(), layout=st.sampled_from([PERSONS_3, PERSONS_2, CREDENTIALS_1]))
def test_any_cut_of_any_changes_says_what_a_dict_says(
    data: st.DataObject, layout: Layout[Any]
) -> None:
    keys, records = st.sampled_from(FAR + NEAR), records_of(layout)
    base = data.draw(st.dictionaries(keys, records, max_size=20), "base")
    parts = st.dictionaries(keys, st.none() | records, max_size=8)
    steps = data.draw(st.lists(st.tuples(parts, st.booleans()), max_size=5), "steps")
    with tempfile.TemporaryDirectory() as folder:
        segment = segment_of(Path(folder), base, layout)
    now, base_keys = dict(base), sorted(base)
    table, deltas = Table(segment), []
    for number, (changes, joined) in enumerate(steps, start=1):
        now.update({key: record for key, record in changes.items() if record is not None})
        for key in [key for key, record in changes.items() if record is None]:
            now.pop(key, None)
        new = read(delta_file(table, changes, number * 10, base_keys), table, number * 10)
        table = table.with_deltas([new], {})
        if joined and deltas:
            both = combine([deltas.pop(), new])
            at = Table(segment, deltas)
            new = read(write_delta(both, BASE), at, number * 10)
        deltas.append(new)
    on_base = {matched(segment, key) for key in base}
    latest = data.draw(
        st.dictionaries(
            st.sampled_from(
                [k for k in FAR + NEAR if k in now or matched(segment, k) not in on_base]
            ),
            st.none() | records,
            max_size=4,
        )
        if steps
        else st.just({}),
        "changes",
    )
    latest = {k: r for k, r in latest.items() if k in base or matched(segment, k) not in on_base}
    now.update({key: record for key, record in latest.items() if record is not None})
    for key in [key for key, record in latest.items() if record is None]:
        now.pop(key, None)
    changes = unpack_changes(pack_changes(latest, layout), layout)

    spare = spare_bits(layout)
    for each in (Table(segment, deltas, changes), table.with_changes(changes)):
        for key in FAR + NEAR:
            if key in now or key in base or matched(segment, key) not in on_base:
                assert each.find(key) == now.get(key)
                assert each.find(key >> spare << spare) == now.get(key)
                at = each.locate(key)
                assert (segment.record(at) if isinstance(at, int) else at) == now.get(key)
        assert each.rows == len(now)
        assert each.empty == (not base and not now and not latest)
        unstored = 64 - segment.header.bucket_bits - segment.header.hash_bits
        assert sorted(listed(each).values()) == sorted(now.values())
        assert {k >> max(unstored, 0) for k in listed(each)} == {k >> max(unstored, 0) for k in now}


def test_a_table_without_deltas_and_changes_is_the_segment_itself(tmp_path: Path) -> None:
    segment = segment_of(tmp_path, {8: bytes(16), 16: bytes(16)}, PERSONS_3)
    table = Table(segment)
    assert table.locate is segment.locate
    assert table.find == segment.find
    assert (table.rows, table.after, table.empty) == (2, 0, False)


def test_the_group_that_changed_is_taken_and_the_others_are_the_bases(tmp_path: Path) -> None:
    first = b"\xff" * 16
    second = first[:6] + bytes(2) + first[8:]
    table = Table(segment_of(tmp_path, {8: first}, PERSONS_3))
    delta = read(delta_file(table, {8: second}, 1), table, 1)
    assert delta.masks.tolist() == [0b100 | 0b010]
    assert table.with_deltas([delta], {}).find(8) == second
    # A later delta of another group leaves this one as it is.
    third = second[:14] + b"\x01\x02"
    table = table.with_deltas([delta], {})
    later = read(delta_file(table, {8: third}, 2), table, 2)
    assert later.masks.tolist() == [0b100_0000]
    assert table.with_deltas([later], {}).find(8) == third


def test_a_row_whose_page_is_damaged_stays_unreadable_whatever_deltas_say(tmp_path: Path) -> None:
    rows = {n << 32: n.to_bytes(16, "little") for n in range(1, 1_500)}
    segment = segment_of(tmp_path, rows, PERSONS_3)
    table = Table(segment)
    file = delta_file(table, {5 << 32: bytes(16), 6 << 32: None, 7: bytes(16)}, 1)
    delta = read(file, table, 1)
    damaged = bytearray((tmp_path / "base").read_bytes())
    damaged[PAGE_BYTES] ^= 1
    (tmp_path / "damaged").write_bytes(damaged)
    table = Table(Segment.open(tmp_path / "damaged"), [delta], {9 << 32: bytes(16)})
    for key in (5 << 32, 6 << 32):
        with pytest.raises(DamagedPage):
            table.find(key)
    assert table.damaged_pages > 0
    # What the head itself says needs no page.
    assert table.find(9 << 32) == bytes(16)
    with pytest.raises(DamagedPage):
        list(table.items())


def test_somebody_new_who_shares_a_rows_stored_bits_is_told_apart(tmp_path: Path) -> None:
    here, new = 0xABCD << 48, 0xABCD << 48 | 1 << 10
    segment = segment_of(tmp_path, {here: b"\1" * 16}, PERSONS_3)
    table = Table(segment)
    assert segment.locate(new) == 0
    delta = difference(table, {new: b"\2" * 16}, through=1, base_keys=[here])
    later = Table(segment, [delta])
    assert (later.find(here), later.find(new), later.rows) == (b"\1" * 16, b"\2" * 16, 2)
    # And it stays so when either is removed.
    gone = difference(later, {here: None}, through=2, base_keys=[here])
    after = Table(segment, [delta, gone])
    assert (after.find(here), after.find(new), after.rows) == (None, b"\2" * 16, 1)
    gone = difference(later, {new: None}, through=2, base_keys=[here])
    after = Table(segment, [delta, gone])
    assert (after.find(here), after.rows) == (b"\1" * 16, 1)
    # So are several who share the same ones.
    two = {new: b"\2" * 16, new + 64: b"\4" * 16}
    delta = read(delta_file(table, two, 3, [here]), table, 3)
    assert delta.shared.tolist() == [0]
    assert listed(Table(segment, [delta])).keys() == {here, *two}
    later = Table(segment, [delta])
    assert {key: later.find(key) for key in two} == two
    # Once told apart, it needs no keys of the base.
    other = difference(later, {new: b"\3" * 16}, through=4)
    after = Table(segment, [delta, other])
    assert (after.find(here), after.find(new)) == (b"\1" * 16, b"\3" * 16)


def test_deltas_that_do_not_join_are_refused(tmp_path: Path) -> None:
    table = Table(segment_of(tmp_path, {8: bytes(16)}, PERSONS_3))
    first = difference(table, {8: b"\1" * 16}, through=5)
    second = difference(table.with_deltas([first], {}), {8: None}, through=9)
    with pytest.raises(DeltaError, match="join"):
        Table(table.segment, [second])
    with pytest.raises(DeltaError, match="join"):
        Table(table.segment, [second, first])
    with pytest.raises(DeltaError, match="join"):
        combine([second, first])
    with pytest.raises(DeltaError):
        combine([])
    assert Table(table.segment, [first, second]).find(8) is None
    write(tmp_path / "empty", {}, PERSONS_3)
    with pytest.raises(DeltaError, match="another base"):
        Table(Segment.open(tmp_path / "empty"), [first])


def test_who_came_and_went_within_a_combined_delta_leaves_no_trace(tmp_path: Path) -> None:
    segment = segment_of(tmp_path, {8: bytes(16)}, PERSONS_3)
    came = difference(Table(segment), {1 << 50: bytes(16)}, through=1)
    went = difference(Table(segment, [came]), {1 << 50: None}, through=2)
    assert (went.rows, combine([came, went]).rows) == (1, 0)
    # Unless an earlier delta may have it.
    back = difference(Table(segment, [came, went]), {1 << 50: bytes(16)}, through=3)
    again = difference(Table(segment, [came, went, back]), {1 << 50: None}, through=4)
    assert combine([back, again]).dropped.tolist() == [1 << 50]


def test_a_part_of_a_removed_row_is_refused(tmp_path: Path) -> None:
    table = Table(segment_of(tmp_path, {8: bytes(16)}, PERSONS_3))
    removed = difference(table, {8: None}, through=1)
    part = difference(table, {8: b"\1" + bytes(15)}, through=2)
    contradicting = type(part)(
        **{**{f: getattr(part, f) for f in part.__struct_fields__}, "after": 1}
    )
    with pytest.raises(DeltaError, match="not on record"):
        Table(table.segment, [removed, contradicting])


def test_what_is_there_already_takes_no_place(tmp_path: Path) -> None:
    rows = {n << 40: n.to_bytes(16, "little") for n in range(9)}
    table = Table(segment_of(tmp_path, rows, PERSONS_3))
    delta = difference(table, {**rows, 1 << 30: None}, through=1)
    assert delta.rows == 0


def test_a_publisher_is_told_what_cannot_be_a_delta(tmp_path: Path) -> None:
    table = Table(segment_of(tmp_path, {8: bytes(16)}, PERSONS_3))
    for wrong in ({8: bytes(15)}, {8: bytes(17)}, {8: bytes(16), 9: None}):
        with pytest.raises(DeltaError):
            difference(table, wrong, through=1)
    with pytest.raises(DeltaError, match="stored bits"):
        difference(table, {8: None, 16: bytes(16)}, through=1)
    with pytest.raises(DeltaError):
        difference(table.with_changes({8: None}), {}, through=1)
    with pytest.raises(DeltaError):
        difference(table, {}, through=0)


def test_thousands_of_changes_over_many_blocks(tmp_path: Path) -> None:
    def record(n: int) -> bytes:
        return (n * n).to_bytes(16, "little")

    keys = [n * 0x9E37_79B9_7F4A_7C15 % 2**64 for n in range(1, 6_000)]
    rows = {key: record(n) for n, key in enumerate(keys)}
    path = tmp_path / "base"
    write(path, rows, PERSONS_3)
    table = Table(Segment.open(path))
    changes: dict[int, bytes | None] = {key: record(n + 1) for n, key in enumerate(keys[::3])}
    changes |= dict.fromkeys(keys[1::7])
    changes |= {key ^ 1 << 60: record(7) for key in keys[::50]}
    rows |= {key: record_ for key, record_ in changes.items() if record_ is not None}
    rows = {key: record_ for key, record_ in rows.items() if changes.get(key, b"") is not None}
    later = table.with_deltas([read(delta_file(table, changes, 3), table, 3)], {})
    assert all(later.find(key) == rows.get(key) for key in [*keys, *changes])
    assert later.rows == len(rows) == len(listed(later, 1_000))
    assert later.after == 3
