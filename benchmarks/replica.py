"""The replica at its size: what a look-up, a person, a change, a start and a merge cost.

Beside each figure stands what bounds it in the same run: other stores that hold the same people and
are asked for the same ones in turn, the entropy of the people and of their day, the hash of one
number, one sequential write of the next base.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.child import in_child
from benchmarks.entropy import churn_floor_bytes, entropy_of
from benchmarks.machine import available_bytes, this_machine
from benchmarks.progress import Progress
from benchmarks.replica_alone import (
    Store,
    cold_bytes,
    live,
    memory_bytes,
    open_table,
)
from benchmarks.replica_figures import ReplicaFigures
from benchmarks.replica_files import (
    Base,
    a_days_delta,
    alias_bytes,
    build_base,
    overlay_delta,
)
from benchmarks.replica_lookups import Peers, look_up
from benchmarks.replica_merge import make
from benchmarks.replica_peers import build_lmdb, build_sqlite
from benchmarks.replica_stage import Stage, set_stage
from benchmarks.timing import Took, timed
from cache.replica.geometry import PAGE_BYTES
from cache.replica.segment import Segment

DICT_MOST = 20_000_000
"""People whom a dict is built of, if there is the memory: more take minutes."""
_DICT_BYTES = 200
"""Of memory, a person, with room to grow."""
_COLD = 1_000
_TIMES = 7
_MIB = 1 << 20


def measure(folder: Path, *, people: int, peers: bool, progress: Progress) -> ReplicaFigures:
    """Return the figures of this machine. Up to 160 bytes a person are written.

    :param folder: where everything is written; the medium to be measured. The caller removes it.
    :param peers: whether other stores are built and asked too.
    :raises BenchmarkError: if a store does not answer as the others do.
    """
    stage = set_stage(folder, people, lambda share: progress("drawing people", share))
    progress("building the base")
    base = build_base(stage)
    progress("writing deltas")
    day, overlay = a_days_delta(stage, base), overlay_delta(stage, base)
    sizes = _build_peers(stage, progress) if peers else {}
    progress("looking up, cold")
    cold = _cold(stage, base, peers=peers)
    sought = np.array(stage.known_keys, np.uint64).tobytes()
    grown, _ = in_child(memory_bytes, base.path, overlay.places, sought)
    opened = Took.typical([timed(lambda: Segment.open(base.path))[1] for _ in range(_TIMES)])
    activated = Took.typical(
        [live(folder / "live", base.path, day.places, stage.known[0]) for _ in range(_TIMES)]
    )
    made = make(stage, base, day, progress)
    turns, dict_bytes = look_up(
        stage,
        open_table(base.path, overlay.places),
        Peers(files=peers, in_memory=peers and _dict_fits(people)),
        removed=frozenset(stage.keys[overlay.churn.removed].tolist()),
        progress=lambda share: progress("looking up", share),
    )
    progress("aliases")
    header = Segment.open(base.path).header
    bound = entropy_of(stage.words, people, header.bucket_bits + header.hash_bits)
    return ReplicaFigures(
        people=people,
        machine=this_machine(),
        sqlite_version=sqlite3.sqlite_version,
        lmdb_version=version("lmdb"),
        hit_us=turns.us("hit"),
        named_hit_us=turns.us("named_hit"),
        miss_us=turns.us("miss"),
        hash_us=turns.us("hash"),
        row_us=turns.us("row"),
        record_us=turns.us("record"),
        overlaid_record_us=turns.us("overlaid_record"),
        sqlite_us=turns.peer_us("sqlite"),
        sqlite_mapped_us=turns.peer_us("sqlite_mapped"),
        sqlite_held_us=turns.peer_us("sqlite_held"),
        lmdb_us=turns.peer_us("lmdb"),
        dict_us=turns.peer_us("dict"),
        sqlite_ratio=turns.ratio("sqlite", "row"),
        sqlite_held_ratio=turns.ratio("sqlite_held", "row"),
        lmdb_ratio=turns.ratio("lmdb", "row"),
        dict_ratio=turns.ratio("dict", "row"),
        sqlite_record_ratio=turns.ratio("sqlite", "record"),
        lmdb_record_ratio=turns.ratio("lmdb", "record"),
        hit_sqlite_ratio=turns.ratio("sqlite", "hit"),
        bytes_per_person=round(base.built.size / people, 3),
        wide_share=round(header.wide_rows / people, 6),
        alias_bytes=round(alias_bytes(stage), 2),
        sqlite_bytes_per_person=_each(sizes.get(Store.SQLITE), people),
        lmdb_bytes_per_person=_each(sizes.get(Store.LMDB), people),
        dict_bytes_per_person=None if dict_bytes is None else round(dict_bytes, 1),
        floor_bytes_per_person=round(bound.floor_bytes, 3),
        facts_bits=bound.facts,
        facts_bits_by_group=bound.groups,
        key_bits=bound.key,
        kept_key_bits=bound.kept_key,
        cold_reads=_each(cold.get(Store.OURS), PAGE_BYTES),
        cold_kib=_each(cold.get(Store.OURS), 1024),
        sqlite_cold_kib=_each(cold.get(Store.SQLITE), 1024),
        lmdb_cold_kib=_each(cold.get(Store.LMDB), 1024),
        open_ms=round(opened.wall_s * 1e3, 2),
        open_cpu_ms=round(opened.cpu_s * 1e3, 2),
        anon_mib=round(grown / _MIB, 2),
        overlay_changes=len(overlay.churn),
        snapshot_bytes_per_person=round(made.snapshot_bytes / people, 3),
        delta_changes=len(day.churn),
        delta_bytes_per_change=round(day.size / len(day.churn), 3),
        floor_delta_bytes_per_change=round(churn_floor_bytes(day.churn, people, bound.facts), 3),
        build_s=round(base.took.wall_s, 2),
        build_cpu_s=round(base.took.cpu_s, 2),
        snapshot_s=round(made.snapshot.wall_s, 2),
        snapshot_cpu_s=round(made.snapshot.cpu_s, 2),
        rebuild_s=round(made.rebuild.wall_s, 2),
        rebuild_cpu_s=round(made.rebuild.cpu_s, 2),
        delta_write_s=round(day.took.wall_s, 2),
        delta_write_cpu_s=round(day.took.cpu_s, 2),
        recipe_s=round(made.recipe.wall_s, 2),
        recipe_cpu_s=round(made.recipe.cpu_s, 2),
        activate_ms=round(activated.wall_s * 1e3, 1),
        activate_cpu_ms=round(activated.cpu_s * 1e3, 1),
        merge_s=round(made.merge.wall_s, 2),
        merge_cpu_s=round(made.merge.cpu_s, 2),
        merge_peak_mib=round(made.merge_peak / _MIB, 1),
        sequential_write_s=round(made.sequential_write_s, 2),
    )


def _dict_fits(people: int) -> bool:
    return people <= DICT_MOST and people * _DICT_BYTES < available_bytes()


def _build_peers(stage: Stage, progress: Progress) -> dict[Store, int]:
    def shown(step: str) -> Callable[[float], None]:
        return lambda share: progress(step, share)

    return {
        Store.SQLITE: build_sqlite(stage.folder, stage.chunks(shown("building SQLite"))),
        Store.LMDB: build_lmdb(stage.folder, stage.people, stage.chunks(shown("building LMDB"))),
    }


def _cold(stage: Stage, base: Base, *, peers: bool) -> dict[Store, float | None]:
    keys = stage.known_keys[:_COLD]
    stores = list(Store) if peers else [Store.OURS]
    places = {store: base.path if store is Store.OURS else stage.folder for store in stores}
    return {store: in_child(cold_bytes, store, place, keys)[0] for store, place in places.items()}


def _each(total: float | None, of: int) -> float | None:
    return None if total is None else round(total / of, 3)
