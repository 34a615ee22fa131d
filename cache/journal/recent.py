"""Reading the newest entries at start: newest file first, and no more than is asked for."""

from __future__ import annotations

from pathlib import Path

from admission.errors import WireError
from admission.instant import ClockTrust
from admission.journal_record import Followup, LoggedPassage, PassageRecord, unpack_record
from cache.journal.catalogue import list_files, read_file
from cache.journal.errors import JournalDamaged, JournalUnavailable
from cache.journal.frame import Frame
from cache.journal.medium import Medium, PosixMedium
from cache.journal.scan import scan

Told = LoggedPassage | Followup


def recent_records(
    directory: Path,
    *,
    through: int,
    since_ns: int | None,
    max_entries: int,
    medium: Medium | None = None,
) -> list[tuple[int, Told]]:
    """Return the journal's newest records with their sequences, ascending. Blocking.

    Sessions of seals are not among them: they tell of nobody.

    Files are read from the newest to the oldest, until one begins before `since_ns`: records
    from before may be among those that are returned. What is damaged is left out.

    :param through: the journal's last durable sequence; nothing after it is looked at.
    :param since_ns: wall time, ns since the epoch; None = only `max_entries` is a bound.
    :param max_entries: how many entries are read at most, damaged ones not counted.
    :raises JournalUnavailable: if the medium cannot be read.
    """
    medium = medium or PosixMedium()
    found: list[list[tuple[int, Told]]] = []
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
            records = [record for frame in frames[-left:] if (record := _record(frame))]
            left -= len(records)
            found.append(records)
            if since_ns is not None and _begins_before(records, since_ns):
                break
    except OSError as error:
        msg = f"the journal cannot be read: {error.strerror or type(error).__name__}"
        raise JournalUnavailable(msg, hint="check the medium (dmesg)") from error
    return [record for records in reversed(found) for record in records]


def _record(frame: Frame) -> tuple[int, Told] | None:
    try:
        record = unpack_record(frame.packed)
    except WireError:
        return None
    if isinstance(record, PassageRecord):
        return frame.sequence, record.passage
    return (frame.sequence, record) if isinstance(record, Followup) else None


def _begins_before(records: list[tuple[int, Told]], wall_ns: int) -> bool:
    """Whether the first passage of these, if there is one, is from before a moment."""
    for _, record in records:
        if isinstance(record, LoggedPassage):
            dated = record.clock_trust is not ClockTrust.UNKNOWN
            return dated and record.wall_ns < wall_ns
    return False
