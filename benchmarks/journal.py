"""The journal at its load: many lanes, a slow medium, bytes at rest and on the wire, and opening.

Loads and floors take turns, round by round, so that whatever else the machine does meets them all.
"""

from __future__ import annotations

import random
from pathlib import Path

from admission.instant import ClockTrust, Instant
from admission.passage import Passage
from benchmarks import backlog
from benchmarks.journal_figures import JournalFigures, LaneLoad, SlowSync
from benchmarks.journal_lanes import Load, SlowMedium, a_journal, bare_append, write
from benchmarks.journal_sizes import reopened_s, sizes, write_history
from benchmarks.machine import this_machine
from benchmarks.progress import Progress
from benchmarks.scans import a_scan

LANES = (1, 4, 16, 64)
SLOW_LANES = 16
SLOW_S = 0.010
FLOOR_BYTES = 260
_ROUNDS = 5
_TURN = 10  # entries in turn with the floors': a medium's mood changes within milliseconds
_SET_ASIDE = 8 << 20
_PASSAGES = 1_000
_FIRST = Instant(
    1_631_318_400_000_000_000, 0, "3f1c8a52-8f5c-4a57-9d0a-6a3f1d7f8b11", ClockTrust.SYNCHRONISED
)


async def measure(
    folder: Path, *, entries: int, reopen_entries: int, upload_entries: int, progress: Progress
) -> JournalFigures:
    """Return the journal's figures on `folder`'s medium.

    :param entries: how many the most lanes write in each round; fewer lanes write fewer.
    :param reopen_entries: of how many scans the journal is that is opened again.
    :param upload_entries: how many are uploaded to a hub on loopback; 0 leaves that out.
    """
    passages = [a_scan(number, _FIRST, random.Random(number)) for number in range(_PASSAGES)]
    loads, growing, set_aside = await _loads(folder, passages, entries, progress)
    progress("a slow medium", 0.0)
    slow = await _slow(folder / "slow", passages, entries)
    progress("bytes of a scan", 0.0)
    size = await sizes(folder / "sizes", passages)
    history = folder / "history"
    taken = write_history(
        history, passages, reopen_entries, lambda share: progress("a history to open", share)
    )
    progress("opening it", 0.0)
    reopen_s = await reopened_s(history)
    return JournalFigures(
        machine=this_machine(),
        floor_us=growing.waits_us.p50,
        floor_preallocated_us=set_aside.waits_us.p50,
        lanes={str(count): _lane_load(load, growing) for count, load in loads.items()},
        slow_fsync=slow,
        bytes_per_entry_disk=round(size.passage + size.followup, 1),
        bytes_per_passage_record=size.passage,
        bytes_per_followup_record=size.followup,
        bytes_per_entry_wire=size.scan_wire,
        bytes_per_record_wire=size.record_wire,
        upload_entries_per_s=await _uploaded(folder / "upload", upload_entries, progress),
        reopen_entries=reopen_entries,
        reopen_s=reopen_s,
        reopen_bytes=taken,
    )


async def _loads(
    folder: Path, passages: list[Passage], entries: int, progress: Progress
) -> tuple[dict[int, Load], Load, Load]:
    """Return the loads by lanes, and the floors of a growing file and of one set aside."""
    loads = {count: Load() for count in LANES}
    growing, set_aside = Load(), Load()
    each = max(4, entries // LANES[-1])
    with (
        bare_append(folder, FLOOR_BYTES) as append,
        bare_append(folder, FLOOR_BYTES, set_aside=_SET_ASIDE) as append_set_aside,
    ):
        async with a_journal(folder / "lanes") as journal:
            for done in range(_ROUNDS):
                progress("one lane and the floors in turn", done / _ROUNDS)
                for _ in range(0, each, _TURN):
                    growing.waits_ns += append(_TURN).waits_ns
                    set_aside.waits_ns += append_set_aside(_TURN).waits_ns
                    await write(journal, passages, lanes=1, entries=_TURN, load=loads[1])
                for count in LANES[1:]:
                    progress(f"{count} lanes", done / _ROUNDS)
                    await write(journal, passages, lanes=count, entries=each, load=loads[count])
    return loads, growing, set_aside


async def _slow(folder: Path, passages: list[Passage], entries: int) -> SlowSync:
    load, each = Load(), max(4, min(60, entries // LANES[-1]))
    async with a_journal(folder, SlowMedium(SLOW_S)) as journal:
        for _ in range(3):
            await write(journal, passages, lanes=SLOW_LANES, entries=each, load=load)
    waits = load.waits_us
    return SlowSync(
        lanes=SLOW_LANES,
        sync_ms=SLOW_S * 1e3,
        entries_per_s=load.entries_per_s,
        p50_ms=round(waits.p50 / 1e3, 2),
        p99_ms=round(waits.p99 / 1e3, 2),
    )


async def _uploaded(folder: Path, entries: int, progress: Progress) -> int | None:
    if not entries:
        return None
    figures = await backlog.measure(
        folder, backlog=entries, turns=1, turn_s=0.5, progress=lambda step: progress(step, 0.0)
    )
    return figures.upload_entries_per_s


def _lane_load(load: Load, floor: Load) -> LaneLoad:
    waits = load.waits_us
    return LaneLoad(
        entries_per_s=load.entries_per_s,
        p50_us=waits.p50,
        p99_us=waits.p99,
        floor_ratio=round(waits.p50 / floor.waits_us.p50, 2),
        entries_a_group=round(load.entries / max(1, load.groups), 1),
    )
