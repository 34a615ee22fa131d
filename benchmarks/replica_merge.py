"""A base from a snapshot, and the next base from this one and its day: what a gate makes itself."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from benchmarks.child import anonymous_bytes, in_child
from benchmarks.errors import BenchmarkError
from benchmarks.replica_alone import DeltaPlace, open_table
from benchmarks.replica_files import Base, Day, sequential_write_s, timed
from benchmarks.replica_stage import KEY_ID, Progress, Stage
from cache.replica.merge import merge
from cache.replica.recipe import pack_recipe, unpack_recipe
from cache.replica.recipe_write import make_recipe
from cache.replica.segment import Segment
from cache.replica.snapshot import read_snapshot
from cache.replica.snapshot_write import write_snapshot


class Making(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds."""

    snapshot_bytes: int
    snapshot_s: float
    rebuild_s: float
    recipe_s: float
    merge_s: float
    merge_peak: int
    """Anonymous memory that the merge took at most, beside what the open table has."""
    sequential_write_s: float


def make(stage: Stage, base: Base, day: Day, progress: Progress) -> Making:
    """Write a snapshot, build the base from it, and merge the day into the next base.

    :raises BenchmarkError: if what comes out is not what went in.
    """
    folder = stage.folder
    progress("writing a snapshot")
    snapshot, rebuilt = folder / "base.snapshot", folder / "rebuilt"
    blob, snapshot_s = timed(lambda: write_snapshot(Segment.open(base.path), snapshot))
    progress("building the base from it")
    again, rebuild_s = timed(
        lambda: read_snapshot(snapshot, rebuilt, size=base.built.size, stop=lambda: False)
    )
    rebuilt.unlink()
    snapshot.unlink()
    progress("planning the next base")
    recipe, following = folder / "recipe", folder / "following"
    table = open_table(base.path, day.place)
    packed, recipe_s = timed(lambda: pack_recipe(make_recipe(table, stage.keys)))
    recipe.write_bytes(packed)
    progress("merging")
    merged, peak = in_child(_merge, base.path, day.place, recipe, following)
    size = following.stat().st_size
    following.unlink()
    if again.root != base.built.root or merged.rows != stage.people + day.churn.growth:
        raise BenchmarkError("what was built again is not what it was made of")
    return Making(
        blob.size,
        snapshot_s,
        rebuild_s,
        recipe_s,
        merged.seconds,
        max(0, peak - merged.before),
        sequential_write_s(folder, size),
    )


class _Merged(msgspec.Struct, frozen=True):
    seconds: float
    rows: int
    before: int
    """The process's anonymous memory when it began, in bytes."""


def _merge(segment: Path, place: DeltaPlace, recipe: Path, result: Path) -> _Merged:
    """Merge a delta into its base, to the medium, as a gate does."""
    table = open_table(segment, place)
    judged = unpack_recipe(recipe.read_bytes())
    before = anonymous_bytes()
    begun = time.perf_counter()
    built = merge(table, judged, result, KEY_ID, stop=lambda: False)
    with result.open("rb") as file:
        os.fsync(file.fileno())
    return _Merged(time.perf_counter() - begun, built.rows, before)
