"""The judge: what happened is always stored, nothing is doubled, nobody is blocked."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.instant import ClockTrust, Instant
from admission.wire import Entry, pack_passage
from hub.intake import Intake, Receipt, arrival_of
from hub.store.entries import MAX_INTEGER, Flag, FlagKind, JournalKey
from hub.store.sqlite import open_store
from tests.hub.gates import JOURNAL, a_batch, a_passage, chain, entries_of
from tests.hub.memory_store import MemoryStore

NOW = Instant(1_632_100_000_000_000_000, 5, "hub-boot", ClockTrust.RTC)
KEY = JournalKey("gate-1", JOURNAL)


async def send(store: MemoryStore, entries: list[Entry]) -> Receipt:
    return await Intake(store).receive(arrival_of(a_batch(entries)), NOW)


async def test_a_batch_is_stored_decoded_and_acknowledged() -> None:
    store = MemoryStore()
    receipt = await send(store, entries_of(3))
    assert receipt.watermark.through == 3
    assert (receipt.fresh, receipt.repeated, receipt.conflicting, receipt.flags) == (3, 0, 0, ())
    second = store.entries_of[KEY][2]
    assert second.received_ns == NOW.wall_ns
    assert second.decoded is not None
    assert (second.decoded.site, second.decoded.outcome) == ("site-1", "admit")
    assert second.decoded.person == (1 << 64) - 3


async def test_a_gap_is_acknowledged_only_up_to_it() -> None:
    store, entries = MemoryStore(), entries_of(9)
    assert (await send(store, entries[5:])).watermark.through == 0
    assert (await send(store, entries[:3])).watermark.through == 3
    assert (await send(store, entries[3:5])).watermark.through == 9
    assert await store.flags(KEY) == []


async def test_undecodable_bytes_are_kept_flagged_and_block_nobody() -> None:
    good = pack_passage(a_passage(1))
    store, entries = MemoryStore(), chain([good, b"\xc1 not msgpack", good + b"\x00", good])
    receipt = await send(store, entries)
    assert receipt.watermark.through == 4
    assert store.entries_of[KEY][2].packed == b"\xc1 not msgpack"
    assert store.entries_of[KEY][2].decoded is None
    flags = await store.flags(KEY)
    assert [(flag.sequence, flag.kind) for flag in flags] == [
        (2, FlagKind.UNDECODABLE),
        (3, FlagKind.UNDECODABLE),
    ]
    assert all(flag.detail for flag in flags)


@pytest.mark.parametrize(
    "change",
    [
        {"site": "a\x00b"},
        {"wall_ns": (1 << 63) + (1 << 21)},
        {"wall_ns": -(1 << 63)},
        {"person": -1},
    ],
)
async def test_values_that_no_column_holds_set_the_entry_aside(change: dict[str, Any]) -> None:
    packed = pack_passage(msgspec.structs.replace(a_passage(1), **change))
    store = MemoryStore()
    receipt = await send(store, chain([packed]))
    assert receipt.watermark.through == 1
    assert [flag.kind for flag in receipt.flags] == [FlagKind.UNDECODABLE]
    assert store.entries_of[KEY][1].decoded is None


async def test_other_bytes_are_kept_beside_and_flagged() -> None:
    store, entries = MemoryStore(), entries_of(3)
    await send(store, entries)
    forged = msgspec.structs.replace(entries[1], packed=pack_passage(a_passage(99)))
    receipt = await send(store, [forged])
    assert receipt.watermark.through == 3
    assert (receipt.conflicting, receipt.fresh) == (1, 0)
    assert store.entries_of[KEY][2].packed == entries[1].packed
    assert await store.flags(KEY) == [Flag(2, FlagKind.CONFLICT)]


async def test_a_conflict_says_nothing_about_the_entry_that_is_held() -> None:
    store, entries = MemoryStore(), entries_of(2)
    await send(store, entries)
    await send(store, [msgspec.structs.replace(entries[1], packed=b"\xc1")])
    assert await store.flags(KEY) == [Flag(2, FlagKind.CONFLICT)]


async def test_a_broken_link_is_stored_and_flagged_whoever_arrives_second() -> None:
    entries = entries_of(6)
    altered = msgspec.structs.replace(entries[3], chain_hash=b"\x00" * 32)
    broken = [*entries[:3], altered, *entries[4:]]
    for order in ((0, 3, 6), (3, 0, 6)):
        store = MemoryStore()
        parts = {0: broken[:3], 3: broken[3:], 6: broken[2:5]}
        for start in order:
            await send(store, parts[start])
        flags = await store.flags(KEY)
        assert [flag.sequence for flag in flags] == [4, 5]
        assert {flag.kind for flag in flags} == {FlagKind.CHAIN_BROKEN}


async def test_the_first_entry_hangs_on_its_own_journal() -> None:
    store = MemoryStore()
    await send(store, entries_of(2, journal=b"\x07" * 16))
    assert [flag.sequence for flag in await store.flags(KEY)] == [1]


Splitting = list[tuple[int, int]]


@st.composite
def journals(draw: st.DrawFn) -> list[Entry]:
    noise = st.binary(max_size=12)
    packed = [
        draw(noise) if draw(st.booleans()) else pack_passage(a_passage(number))
        for number in range(1, draw(st.integers(1, 14)) + 1)
    ]
    entries = chain(packed)
    spoilt = draw(st.sets(st.integers(0, len(entries) - 1), max_size=2))
    return [
        msgspec.structs.replace(entry, chain_hash=bytes(32)) if place in spoilt else entry
        for place, entry in enumerate(entries)
    ]


def upload(entries: list[Entry], splitting: Splitting) -> tuple[MemoryStore, list[int]]:
    async def run() -> tuple[MemoryStore, list[int]]:
        store, acknowledged = MemoryStore(), []
        for start, end in splitting:
            receipt = await send(store, entries[start:end])
            acknowledged.append(receipt.watermark.through)
        return store, acknowledged

    return asyncio.run(run())


@settings(max_examples=120, deadline=None)
@given(journals(), st.data())
def test_order_repetition_and_splitting_do_not_matter(entries: list[Entry], data: Any) -> None:
    size = len(entries)
    cut = st.tuples(st.integers(0, size - 1), st.integers(1, size)).filter(lambda c: c[0] < c[1])
    splitting = data.draw(st.lists(cut, max_size=8))
    covering = [(place, place + 1) for place in range(size)]
    random.Random(data.draw(st.integers(0, 99))).shuffle(covering)
    plain, _ = upload(entries, [(0, size)])
    store, acknowledged = upload(entries, splitting + covering)
    assert store.entries_of[KEY] == plain.entries_of[KEY]
    assert asyncio.run(store.flags(KEY)) == asyncio.run(plain.flags(KEY))
    assert not store.conflicting[KEY]
    assert acknowledged == sorted(acknowledged), "a watermark never goes back"
    assert acknowledged[-1] == size


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.binary(max_size=3)), min_size=1, max_size=12))
def test_nothing_that_was_ever_offered_is_lost(offers: list[tuple[int, bytes]]) -> None:
    entries = [Entry(sequence, bytes(32), packed) for sequence, packed in offers]

    async def run() -> MemoryStore:
        store = MemoryStore()
        for entry in entries:
            await send(store, [entry])
        return store

    store = asyncio.run(run())
    held = {(s, record.chain_hash, record.packed) for s, record in store.entries_of[KEY].items()}
    offered = {(entry.sequence, entry.chain_hash, entry.packed) for entry in entries}
    assert held | store.conflicting[KEY].keys() == offered
    assert len(held) + len(store.conflicting[KEY]) == len(offered)


async def test_the_last_sequence_that_a_column_holds_is_stored(tmp_path: Path) -> None:
    entry = Entry(MAX_INTEGER, bytes(32), entries_of(1)[0].packed)
    async with open_store(tmp_path / "hub.db") as store:
        receipt = await Intake(store).receive(arrival_of(a_batch([entry])), NOW)
        assert (receipt.fresh, receipt.watermark.through) == (1, 0)
