"""Scanning: every intact entry is found, whatever happened to the bytes around it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from admission.passage import chained
from cache.journal.frame import HEADER_BYTES, Frame, Header, pack_frame, pack_pruned_run
from cache.journal.scan import Damage, DamageKind, PrunedRun, Tail, scan
from tests.cache.journal.entries import file_bytes, pruned

ENTRIES = st.lists(st.binary(min_size=1, max_size=90), min_size=1, max_size=12)
FIRSTS = st.sampled_from([1, 250, 65_530, (1 << 32) - 3])


def frames(data: bytes, first: int = 1) -> dict[int, bytes]:
    return {f.sequence: f.packed for f in scan(data, first) if isinstance(f, Frame)}


def damages(data: bytes, first: int = 1) -> list[Damage]:
    return [finding for finding in scan(data, first) if isinstance(finding, Damage)]


@given(ENTRIES, FIRSTS)
def test_an_intact_file_yields_its_header_and_entries_and_nothing_else(
    packed: list[bytes], first: int
) -> None:
    data, _ = file_bytes(packed, first=first)
    header, *found = scan(data, first)
    assert isinstance(header, Header)
    assert [f.packed for f in found if isinstance(f, Frame)] == packed
    assert all(isinstance(f, Frame) for f in found)


@given(ENTRIES, FIRSTS, st.integers(1, 5_000))
def test_space_set_aside_is_no_torn_write(packed: list[bytes], first: int, zeros: int) -> None:
    data, _ = file_bytes([*packed, b"ends in zeros\0\0"], first=first)
    assert list(scan(data + bytes(zeros), first)) == list(scan(data, first))
    *_, tail = scan(data + b"torn" + bytes(zeros), first)
    assert tail == Tail(len(data), 4)


@given(ENTRIES, FIRSTS, st.data())
def test_a_pruned_run_stands_for_its_entries_and_the_chain_goes_on(
    packed: list[bytes], first: int, data: st.DataObject
) -> None:
    whole, _ = file_bytes(packed, first=first)
    low = data.draw(st.integers(first, first + len(packed) - 1))
    high = data.draw(st.integers(low, first + len(packed) - 1))
    found = list(scan(pruned(whole, low, high), first))
    (run,) = (finding for finding in found if isinstance(finding, PrunedRun))
    assert (run.first, run.last) == (low, high)
    assert [f.sequence for f in found if isinstance(f, Frame)] == [
        n for n in range(first, first + len(packed)) if not low <= n <= high
    ]
    assert not any(isinstance(finding, Damage | Tail) for finding in found)


def test_an_entry_that_does_not_follow_on_a_pruned_run_is_told() -> None:
    whole, _ = file_bytes([b"one", b"two", b"three"])
    run = pruned(whole, 1, 2)
    foreign = pack_pruned_run(2, bytes(32))
    exchanged = run[:HEADER_BYTES] + foreign + run[HEADER_BYTES + len(foreign) :]
    assert [damage.kind for damage in damages(exchanged)] == [DamageKind.CHAIN]


@given(ENTRIES, FIRSTS, st.data())
def test_a_truncated_file_yields_exactly_the_entries_whole_before_the_cut(
    packed: list[bytes], first: int, data: st.DataObject
) -> None:
    whole, ends = file_bytes(packed, first=first)
    cut = data.draw(st.integers(HEADER_BYTES, len(whole) - 1))
    _, *found = scan(whole[:cut], first)
    intact = sum(end <= cut for end in ends) - 1
    assert [f.packed for f in found if isinstance(f, Frame)] == packed[:intact]
    tails = [f for f in found if isinstance(f, Tail)]
    torn = whole[ends[intact] : cut].rstrip(b"\0")
    expected = [Tail(ends[intact], len(torn))] if torn else []
    assert tails == expected
    assert len(found) == intact + len(tails)


@given(ENTRIES, FIRSTS, st.data())
def test_any_flipped_bit_is_found_and_costs_one_entry_at_most(
    packed: list[bytes], first: int, data: st.DataObject
) -> None:
    whole, ends = file_bytes(packed, first=first)
    place = data.draw(st.integers(0, len(whole) - 1))
    bit = data.draw(st.integers(0, 7))
    hurt = whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]
    found = list(scan(hurt, first))
    survivors = dict(enumerate(packed, start=first))
    if place >= HEADER_BYTES:
        victim = sum(end <= place for end in ends) - 1
        del survivors[first + victim]
        start, length = ends[victim], ends[victim + 1] - ends[victim]
        if victim == len(packed) - 1:
            assert found[-1] == Tail(start, len(hurt[start:].rstrip(b"\0")))
        else:
            kind = DamageKind.UNREADABLE
            assert damages(hurt, first) == [Damage(kind, start, length, first + victim, 1)]
    else:
        assert isinstance(found[0], Damage)
        assert found[0].kind is DamageKind.HEADER
    assert frames(hurt, first) == survivors


@given(st.binary(max_size=2_000), FIRSTS)
def test_hostile_bytes_are_described_never_believed(data: bytes, first: int) -> None:
    assert not [f for f in scan(data, first) if isinstance(f, Frame | Header)]


@given(ENTRIES, st.data())
def test_hostile_bytes_between_entries_cost_none_of_them(
    packed: list[bytes], data: st.DataObject
) -> None:
    whole, ends = file_bytes(packed)
    junk = data.draw(st.binary(min_size=1, max_size=700))
    place = data.draw(st.sampled_from(ends))
    assert frames(whole[:place] + junk + whole[place:]) == dict(enumerate(packed, start=1))


@given(ENTRIES, st.data())
def test_without_the_chain_the_same_entries_are_found(
    packed: list[bytes], data: st.DataObject
) -> None:
    whole = bytearray(file_bytes(packed)[0])
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place : place + data.draw(st.integers(0, 90))] = data.draw(st.binary(max_size=90))
    checked, unchecked = (list(scan(bytes(whole), 1, chained=one)) for one in (True, False))
    assert unchecked == [
        one for one in checked if not (isinstance(one, Damage) and one.kind is DamageKind.CHAIN)
    ]


def test_a_removed_entry_is_missed() -> None:
    whole, ends = file_bytes([b"one", b"two", b"three"])
    removed = whole[: ends[1]] + whole[ends[2] :]
    assert damages(removed) == [Damage(DamageKind.MISSING, ends[1], 0, 2, 1)]


def test_a_repeated_entry_does_not_count_twice() -> None:
    whole, ends = file_bytes([b"one", b"two"])
    repeated = whole + whole[ends[0] : ends[1]]
    assert frames(repeated) == {1: b"one", 2: b"two"}
    assert [damage.kind for damage in damages(repeated)] == [DamageKind.OUT_OF_ORDER]


def test_exchanged_entries_are_noticed() -> None:
    whole, ends = file_bytes([b"one", b"two", b"three"])
    exchanged = whole[: ends[0]] + whole[ends[1] : ends[2]] + whole[ends[0] : ends[1]]
    exchanged += whole[ends[2] :]
    assert DamageKind.OUT_OF_ORDER in [damage.kind for damage in damages(exchanged)]


def test_an_entry_altered_with_a_right_crc_breaks_the_chain() -> None:
    whole, ends = file_bytes([b"one", b"two", b"three"])
    old = [f for f in scan(whole, 1) if isinstance(f, Frame)][1]
    forged = whole[: ends[1]] + pack_frame(2, old.chain_hash, b"TWO") + whole[ends[2] :]
    assert damages(forged) == [Damage(DamageKind.CHAIN, ends[1], ends[2] - ends[1], 2)]


def test_an_entry_rechained_by_the_forger_breaks_the_chain_after_it() -> None:
    whole, ends = file_bytes([b"one", b"two", b"three"])
    first, *_ = [f for f in scan(whole, 1) if isinstance(f, Frame)]
    chain_hash = chained(first.chain_hash, 2, b"TWO")
    forged = whole[: ends[1]] + pack_frame(2, chain_hash, b"TWO") + whole[ends[2] :]
    assert [damage.sequence for damage in damages(forged)] == [3]


def test_a_sequence_that_no_file_could_reach_is_not_believed() -> None:
    whole, _ = file_bytes([b"one"])
    far = whole + pack_frame(1 << 40, bytes(32), b"far")
    assert frames(far) == {1: b"one"}
