"""Reading the newest entries at start: newest file first, and no more than is asked for."""

from __future__ import annotations

from pathlib import Path

from admission.errors import WireError
from admission.instant import ClockTrust
from admission.passage import Passage
from admission.wire import unpack_passage
from cache.journal.catalogue import list_files, read_file
from cache.journal.errors import JournalDamaged, JournalUnavailable
from cache.journal.frame import Frame
from cache.journal.medium import Medium, PosixMedium
from cache.journal.scan import scan


def recent_entries(
    directory: Path,
    *,
    through: int,
    since_ns: int | None,
    max_entries: int,
    medium: Medium | None = None,
) -> list[tuple[int, Passage]]:
    """Return the journal's newest entries with their sequences, ascending. Blocking.

    Files are read from the newest to the oldest, until one begins before `since_ns`: entries from
    before may be among those that are returned. What is damaged is left out.

    :param through: the journal's last durable sequence; nothing after it is looked at.
    :param since_ns: wall time, ns since the epoch; None = only `max_entries` is a bound.
    :param max_entries: how many entries are read at most, damaged ones not counted.
    :raises JournalUnavailable: if the medium cannot be read.
    """
    medium = medium or PosixMedium()
    found: list[list[tuple[int, Passage]]] = []
    last, left = through, max_entries
    try:
        for file in reversed(list_files(medium, directory)):
            if left <= 0:
                break
            try:
                findings = list(scan(read_file(medium, file), file.first_sequence))
            except (JournalDamaged, FileNotFoundError):
                continue
            frames = [f for f in findings if isinstance(f, Frame) and f.sequence <= last]
            # What an older file holds from here on was never acknowledged: this one supersedes it.
            last = min(last, file.first_sequence - 1)
            entries = [entry for frame in frames[-left:] if (entry := _entry(frame))]
            left -= len(entries)
            found.append(entries)
            if since_ns is not None and entries and _is_before(entries[0][1], since_ns):
                break
    except OSError as error:
        msg = f"the journal cannot be read: {error.strerror or type(error).__name__}"
        raise JournalUnavailable(msg, hint="check the medium (dmesg)") from error
    return [entry for entries in reversed(found) for entry in entries]


def _entry(frame: Frame) -> tuple[int, Passage] | None:
    try:
        return frame.sequence, unpack_passage(frame.packed)
    except WireError:
        return None


def _is_before(entry: Passage, wall_ns: int) -> bool:
    return entry.clock_trust is not ClockTrust.UNKNOWN and entry.wall_ns < wall_ns
