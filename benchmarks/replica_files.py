"""The files of the replica that a run measures: made as a publisher makes them, sizes and times."""

from __future__ import annotations

import os
import time
from functools import partial
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.churn import CHANGES_FOR_ONE, Churn, a_day
from benchmarks.population import Keys, Words
from benchmarks.replica_alone import DeltaPlace, open_table
from benchmarks.replica_stage import KEY_ID, Stage
from benchmarks.timing import Took, timed
from cache.replica.build import Built, write_rows
from cache.replica.changes import Changes
from cache.replica.delta import MAX_DELTA_ROWS
from cache.replica.delta_write import encode_delta
from cache.replica.layout import ALIASES_1, PERSONS_3
from cache.replica.table import Table

OVERLAY_CHANGES = 100_000
_OVERLAY_SHARE = 10
"""Of few people, every tenth changes."""
_ALIASES = 1_000_000
_WRITE_BYTES = 16 << 20


class Base(msgspec.Struct, frozen=True):
    """A built base."""

    path: Path
    built: Built
    took: Took


class Day(msgspec.Struct, frozen=True):
    """Changes of a base, and the deltas that carry them."""

    churn: Churn
    places: tuple[DeltaPlace, ...]
    size: int
    took: Took


def build_base(stage: Stage) -> Base:
    """Write everybody as a segment."""
    path = stage.folder / "base.segment"
    built, took = timed(lambda: write_rows(path, PERSONS_3, stage.keys, stage.words, KEY_ID))
    return Base(path, built, took)


def a_days_delta(stage: Stage, base: Base) -> Day:
    """Write the delta of a day: 3 % of the people change, some are new, some are removed."""
    return _deltas(stage, base, a_day(stage.keys, stage.words), "day")


def overlay_delta(stage: Stage, base: Base) -> Day:
    """Write a delta of a hundred thousand changes: what lies over the base while it is asked."""
    changes = min(OVERLAY_CHANGES, stage.people // _OVERLAY_SHARE)
    changed = round(changes / CHANGES_FOR_ONE)
    return _deltas(stage, base, a_day(stage.keys, stage.words, changed=changed), "overlay")


def _deltas(stage: Stage, base: Base, churn: Churn, name: str) -> Day:
    """Write the changes as one delta or, where a file may not hold them all, as several.

    Each of several is of people from everywhere, as hours of the day would be.
    """
    after: dict[int, bytes | None] = dict.fromkeys(stage.keys[churn.removed].tolist())
    after.update(zip(stage.keys[churn.ranks].tolist(), _records(churn.words), strict=True))
    after.update(zip(churn.added_keys.tolist(), _records(churn.added_words), strict=True))
    parts = -(-len(after) // MAX_DELTA_ROWS) or 1
    places: list[DeltaPlace] = []
    spent: list[Took] = []
    for number in range(parts):
        before = open_table(base.path, places)
        some = dict(islice(after.items(), number, None, parts))
        data, took = timed(partial(_encoded, before, some, base.built.root, stage.keys))
        places.append(
            DeltaPlace(stage.folder / f"{name}-{number}", base.built.root, number, number + 1)
        )
        places[-1].path.write_bytes(data)
        spent.append(took)
    size = sum(place.path.stat().st_size for place in places)
    return Day(churn, tuple(places), size, Took.together(spent))


def _encoded(before: Table, after: Changes, base: bytes, keys: Keys) -> bytes:
    return encode_delta(before, after, base=base, through=before.after + 1, base_keys=keys)


def _records(words: Words) -> list[bytes]:
    data = np.ascontiguousarray(words, "<u8").tobytes()
    return [data[at : at + 16] for at in range(0, len(data), 16)]


def alias_bytes(stage: Stage) -> float:
    """Return the bytes at rest of one further identifier: of a dataset of a million at most."""
    count = min(stage.people, _ALIASES)
    rng = np.random.default_rng(3)
    keys = np.unique(rng.integers(0, 1 << 64, count, np.uint64))
    packed = rng.choice(stage.keys[:count], len(keys)) >> np.uint64(2) << np.uint64(2)
    records = packed.astype("<u8").view(np.uint8).reshape(-1, ALIASES_1.record_bytes)
    path = stage.folder / "aliases.segment"
    built = write_rows(path, ALIASES_1, keys, records, KEY_ID)
    path.unlink()
    return built.size / built.rows


def sequential_write_s(folder: Path, size: int) -> float:
    """Return how long the medium takes for so many bytes, one after the other."""
    path, block = folder / "written", os.urandom(_WRITE_BYTES)
    begun = time.perf_counter()
    with path.open("wb", buffering=0) as file:
        for at in range(0, size, len(block)):
            file.write(block[: size - at])
        os.fsync(file.fileno())
    took = time.perf_counter() - begun
    path.unlink()
    return took
