"""Rows of the coded layout for tests: what is frequent, what is rare, and twins."""

from __future__ import annotations

import random

import numpy as np

from cache.replica.coding_plan import CodingPlan
from cache.replica.column_types import Keys, Values, Words
from cache.replica.geometry import bucket_bits_for, coded_hash_bits_for
from cache.replica.layout import PERSONS_3

GROUPS = PERSONS_3.groups
_PLACES = ((16, 14), (8, 13), (0, 13), (0, 8), (0, 18), (0, 18))
"""Of each group but the last a field that takes any number: its lowest bit and its width."""
FREQUENT = tuple(
    tuple(number << place for number in range(3, 3 + size))
    for size, (place, _) in zip((40, 30, 9, 20, 25, 12), _PLACES, strict=True)
)
"""For each group but the last the values that people usually have."""


def record_of(values: tuple[int, ...]) -> bytes:
    """Return the record with these values of the seven groups."""
    bits = 0
    for group, value in zip(GROUPS, values, strict=True):
        assert value < 1 << group.bits
        bits |= value << 64 * group.word + group.shift
    return bits.to_bytes(16, "little")


def rows_of(number: int, *, rare: int = 0, twins: int = 0, seed: int = 1) -> dict[int, bytes]:
    """Return records by key, ascending.

    :param number: people with frequent values.
    :param rare: people with one value that nobody else has.
    :param twins: pairs of people whose keys agree in their first 60 bits.
    """
    chance = random.Random(seed)

    def usual() -> list[int]:
        return [*(chance.choice(pool) for pool in FREQUENT), chance.randrange(1 << 16)]

    rows = {chance.randrange(1 << 64): record_of(tuple(usual())) for _ in range(number)}
    for count in range(rare):
        values = usual()
        group = count % len(FREQUENT)
        place, bits = _PLACES[group]
        values[group] = (1 << bits) - 1 - count // len(FREQUENT) << place
        rows[chance.randrange(1 << 64)] = record_of(tuple(values))
    for _ in range(twins):
        key = chance.randrange(1 << 64) >> 4 << 4
        rows[key] = record_of(tuple(usual()))
        rows[key + 12] = record_of(tuple(usual()))
    return dict(sorted(rows.items()))


def columns_of(rows: dict[int, bytes]) -> tuple[Keys, Words]:
    """Return the keys and records as arrays."""
    words = np.frombuffer(b"".join(rows.values()), "<u8").reshape(-1, 2).astype(np.uint64)
    return np.array(list(rows), np.uint64), words


def plan_of(rows: int, pools: tuple[tuple[int, ...], ...] = FREQUENT) -> CodingPlan:
    """Return a plan for so many rows whose tables have no rare value."""
    bucket_bits = bucket_bits_for(rows)
    return CodingPlan(bucket_bits, coded_hash_bits_for(bucket_bits), 6, tables_of(pools))


def tables_of(pools: tuple[tuple[int, ...], ...] = FREQUENT) -> tuple[Values, ...]:
    """Return tables of these values."""
    return tuple(np.array(sorted(pool), np.uint32) for pool in pools)
