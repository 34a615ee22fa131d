"""Protects the entry: it holds what happened, names nobody, and cannot be swapped unnoticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials import parse
from admission.identity import PersonKey
from admission.passage import (
    CHAIN_HASH_BYTES,
    CODE_DIGEST_BYTES,
    Passage,
    chained,
    genesis,
    passage,
)
from admission.standing import Lookup, PersonFacts, Release, Standing
from admission.verdict import Card, Outcome, Reason, Verdict
from admission.wire import pack_passage
from tests.worlds import ManualClock, a_reading, a_site

SAMPLE = "001093029317|NGUYEN VAN A|1987-01-18|0|162979388586171100|<1<00<0123232422"
NOW = ManualClock().now()


def entry(text: str = SAMPLE, *, digest_key: bytes = b"k" * 32) -> Passage:
    reading = a_reading(text)
    return passage(
        reading,
        parse(reading),
        Standing(Lookup.FOUND, PersonKey(42), PersonFacts(), Release(7, 0, 1)),
        Verdict(Outcome.ADMIT, (Reason.CARD_OPENS,), Card.GREEN),
        NOW,
        site=a_site(),
        lane="lane-1",
        rulebook="hcmc-2021-09/1",
        digest_key=digest_key,
    )


def test_an_entry_says_what_happened() -> None:
    made = entry()
    assert (made.site, made.lane, made.source) == ("site-1", "lane-1", "camera-1")
    assert (made.outcome, made.card, made.reasons) == ("admit", "green", ("card_opens",))
    assert (made.person, made.release, made.directive) == (42, 7, 15)
    assert (made.wall_ns, made.boot_id) == (NOW.wall_ns, "boot-1")


def test_an_entry_gives_nobody_away() -> None:
    packed = pack_passage(entry())
    for secret in (b"NGUYEN", b"001093029317", b"162979388586171100", b"1987", b"0123232422"):
        assert secret not in packed


def test_the_digest_tells_repeats_and_needs_the_devices_key() -> None:
    assert entry().code_digest == entry().code_digest
    assert len(entry().code_digest) == CODE_DIGEST_BYTES
    assert entry().code_digest != entry(SAMPLE + " ").code_digest
    assert entry().code_digest != entry(digest_key=b"l" * 32).code_digest


def test_a_lone_surrogate_can_be_logged() -> None:
    assert pack_passage(entry("\ud800"))


@given(st.binary(max_size=50), st.binary(max_size=50), st.integers(1, 1 << 40))
def test_a_chain_hash_depends_on_all_that_came_before(a: bytes, b: bytes, sequence: int) -> None:
    start = genesis(b"j" * 16)
    first = chained(start, sequence, a)
    assert len(first) == CHAIN_HASH_BYTES
    assert (chained(start, sequence, b) == first) is (a == b)
    assert chained(start, sequence + 1, a) != first
    assert chained(genesis(b"i" * 16), sequence, a) != first


@pytest.mark.parametrize("swapped", [(0, 1), (1, 2)])
def test_reordered_entries_end_in_another_hash(swapped: tuple[int, int]) -> None:
    def head(entries: list[bytes]) -> bytes:
        tip = genesis(b"j" * 16)
        for sequence, packed in enumerate(entries, start=1):
            tip = chained(tip, sequence, packed)
        return tip

    entries = [b"a", b"b", b"c"]
    other = entries.copy()
    other[swapped[0]], other[swapped[1]] = other[swapped[1]], other[swapped[0]]
    assert head(entries) != head(other)
