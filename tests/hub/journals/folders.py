"""Gates' journal folders as files, for tests of what is read of them at the hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from admission.passage import chained, genesis
from cache.journal.frame import Header, pack_frame, pack_header, pack_pruned_run
from hub.store.examined import HeldEntry


def write_folder(
    folder: Path, journal: bytes, entries: Sequence[HeldEntry], *, files: int = 2
) -> None:
    """Write entries as a gate's files: each begins where the one before ends."""
    folder.mkdir(parents=True, exist_ok=True)
    size = -(-len(entries) // files)
    previous = genesis(journal)
    for place in range(0, len(entries), size):
        some = entries[place : place + size]
        before = entries[place - 1].chain_hash if place else previous
        data = pack_header(Header(journal, some[0].sequence, before))
        data += b"".join(pack_frame(e.sequence, e.chain_hash, e.packed) for e in some)
        path_of(folder, some[0].sequence).write_bytes(data)


def path_of(folder: Path, first: int) -> Path:
    return folder / f"{first:019d}.journal"


def frames(entries: Sequence[HeldEntry]) -> bytes:
    return b"".join(pack_frame(e.sequence, e.chain_hash, e.packed) for e in entries)


def pruned(last: HeldEntry) -> bytes:
    return pack_pruned_run(last.sequence, last.chain_hash)


def rechained(journal: bytes, packed: Sequence[bytes]) -> list[HeldEntry]:
    """Return a journal that follows from end to end, of whatever bytes."""
    previous, entries = genesis(journal), []
    for sequence, data in enumerate(packed, start=1):
        previous = chained(previous, sequence, data)
        entries.append(HeldEntry(sequence, previous, data, 0, None))
    return entries
