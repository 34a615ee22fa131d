"""Choosing how a segment is coded, so that its file becomes as small as can be.

The publisher's half; needs numpy. Integer arithmetic only: the same rows give the same plan on
every machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cache.errors import BuildError
from cache.replica.alias import SPARE_BITS
from cache.replica.coding_plan import CodingPlan
from cache.replica.column_types import Keys, Values, Words
from cache.replica.geometry import (
    CODE_BYTES,
    MAX_BUCKET_BITS,
    MAX_TABLE_ENTRIES,
    WIDE_BYTES,
    bucket_bits_for,
    coded_hash_bits_for,
)
from cache.replica.layout import Group, Layout

Counts = NDArray[np.int64]

CHUNK_ROWS = 1 << 18
"""Rows worked on at once: memory stays bounded, and a chunk's rows are whole pages."""
_SMALLEST_PLAIN_HASH_BITS = 40
_COUNTED_BITS = 22
"""Groups this narrow are counted in an array of all their values, if there are many rows."""
_WIDE_PRICE_BYTES = 40
"""What a wide row is counted as, though it takes 24: its person is read from a second page, which
is the dearest part of a look-up from the medium, and costs a snapshot a whole key."""


def plan(
    layout: Layout[Any], keys: Keys, records: NDArray[Any], *, matched_bits: int = 64
) -> CodingPlan:
    """Return the plan that makes the smallest file of these rows, wide ones counted dearer.

    :param keys: ascending.
    :param records: of a coded layout: n × 2 words of 64 bits.
    :param matched_bits: of each key, from its highest, that the writer knows: rows will be found
        by no more.
    :raises BuildError: if the keys do not ascend, or so many bits do not tell their rows apart.
    """
    bucket_bits = bucket_bits_for(len(keys))
    if not layout.coded:
        return _plain_plan(keys, bucket_bits, matched_bits)
    bucket_bits = _coded_bucket_bits(bucket_bits, matched_bits)
    hash_bits = coded_hash_bits_for(bucket_bits)
    twins = sum(int(t.sum()) for _, _, t in twin_chunks(keys, bucket_bits + hash_bits))
    counted = [count_values(group, records) for group in layout.groups[:-1]]
    best: tuple[int, CodingPlan] | None = None
    for code_bytes, cut, wide in _cuts([counts for _, counts in counted], twins, len(keys)):
        tables = tuple(
            np.sort(values[np.argsort(counts, kind="stable")[less:]])
            for (values, counts), less in zip(counted, cut, strict=True)
        )
        candidate = CodingPlan(bucket_bits, hash_bits, code_bytes, tables)
        size = candidate.header(layout, len(keys), wide).size
        price = size + (_WIDE_PRICE_BYTES - WIDE_BYTES) * wide
        # From the widest code down: of equal prices the narrower code is taken.
        if best is None or price <= best[0]:
            best = price, candidate
    if best is None:
        raise BuildError("no width of code takes these rows")
    return best[1]


def _cuts(counts: Sequence[Counts], twins: int, rows: int) -> Iterator[tuple[int, list[int], int]]:
    """Yield for each width of code, from the widest: its bytes, cut values per group, wide rows.

    The rarest values of each group are cut first, of equally rare ones the lowest. Which group is
    next: the one where a cut costs the fewest people for the factor by which it lowers the number
    of codes; for the rarest of m values that is its people times m. The wide rows are at most as
    many as said: a person with two cut values is counted twice.
    """
    rarest = [np.sort(group) for group in counts]
    cut = _over_the_limit(rarest)
    heads = [group.tolist() for group in rarest]
    sizes = [len(h) - less for h, less in zip(heads, cut, strict=True)]
    wide = twins + sum(sum(h[:less]) for h, less in zip(heads, cut, strict=True))
    codes = math.prod(sizes)
    for code_bytes in reversed(CODE_BYTES):
        while codes + min(wide, rows) > 256**code_bytes:
            prices = [
                (head[less] * size, number)
                for number, (head, less, size) in enumerate(zip(heads, cut, sizes, strict=True))
                if size > 1
            ]
            if not prices:
                return
            number = min(prices)[1]
            wide += heads[number][cut[number]]
            codes = codes // sizes[number] * (sizes[number] - 1)
            cut[number] += 1
            sizes[number] -= 1
        yield code_bytes, list(cut), min(wide, rows)


def _over_the_limit(rarest: Sequence[Counts]) -> list[int]:
    """Return how many of each group's rarest values to cut so that the tables stay resident."""
    # The most frequent value of each group stays, so that no table is empty.
    lengths = [max(0, len(group) - 1) for group in rarest]
    over = sum(len(group) for group in rarest) - MAX_TABLE_ENTRIES
    if over <= 0:
        return [0] * len(rarest)
    groups = np.repeat(np.arange(len(rarest)), lengths)
    cuttable = np.concatenate([group[:-1] for group in rarest])
    first = np.argsort(cuttable, kind="stable")[:over]
    return [int(cut) for cut in np.bincount(groups[first], minlength=len(rarest))]


def count_values(group: Group, words: Words) -> tuple[Values, Counts]:
    """Return the distinct values that a group has in these records, ascending, and their counts."""
    if group.bits <= _COUNTED_BITS and len(words) > CHUNK_ROWS:
        counts = np.zeros(1 << group.bits, np.int64)
        for some in _value_chunks(group, words):
            counts += np.bincount(some, minlength=len(counts))
        present = np.flatnonzero(counts)
        return present.astype(np.uint32), counts[present]
    parts = [np.unique(some, return_counts=True) for some in _value_chunks(group, words)]
    if not parts:
        return np.zeros(0, np.uint32), np.zeros(0, np.int64)
    values = np.concatenate([v for v, _ in parts])
    counts = np.concatenate([c.astype(np.int64) for _, c in parts])
    order = np.argsort(values, kind="stable")
    values, counts = values[order], counts[order]
    firsts = np.flatnonzero(np.append([True], values[1:] != values[:-1]))
    sums: Counts = np.add.reduceat(counts, firsts)
    return values[firsts], sums


def values_of(group: Group, words: Words) -> Values:
    """Return a group's value in each record."""
    shifted = words[:, group.word] >> np.uint64(group.shift)
    return (shifted & np.uint64((1 << group.bits) - 1)).astype(np.uint32)


def _value_chunks(group: Group, words: Words) -> Iterator[Values]:
    for start in range(0, len(words), CHUNK_ROWS):
        yield values_of(group, words[start : start + CHUNK_ROWS])


def twin_chunks(keys: Keys, matched_bits: int) -> Iterator[tuple[int, int, NDArray[np.bool_]]]:
    """Yield for each chunk of ascending keys: its start, its end, who has a twin.

    A twin agrees in the bits that are matched.

    :raises BuildError: if the keys do not ascend in the bits that tell people apart.
    """
    for start in range(0, len(keys), CHUNK_ROWS):
        end = min(start + CHUNK_ROWS, len(keys))
        some = keys[max(0, start - 1) : end + 1]
        people = some >> np.uint64(SPARE_BITS)
        if np.any(people[1:] <= people[:-1]):
            at = int(np.flatnonzero(people[1:] <= people[:-1])[0])
            msg = f"{int(some[at]):016x} and {int(some[at + 1]):016x} do not tell two people apart"
            raise BuildError(
                msg,
                hint="sort the rows by key; if these are two people, publish under a new hash key",
            )
        same = (some[1:] ^ some[:-1]) >> np.uint64(64 - matched_bits) == 0
        twin = np.zeros(len(some), bool)
        twin[1:] |= same
        twin[:-1] |= same
        yield start, end, twin[start - max(0, start - 1) :][: end - start]


def _coded_bucket_bits(wanted: int, matched_bits: int) -> int:
    """Return the bucket bits next to those wanted with which no unknown bit is matched."""
    nearest: list[int] = [wanted, min(wanted + 1, MAX_BUCKET_BITS), *range(wanted)[::-1]]
    for bucket_bits in nearest:
        if bucket_bits + coded_hash_bits_for(bucket_bits) <= matched_bits:
            return bucket_bits
    msg = f"{matched_bits} bits of a key are too few for coded rows"
    raise BuildError(msg)


def _plain_plan(keys: Keys, bucket_bits: int, matched_bits: int) -> CodingPlan:
    """Return the plan with the fewest stored bits that tell these keys apart.

    A stranger matches with a probability of about 32 / 2^hash_bits. Keys that agree in all matched
    bits would answer for each other, so the stored bits grow until none do.
    """
    closest = (1 << 64) - 1
    for start in range(0, len(keys), CHUNK_ROWS):
        some = keys[start : start + CHUNK_ROWS + 1]
        if np.any(some[1:] <= some[:-1]):
            raise BuildError("the rows do not ascend, or two have the same key")
        if len(some) > 1:
            closest = min(closest, int((some[1:] ^ some[:-1]).min()))
    for hash_bits in range(_SMALLEST_PLAIN_HASH_BITS, 65, 8):
        # Stored bits beyond the key's end are zeros, and known.
        fewer = bucket_bits if matched_bits >= 64 else min(bucket_bits, matched_bits - hash_bits)
        if fewer >= 0 and closest >> max(0, 64 - fewer - hash_bits):
            return CodingPlan(fewer, hash_bits, 0, ())
    raise BuildError("the bits that are known of the keys do not tell the rows apart")
