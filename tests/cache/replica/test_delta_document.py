"""Protects docs/replica-deltas.md: it suffices to write a reader that shares no code with ours."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgpack
import zstandard

from cache.replica.delta_write import write_delta
from cache.replica.layout import CREDENTIALS_1, PERSONS_3
from cache.replica.table import Table
from tests.cache.replica.tables import BASE, delta_file, read, segment_of

GROUPS = [(0, 30), (30, 21), (51, 13), (64, 8), (72, 20), (92, 20), (112, 16)]
NOBODY = None


def unplane(data: bytes, width: int) -> list[int]:
    count = len(data) // width if width else 0
    assert len(data) == count * width
    return [sum(data[p * count + i] << 8 * p for p in range(width)) for i in range(count)]


def ranks(short: bytes, long: bytes) -> list[int]:
    large, rank, found = iter(unplane(long, 4)), -1, []
    for gap in short:
        rank += 1 + (next(large) if gap == 255 else gap)
        found.append(rank)
    return found


def keys(data: bytes) -> list[int]:
    count, key, found = len(data) // 8, 0, []
    for i in range(count):
        key += int.from_bytes(data[i::count], "big")
        found.append(key)
    return found


def column(table: bytes, planes: bytes, bits: int) -> list[int]:
    if not table:
        return unplane(planes, -(-bits // 8))
    values = [int.from_bytes(table[at : at + 4], "little") for at in range(0, len(table), 4)]
    return [values[place] for place in unplane(planes, 1 if len(values) <= 256 else 2)]


class Reader:
    """What deltas say, by rank and by key; and what a base (a list of records) says with them."""

    def __init__(self, layout: int, record_bytes: int) -> None:
        self.layout, self.record_bytes = layout, record_bytes
        self.groups = GROUPS if layout == 8 else [(0, 8 * record_bytes)]
        self.by_rank: dict[int, dict[int, int] | None] = {}
        self.by_key: dict[int, int] = {}
        self.shared: set[int] = set()

    def take(self, file: bytes, after: int, through: int) -> None:
        body: dict[str, Any] = msgpack.unpackb(zstandard.ZstdDecompressor().decompress(file))
        assert (body["version"], body["layout"], body["base"]) == (1, self.layout, BASE)
        assert (body["after"], body["through"]) == (after, through)
        for mask, where, columns in body["changed"]:
            some = [g for g in range(len(self.groups)) if mask >> g & 1]
            values = [column(*c, self.groups[g][1]) for g, c in zip(some, columns, strict=True)]
            for rank, *new in zip(ranks(*where), *values, strict=True):
                said = self.by_rank.get(rank) or {}
                self.by_rank[rank] = said | dict(zip(some, new, strict=True))
        self.by_rank |= dict.fromkeys(ranks(*body["removed"]))
        self.shared |= set(ranks(*body["shared"]))
        for key in keys(body["dropped"]):
            self.by_key.pop(self.matched(key), None)
        values = [column(*c, g[1]) for g, c in zip(self.groups, body["records"], strict=True)]
        for key, *new in zip(keys(body["added"]), *values, strict=True):
            record = sum(value << at for value, (at, _) in zip(new, self.groups, strict=True))
            self.by_key[self.matched(key)] = record

    def matched(self, key: int) -> int:
        return key >> 2 if self.layout == 8 else key

    def look_up(self, key: int, rank: int | None, base: int) -> int | None:
        added = self.by_key.get(self.matched(key))
        if rank is None:
            return added
        said = self.by_rank.get(rank, {})
        if (said is None or rank in self.shared) and added is not None:
            return added
        if said is None:
            return NOBODY
        for group, value in said.items():
            at, bits = self.groups[group]
            base = base & ~(((1 << bits) - 1) << at) | value << at
        return base


def record(seed: int, width: int = 16) -> bytes:
    return hashlib.sha256(seed.to_bytes(4, "little")).digest()[:width]


def test_a_reader_made_from_the_document_reads_a_chain_of_deltas(tmp_path: Path) -> None:
    rows = {n << 36: record(n) for n in range(1, 900)}
    segment = segment_of(tmp_path, rows, PERSONS_3)
    base_keys = sorted(rows)
    twin = (5 << 36) + 64

    def altered(n: int, byte: int) -> bytes:
        return rows[n << 36][:byte] + b"\x2a" + rows[n << 36][byte + 1 :]

    days: list[dict[int, bytes | None]] = [
        {n << 36: altered(n, 13) for n in range(3, 600, 2)} | {700 << 36: record(1), 7 << 36: None},
        {n << 36: altered(n, 9) for n in range(1, 40)} | {twin: record(9), 800 << 40: record(8)},
        {
            7 << 36: record(2),
            twin: record(3),
            800 << 40: None,
            899 << 36: None,
            900 << 41: b"a" * 16,
        },
    ]
    table, reader = Table(segment), Reader(8, 16)
    for number, changes in enumerate(days, start=1):
        file = delta_file(table, changes, number, base_keys)
        reader.take(file, number - 1, number)
        table = table.with_deltas([read(file, table, number)], {})
    for key in [*rows, *(key for day in days for key in day), 12345 << 30]:
        rank = segment.locate(key)
        base = int.from_bytes(segment.record(rank), "little") if rank is not None else 0
        says = reader.look_up(key, rank, base)
        found = table.find(key)
        assert says == (int.from_bytes(found, "little") if found is not None else NOBODY)


def test_it_reads_a_delta_of_a_layout_of_one_group(tmp_path: Path) -> None:
    rows = {n << 40: bytes([n, 0, 0]) for n in range(9)}
    table, reader = Table(segment_of(tmp_path, rows, CREDENTIALS_1)), Reader(3, 3)
    reader.take(
        delta_file(table, {3 << 40: b"\1\2\3", 4 << 40: None, 77 << 40: b"\4\5\6"}, 7), 0, 7
    )
    assert reader.look_up(3 << 40, 3, 3) == 0x030201
    assert reader.look_up(4 << 40, 4, 4) is NOBODY
    assert reader.look_up(77 << 40, None, 0) == 0x060504
    assert reader.look_up(6 << 40, 6, 6) == 6


def test_the_delta_format_has_not_moved(tmp_path: Path) -> None:
    # A changed byte of the map is a new version: gates in the field read this one.
    rows = {n << 36: record(n) for n in range(1, 900)}
    table = Table(segment_of(tmp_path, rows, PERSONS_3))
    changes: dict[int, bytes | None] = {n << 36: record(n + 1) for n in range(1, 900, 3)}
    changes |= {8 << 36: None, 3 << 50: record(5)}
    file = delta_file(table, changes, 4)
    body = zstandard.ZstdDecompressor().decompress(file)
    assert (
        hashlib.sha256(body).hexdigest()
        == "8416d202f471882eb07188db2b2fafc66311fdd738bd0cf88bbc7779c9175a10"
    )
    # And the same changes give the same file, in whatever order they came.
    assert delta_file(table, dict(reversed(changes.items())), 4) == file
    assert write_delta(read(file, table, 4), BASE) == file
