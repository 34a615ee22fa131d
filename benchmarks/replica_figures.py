"""What `chot bench replica --json` prints. Keys stay; docs/benchmarks.md says what they mean."""

from __future__ import annotations

import msgspec

from benchmarks.goals import kept
from benchmarks.machine import Machine


class ReplicaFigures(msgspec.Struct, frozen=True, kw_only=True):
    """None stands for what was not measured: a peer left out, a medium that gives no numbers."""

    people: int
    machine: Machine
    sqlite_version: str
    lmdb_version: str
    # Looking up: microseconds of processor time, median of rounds in which all took turns.
    hit_us: float
    named_hit_us: float
    miss_us: float
    hash_us: float
    row_us: float
    record_us: float
    overlaid_record_us: float
    sqlite_us: float | None
    sqlite_mapped_us: float | None
    sqlite_held_us: float | None
    lmdb_us: float | None
    dict_us: float | None
    sqlite_ratio: float | None
    sqlite_held_ratio: float | None
    lmdb_ratio: float | None
    dict_ratio: float | None
    sqlite_record_ratio: float | None
    lmdb_record_ratio: float | None
    hit_sqlite_ratio: float | None
    # At rest.
    bytes_per_person: float
    wide_share: float
    alias_bytes: float
    sqlite_bytes_per_person: float | None
    lmdb_bytes_per_person: float | None
    dict_bytes_per_person: float | None
    floor_bytes_per_person: float
    facts_bits: float
    facts_bits_by_group: dict[str, float]
    key_bits: float
    kept_key_bits: float
    # Cold, opening, memory.
    cold_reads: float | None
    cold_kib: float | None
    sqlite_cold_kib: float | None
    lmdb_cold_kib: float | None
    open_ms: float
    open_cpu_ms: float
    anon_mib: float
    overlay_changes: int
    # On the wire.
    snapshot_bytes_per_person: float
    delta_changes: int
    delta_bytes_per_change: float
    floor_delta_bytes_per_change: float
    # Making and applying.
    build_s: float
    build_cpu_s: float
    snapshot_s: float
    snapshot_cpu_s: float
    rebuild_s: float
    rebuild_cpu_s: float
    delta_write_s: float
    delta_write_cpu_s: float
    recipe_s: float
    recipe_cpu_s: float
    activate_ms: float
    activate_cpu_ms: float
    merge_s: float
    merge_cpu_s: float
    merge_peak_mib: float
    sequential_write_s: float


GOALS: dict[str, tuple[str, float]] = {
    "hit_us": ("≤", 3.0),
    "sqlite_ratio": ("≥", 7.0),
    "lmdb_ratio": ("≥", 1.3),
    "bytes_per_person": ("≤", 13.5),
    "snapshot_bytes_per_person": ("≤", 9.5),
    "delta_bytes_per_change": ("≤", 2.1),
    "open_ms": ("≤", 30.0),
    "anon_mib": ("≤", 16.0),
    "activate_ms": ("≤", 100.0),
    "merge_s": ("≤", 3.0),
    "merge_peak_mib": ("≤", 64.0),
    "cold_reads": ("≤", 1.1),
}
"""Bounds at ten million people."""


def met(name: str, value: float | None) -> bool | None:
    """Return whether a figure keeps its bound; None where there is no figure or no bound."""
    return kept(GOALS, name, value)
