"""A base from a snapshot, and the next base from this one and its day: what a gate makes itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.child import anonymous_bytes, in_child
from benchmarks.errors import BenchmarkError
from benchmarks.progress import Progress
from benchmarks.replica_alone import DeltaPlace, open_table
from benchmarks.replica_files import Base, Day, sequential_write_s
from benchmarks.replica_stage import KEY_ID, Stage
from benchmarks.timing import Took, timed
from cache.replica.build import Built
from cache.replica.merge import merge
from cache.replica.recipe import pack_recipe, unpack_recipe
from cache.replica.recipe_write import make_recipe
from cache.replica.segment import Segment
from cache.replica.snapshot import read_snapshot
from cache.replica.snapshot_write import write_snapshot

_TIMES = 3
"""Merges, each from the start."""


class Making(msgspec.Struct, frozen=True):
    """What was made, what it took, and bytes."""

    snapshot_bytes: int
    snapshot: Took
    rebuild: Took
    recipe: Took
    merge: Took
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
    blob, snapshot_took = timed(lambda: write_snapshot(Segment.open(base.path), snapshot))
    progress("building the base from it")
    again, rebuild_took = timed(
        lambda: read_snapshot(snapshot, rebuilt, size=base.built.size, stop=lambda: False)
    )
    rebuilt.unlink()
    snapshot.unlink()
    progress("planning the next base")
    recipe, following = folder / "recipe", folder / "following"
    table = open_table(base.path, day.places)
    packed, recipe_took = timed(lambda: pack_recipe(make_recipe(table, stage.keys)))
    recipe.write_bytes(packed)
    progress("merging")
    merges = [_merged(base, day, recipe, following) for _ in range(_TIMES)]
    size = following.stat().st_size
    following.unlink()
    rows = {merged.rows for merged, _ in merges}
    if again.root != base.built.root or rows != {stage.people + day.churn.growth}:
        raise BenchmarkError("what was built again is not what it was made of")
    return Making(
        blob.size,
        snapshot_took,
        rebuild_took,
        recipe_took,
        Took.typical([merged.took for merged, _ in merges]),
        max(peak - merged.before for merged, peak in merges),
        sequential_write_s(folder, size),
    )


def _merged(base: Base, day: Day, recipe: Path, result: Path) -> tuple[_Merged, int]:
    """Return what a merge in a process of its own did, and its most memory."""
    result.unlink(missing_ok=True)
    return in_child(_merge, base.path, day.places, recipe, result)


class _Merged(msgspec.Struct, frozen=True):
    took: Took
    rows: int
    before: int
    """The process's anonymous memory when it began, in bytes."""


def _merge(segment: Path, places: Sequence[DeltaPlace], recipe: Path, result: Path) -> _Merged:
    """Merge deltas into their base, to the medium, as a gate does."""
    table = open_table(segment, places)
    judged = unpack_recipe(recipe.read_bytes())
    before = anonymous_bytes()

    def work() -> Built:
        built = merge(table, judged, result, KEY_ID, stop=lambda: False)
        with result.open("rb") as file:
            os.fsync(file.fileno())
        return built

    built, took = timed(work)
    return _Merged(took, built.rows, before)
