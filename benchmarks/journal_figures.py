"""What `chot bench journal --json` prints. Keys stay; docs/benchmarks.md says what they mean."""

from __future__ import annotations

import msgspec

from benchmarks.goals import kept
from benchmarks.machine import Machine


class LaneLoad(msgspec.Struct, frozen=True):
    """So many lanes at once, each with one entry after the other. Times in microseconds.

    `floor_ratio` is the median wait over that of a bare append and fdatasync of the same run;
    `entries_a_group` says how many shared a sync.
    """

    entries_per_s: int
    p50_us: float
    p99_us: float
    floor_ratio: float
    entries_a_group: float


class SlowSync(msgspec.Struct, frozen=True):
    """The same on a medium whose sync takes `sync_ms` longer."""

    lanes: int
    sync_ms: float
    entries_per_s: int
    p50_ms: float
    p99_ms: float


class JournalFigures(msgspec.Struct, frozen=True, kw_only=True):
    """None stands for what was not measured.

    An entry is a scan: two records, its passage and that the board acknowledged the light. The
    floors are medians of one passage's bytes appended and synced by nothing but two system calls:
    to a file that grows, and to one whose space is set aside.
    """

    machine: Machine
    floor_us: float
    floor_preallocated_us: float
    lanes: dict[str, LaneLoad]
    slow_fsync: SlowSync
    bytes_per_entry_disk: float
    bytes_per_passage_record: float
    bytes_per_followup_record: float
    bytes_per_entry_wire: float
    bytes_per_record_wire: float
    upload_entries_per_s: int | None
    reopen_entries: int
    reopen_s: float
    reopen_bytes: int


GOALS: dict[str, tuple[str, float]] = {
    "lanes.1.floor_ratio": ("≤", 1.3),
    "lanes.64.entries_per_s": ("≥", 60_000),
    "slow_fsync.entries_per_s": ("≥", 1_300),
    "slow_fsync.p50_ms": ("≤", 12),
    "bytes_per_entry_disk": ("≤", 350),
    "bytes_per_entry_wire": ("≤", 80),
    "reopen_s": ("≤", 3),
    "reopen_bytes": ("≤", 2_000_000_000),
}
"""Bounds; those of opening hold for 4.8 million scans."""


def met(name: str, value: float | None) -> bool | None:
    """Return whether a figure keeps its bound; None where there is no figure or no bound."""
    return kept(GOALS, name, value)
