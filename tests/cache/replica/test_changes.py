"""Changes inside a head: what was packed comes back, and anything else is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.errors import DeltaError
from cache.replica.changes import Changes, pack_changes, unpack_changes
from cache.replica.layout import CREDENTIALS_1, LAYOUTS, PERSONS_3, Layout
from tests.cache.replica.tables import records_of

keys = st.integers(0, 2**64 - 1).map(lambda key: key & ~3)


@given(data=st.data(), layout=st.sampled_from(list(LAYOUTS.values())))
def test_what_was_packed_comes_back_and_has_one_form(
    data: st.DataObject, layout: Layout[Any]
) -> None:
    changes = data.draw(st.dictionaries(keys, st.none() | records_of(layout), max_size=9))
    packed = pack_changes(changes, layout)
    assert unpack_changes(packed, layout) == changes
    assert pack_changes(dict(reversed(changes.items())), layout) == packed
    removed = sum(record is None for record in changes.values())
    assert len(packed) == 9 * len(changes) + layout.record_bytes * (len(changes) - removed)


@given(data=st.binary(max_size=80))
def test_any_bytes_are_changes_of_one_form_or_refused(data: bytes) -> None:
    try:
        changes = unpack_changes(data, CREDENTIALS_1)
    except DeltaError:
        return
    assert pack_changes(changes, CREDENTIALS_1) == data


def test_the_documented_bytes_are_the_packed_ones() -> None:
    packed = pack_changes({0x0102: b"\x01\0\0", 5: None}, CREDENTIALS_1)
    assert packed.hex() == "050000000000000000020100000000000001010000"


@pytest.mark.parametrize(
    "data",
    [
        bytes(8),
        bytes(8) + b"\2",
        bytes(8) + b"\1" + bytes(2),
        bytes(8) + b"\1\0\0\x10",
        bytes(18),
        b"\2" + bytes(8) + b"\1" + bytes(8),
    ],
)
def test_what_is_cut_off_unknown_or_out_of_order_is_refused(data: bytes) -> None:
    with pytest.raises(DeltaError):
        unpack_changes(data, CREDENTIALS_1)


def test_two_keys_of_one_person_are_refused() -> None:
    # Those who lead to people by 62 bits of a key would meet either.
    two: Changes = {8: None, 9: bytes(16)}
    with pytest.raises(DeltaError):
        pack_changes(two, PERSONS_3)
    assert len(pack_changes({8: None, 9: None}, CREDENTIALS_1)) == 18


def test_a_record_of_another_layout_is_refused() -> None:
    for record in (bytes(2), bytes(4), b"\xff" * 3):
        with pytest.raises(DeltaError):
            pack_changes({1: record}, CREDENTIALS_1)
