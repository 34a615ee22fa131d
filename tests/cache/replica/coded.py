"""Coded rows for the tests of merges and snapshots: keys, records, plans, and segments of them."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from cache.replica.build import Built, write_rows
from cache.replica.coding_plan import CodingPlan
from cache.replica.layout import PERSONS_3, Layout
from tests.cache.replica.releases import HASH_KEY_ID

FAR = [n * 0x9E37_79B9_7F4A_7C15 % 2**64 & ~3 for n in range(1, 24)] + [0, 2**64 - 4]
TWINS = [key ^ 1 << 10 for key in FAR[:6]] + [key ^ 1 << 3 for key in FAR[:3]]
"""Keys that share all bits which rows of a small base keep with some of `FAR`."""

Rows = Mapping[int, bytes]


def built(path: Path, layout: Layout[Any], rows: Rows, plan: CodingPlan | None = None) -> Built:
    keys = np.array(sorted(rows), np.uint64)
    records = np.frombuffer(b"".join(rows[int(k)] for k in keys), np.uint8)
    records = records.reshape(len(keys), layout.record_bytes)
    return write_rows(path, layout, keys, records, HASH_KEY_ID, plan=plan)


BASE_SHAPES, NEXT_SHAPES = [(0, 48), (8, 40), (8, 48)], [(0, 48), (8, 40), (1, 48)]
"""Bucket bits and stored bits."""


@st.composite
def plans(
    draw: st.DrawFn, records: Collection[bytes], shapes: Sequence[tuple[int, int]]
) -> CodingPlan:
    """Plans whose tables have some of the values of these records, and at least one."""
    tables = []
    for group in PERSONS_3.groups[:-1]:
        at = 64 * group.word + group.shift
        numbers = [int.from_bytes(record, "little") for record in records]
        values = sorted({number >> at & (1 << group.bits) - 1 for number in numbers} | {7})
        some = draw(st.sets(st.sampled_from(values), min_size=1))
        tables.append(np.array(sorted(some), np.uint32))
    return CodingPlan(*draw(st.sampled_from(shapes)), draw(st.integers(6, 8)), tuple(tables))


def crowd(seed: int, people: int) -> dict[int, bytes]:
    """People of whom most share the values of their groups, and some have rare ones."""
    rng = random.Random(seed)
    common = [[rng.getrandbits(bits) for _ in range(9)] for bits in (30, 21, 13, 8, 20, 20)]
    rows = {}
    for _ in range(people):
        at, record = 0, 0
        for bits, values in zip((30, 21, 13, 8, 20, 20), common, strict=True):
            rare = rng.random() < 0.01
            record |= (rng.getrandbits(bits) if rare else rng.choice(values)) << at
            at += bits
        record |= rng.getrandbits(16) << at
        rows[rng.getrandbits(64) & ~3] = record.to_bytes(16, "little")
    return rows
