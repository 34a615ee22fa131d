"""Protects the daily lists: signed by the hub alone, and a cut or altered journal shows in one."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from admission.daily_heads import (
    Comparison,
    DailyHeads,
    JournalHead,
    check,
    open_daily_heads,
    pack_daily_heads,
)
from admission.errors import WireError
from admission.passage import chained, genesis
from admission.upload import Mark, sign_mark

KEY = Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(bytes([4]) * 32)
JOURNAL = bytes(range(16))
HASHES = [genesis(JOURNAL)]
for number in range(1, 10):
    HASHES.append(chained(HASHES[-1], number, b"entry"))
HEADS = [
    JournalHead("gate-2", bytes(16), 0, bytes(32)),
    JournalHead("gate-1", JOURNAL, 7, HASHES[7]),
]


def a_list() -> DailyHeads:
    return open_daily_heads(pack_daily_heads("2021-09-20", 5, HEADS, KEY), [KEY.public_key()])


def test_a_list_is_read_back_in_order_by_whoever_has_one_of_the_keys() -> None:
    packed = pack_daily_heads("2021-09-20", 5, HEADS, KEY)
    heads = open_daily_heads(packed, [OTHER.public_key(), KEY.public_key()])
    assert (heads.day, heads.made_ns) == ("2021-09-20", 5)
    assert heads.journals == tuple(sorted(HEADS))
    with pytest.raises(WireError, match="not signed by a key"):
        open_daily_heads(packed, [OTHER.public_key()])


def test_a_mark_by_the_same_key_is_no_list() -> None:
    mark = sign_mark(Mark(2, "gate-1", JOURNAL, 7, HASHES[7], 5), KEY)
    with pytest.raises(WireError):
        open_daily_heads(mark, [KEY.public_key()])


@pytest.mark.parametrize("day", ["2021-9-20", "../head", "2021-09-20\n"])
def test_a_name_that_is_no_day_is_refused(day: str) -> None:
    with pytest.raises(WireError):
        open_daily_heads(pack_daily_heads(day, 5, HEADS, KEY), [KEY.public_key()])


@given(st.data())
def test_an_altered_list_does_not_open(data: st.DataObject) -> None:
    packed = bytearray(pack_daily_heads("2021-09-20", 5, HEADS, KEY))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(WireError):
        open_daily_heads(bytes(packed), [KEY.public_key()])


def compared(hashes: dict[int, bytes], last: int, journal: bytes = JOURNAL) -> Comparison:
    return check(a_list(), None, journal, last, hashes.get)[0]


def test_what_a_list_says_of_a_journal() -> None:
    whole = dict(enumerate(HASHES))
    assert compared(whole, 9) is Comparison.SAME
    assert compared(whole, 7) is Comparison.SAME
    assert compared(whole, 6) is Comparison.CUT_OFF
    assert compared({**whole, 7: bytes(32)}, 9) is Comparison.ALTERED
    assert compared({8: HASHES[8]}, 9) is Comparison.NOT_HERE
    assert compared(whole, 9, bytes([9]) * 16) is Comparison.NOT_LISTED
    assert check(a_list(), "gate-9", JOURNAL, 9, whole.get)[0] is Comparison.NOT_LISTED
