"""Tables of small bases for the tests of deltas, and records that differ in known groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from cache.replica.changes import Changes
from cache.replica.delta import Delta, read_delta
from cache.replica.delta_write import encode_delta
from cache.replica.groups import record_bits
from cache.replica.layout import Layout
from cache.replica.segment import Segment
from cache.replica.table import Table
from tests.cache.replica.releases import write

BASE = bytes(range(32))
"""Stands for a segment's root: deltas name it, and nothing here computes it."""


def records_of(layout: Layout[Any]) -> st.SearchStrategy[bytes]:
    """Return records of few values in many groups, and any."""
    bits, width = record_bits(layout), layout.record_bytes
    few = st.lists(st.sampled_from(range(0, bits, 5)), max_size=3).map(
        lambda ones: sum(1 << bit for bit in set(ones))
    )
    return st.one_of(few, st.integers(0, (1 << bits) - 1)).map(
        lambda n: n.to_bytes(width, "little")
    )


def segment_of(folder: Path, rows: Mapping[int, bytes], layout: Layout[Any]) -> Segment:
    path = folder / "base"
    write(path, rows, layout)
    return Segment.open(path)


def delta_file(
    before: Table, after: Changes, through: int, base_keys: Sequence[int] | None = None
) -> bytes:
    return encode_delta(before, after, base=BASE, through=through, base_keys=base_keys)


def read(data: bytes, before: Table, through: int) -> Delta:
    return read_delta(
        data,
        base=BASE,
        layout=before.layout,
        rows=before.header.rows,
        after=before.after,
        through=through,
    )


def listed(table: Table, rows_at_once: int = 7) -> dict[int, bytes]:
    """Return what `items` yields; it ascends."""
    rows: list[tuple[int, bytes]] = []
    for keys, records in table.items(rows_at_once):
        assert 0 < len(keys) == len(records) <= rows_at_once
        rows += zip(keys.tolist(), map(bytes, records), strict=True)
    assert [key for key, _ in rows] == sorted(key for key, _ in rows)
    return dict(rows)
