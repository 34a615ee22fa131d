"""What a scan takes on disk and on the wire, and how long a journal of weeks takes to open."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from admission.journal_record import Followup, FollowupKind
from admission.passage import Passage
from admission.wire import MAX_BATCH_ENTRIES
from appliance.upload_packing import packed_upload
from benchmarks.journal_lanes import a_journal
from cache.journal.catalogue import list_files
from cache.journal.frame import FRAME_HEAD_BYTES
from cache.journal.medium import PosixMedium
from cache.journal.reader import JournalReader
from cache.journal.recorder import Draft, Recorder, draft_of
from cache.journal.recovery import recover
from cache.journal.segment_file import SegmentWriter
from cache.journal.space import Space
from cache.journal.statistics import JournalSettings

_GROUP = 5_000
_BUDGET_BYTES = 1 << 40
_LIT_MS = 12
_LANES = 4
_PASSAGE = 1  # the type with which the record of a passage begins


class Sizes(msgspec.Struct, frozen=True):
    """Bytes of a scan's two records in a file, frames included, and of a full upload's share.

    `scan_wire` is that of a passage with what followed on it, `record_wire` that of any record.
    """

    passage: float
    followup: float
    scan_wire: float
    record_wire: float


class _Unsynced(PosixMedium):
    """Files without syncs: a journal that is written to be measured must not take an hour."""

    def sync(self, file: int) -> None:
        """Do nothing."""


async def sizes(folder: Path, passages: Sequence[Passage]) -> Sizes:
    """Return what scans take that are written, each with what followed, and uploaded together."""
    key = Ed25519PrivateKey.generate()
    async with a_journal(folder) as journal:

        async def scan(passage: Passage) -> None:
            sequence = await journal.append(passage)
            journal.follow(Followup(FollowupKind.ACTUATED, sequence, _LIT_MS))

        for first in range(0, len(passages), _LANES):
            await asyncio.gather(*map(scan, passages[first : first + _LANES]))
        await journal.flush()
        entries = await JournalReader(folder).read(
            1, journal.last_sequence, max_entries=1 << 20, max_bytes=1 << 30
        )
        batch = entries[:MAX_BATCH_ENTRIES]
        body = packed_upload(
            "gate-17", journal.journal_id, batch[0].sequence, batch, time.time_ns(), key=key
        )
    passage_bytes = [len(entry.packed) for entry in entries if entry.packed[1] == _PASSAGE]
    followup_bytes = [len(entry.packed) for entry in entries if entry.packed[1] != _PASSAGE]
    return Sizes(
        round(FRAME_HEAD_BYTES + sum(passage_bytes) / len(passage_bytes), 1),
        round(FRAME_HEAD_BYTES + sum(followup_bytes) / len(followup_bytes), 1),
        round(len(body) / sum(entry.packed[1] == _PASSAGE for entry in batch), 1),
        round(len(body) / len(batch), 1),
    )


def write_history(
    folder: Path,
    passages: Sequence[Passage],
    scans: int,
    progress: Callable[[float], None],
) -> int:
    """Write a journal of so many scans, each with what followed; return its bytes."""
    drafts = _history(passages, scans)
    return write_drafts(folder, drafts, lambda written: progress(written / (2 * scans)))


def write_drafts(folder: Path, drafts: Iterator[Draft], progress: Callable[[int], None]) -> int:
    """Write a journal of these entries, without syncs; return its bytes."""
    medium, public = _Unsynced(), X25519PrivateKey.generate().public_key()
    medium.make_directory(folder)
    recovery = recover(medium, folder, os.urandom(16))
    writer = SegmentWriter(
        medium,
        folder,
        recovery.position,
        Recorder(lambda: public, os.urandom, recovery.position.journal),
        Space(_BUDGET_BYTES),
        rotate_bytes=JournalSettings().rotate_bytes,
    )
    written = 0
    while group := list(islice(drafts, _GROUP)):
        writer.append_group(group)
        written += len(group)
        progress(written)
    writer.close()
    return sum(medium.size(file.path) for file in list_files(medium, folder))


async def reopened_s(folder: Path) -> float:
    """Return how long it takes from a closed journal to one that has taken an entry's place."""
    begun = time.perf_counter_ns()
    async with a_journal(folder):
        took = time.perf_counter_ns() - begun
    return round(took / 1e9, 3)


def _history(passages: Sequence[Passage], scans: int) -> Iterator[Draft]:
    followed = draft_of(Followup(FollowupKind.ACTUATED, scans, _LIT_MS))
    packed = [draft_of(passage) for passage in passages]
    for number in range(scans):
        yield packed[number % len(packed)]
        yield followed
