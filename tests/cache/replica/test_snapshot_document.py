"""`docs/replica-snapshots.md` is enough to read a snapshot and a recipe: this was made from it."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import msgpack
import numpy as np
import pytest
import zstandard

from cache.replica import snapshot_write
from cache.replica.coding_plan import CodingPlan
from cache.replica.layout import ALIASES_1, PERSONS_3
from cache.replica.recipe import Recipe, pack_recipe
from cache.replica.segment import Segment
from cache.replica.snapshot_write import write_snapshot
from tests.cache.replica.coded import FAR, TWINS, built, crowd

GROUP_BITS = (30, 21, 13, 8, 20, 20)


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        self.at += size
        assert self.at <= len(self.data)
        return self.data[self.at - size : self.at]

    def plane(self, size: int) -> bytes:
        if size == 0:
            return b""
        (length,) = struct.unpack("<I", self.take(4))
        plane = zstandard.ZstdDecompressor().decompress(self.take(length))
        assert len(plane) == size
        return plane

    def numbers(self, count: int, width: int) -> list[int]:
        planes = [self.plane(count) for _ in range(width)]
        return [sum(plane[i] << 8 * at for at, plane in enumerate(planes)) for i in range(count)]


def integers(data: bytes) -> list[int]:
    return [value for (value,) in struct.iter_unpack("<I", data)]


def rows_in(data: bytes) -> list[tuple[int, bytes]]:
    """Return key (as far as it is known) and record of each row."""
    reader = Reader(data)
    magic, version, layout, shift, zeros, rows, _, plan_bytes, order_bytes, _ = struct.unpack(
        "<8sHHB3sQIII8s", reader.take(44)
    )
    assert (magic, version, zeros) == (b"CHOTSNAP", 1, bytes(3))
    bucket_bits, hash_bits, _, tables = msgpack.unpackb(reader.plane(plan_bytes))
    numbers = iter(integers(reader.plane(order_bytes)))
    orders = [
        [table[next(numbers)] for _ in range(next(numbers))] for table in map(integers, tables)
    ]
    kept = min(64, bucket_bits + hash_bits)
    found: list[tuple[int, bytes]] = []
    last = 0
    while len(found) < rows:
        (m,) = struct.unpack("<I", reader.take(4))
        high, low = reader.plane(m), reader.numbers(m, -(-shift // 8))
        long = iter(reader.numbers(high.count(255), 8))
        keys = []
        for above, below in zip(high, low, strict=True):
            last += (next(long) if above == 255 else above) << shift | below
            keys.append(last << 64 - kept)
        if layout == 8:
            found += coded_rows(reader, keys, orders, 64 - kept)
        else:
            planes = [reader.plane(m) for _ in range(8)]
            found += zip(keys, map(bytes, zip(*planes, strict=True)), strict=True)
    assert reader.at == len(data)
    return found


def coded_rows(
    reader: Reader, keys: list[int], orders: list[list[int]], unkept: int
) -> list[tuple[int, bytes]]:
    flags, records, place = reader.plane(len(keys)), [0] * len(keys), 0
    for group, (order, bits) in enumerate(zip(orders, GROUP_BITS, strict=True)):
        for row, value in enumerate(
            values_of(reader, [f >> group & 1 for f in flags], order, bits)
        ):
            records[row] |= value << place
        place += bits
    named = [row for row, flag in enumerate(flags) if flag & 0x40]
    for row, identity in zip(named, reader.numbers(len(named), 2), strict=True):
        records[row] |= identity << 112
    wide = [row for row, flag in enumerate(flags) if flag & 0x80]
    for row, end in zip(wide, reader.numbers(len(wide), -(-unkept // 8)), strict=True):
        keys[row] |= end
    return [(k, r.to_bytes(16, "little")) for k, r in zip(keys, records, strict=True)]


def values_of(reader: Reader, unusual: list[int], order: list[int], bits: int) -> list[int]:
    symbols = reader.plane(sum(unusual))
    others = order[1:]
    bins = max(0, -(-(len(others) - 255) // 255))
    singles = 255 - bins
    places = iter(reader.plane(sum(singles <= x < 255 for x in symbols)))
    outside = iter(reader.numbers(symbols.count(255), -(-bits // 8)))
    said = []
    for x in symbols:
        if x == 255:
            said.append(next(outside))
        else:
            said.append(others[x if x < singles else singles + 256 * (x - singles) + next(places)])
    in_order = iter(said)
    return [next(in_order) if flag else order[0] for flag in unusual]


def test_a_reader_made_from_the_document_reads_coded_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_write, "BLOCK_ROWS", 1_700)
    rows = crowd(1, 4_000)
    rows |= {key: bytes([key >> 60 & 3] * 16) for key in FAR + TWINS}
    # One group has more values than bytes, and some of another are in no table.
    for n, key in enumerate(list(rows)[:2_000]):
        word = int.from_bytes(rows[key], "little") & ~(1023 << 30)
        rows[key] = (word | n % 700 << 30).to_bytes(16, "little")
    values = [sorted({0, 1, *crowd_values(rows, group)}) for group in range(6)]
    tables = tuple(np.array(v if g != 3 else v[::2], np.uint32) for g, v in enumerate(values))
    built(tmp_path / "base", PERSONS_3, rows, CodingPlan(6, 48, 8, tables))
    segment = Segment.open(tmp_path / "base")
    write_snapshot(segment, tmp_path / "snapshot")
    assert segment.header.wide_rows > 10
    assert max(segment.header.table_sizes) > 600
    read = rows_in((tmp_path / "snapshot").read_bytes())
    assert read == [segment.row(number) for number in range(len(rows))]


def crowd_values(rows: dict[int, bytes], group: int) -> set[int]:
    place, bits = sum(GROUP_BITS[:group]), GROUP_BITS[group]
    return {int.from_bytes(r, "little") >> place & (1 << bits) - 1 for r in rows.values()}


def test_it_reads_plain_rows(tmp_path: Path) -> None:
    rows = {key: key.to_bytes(8, "big") for key in FAR}
    built(tmp_path / "base", ALIASES_1, rows)
    segment = Segment.open(tmp_path / "base")
    write_snapshot(segment, tmp_path / "snapshot")
    read = rows_in((tmp_path / "snapshot").read_bytes())
    assert read == [segment.row(number) for number in range(len(rows))]
    assert all(before < after for before, after in pairwise(key for key, _ in read))


def test_it_reads_a_recipe() -> None:
    tables = tuple(np.array([number, 200], np.uint32) for number in range(6))
    recipe = Recipe(
        8,
        CodingPlan(19, 32, 7, tables),
        np.array([5, 6, 70_000], np.int64),
        np.array([1, 8_191, 300], np.uint64),
    )
    packed = msgpack.unpackb(zstandard.ZstdDecompressor().decompress(pack_recipe(recipe)))
    assert set(packed) == {"version", "layout", "plan", "ranks", "key_ends"}
    assert (packed["version"], packed["layout"]) == (1, 8)
    assert msgpack.unpackb(packed["plan"])[:3] == [19, 32, 7]
    assert [integers(table) for table in msgpack.unpackb(packed["plan"])[3]] == [
        [number, 200] for number in range(6)
    ]
    ranks, before = [], -1
    for gap in zip(*[packed["ranks"][3 * i : 3 * i + 3] for i in range(4)], strict=True):
        before += int.from_bytes(bytes(gap), "little") + 1
        ranks.append(before)
    assert ranks == [5, 6, 70_000]
    ends = zip(*[packed["key_ends"][3 * i : 3 * i + 3] for i in range(8)], strict=True)
    assert [int.from_bytes(bytes(end), "little") for end in ends] == [1, 8_191, 300]
