"""Reading the newest entries at start: newest file first, and no more than is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from admission.instant import ClockTrust
from admission.journal_record import Followup
from admission.logged_passage import ZonePassage
from cache.journal.catalogue import JournalFile, list_files, read_file
from cache.journal.errors import JournalDamaged, JournalUnavailable
from cache.journal.frame import Frame
from cache.journal.medium import Medium, PosixMedium
from cache.journal.scan import scan

_UNDATED = ClockTrust.UNKNOWN
Told = ZonePassage | Followup
Wanted = Callable[[bytes], Told | None]
"""Returns what is to be kept of an entry's bytes, None for nothing."""


class Recent(NamedTuple):
    """Records with their sequences, ascending; and whether they go back to where was asked for."""

    records: list[tuple[int, Told]]
    complete: bool


class _Stretch(NamedTuple):
    """What one file holds of the stretch that is read."""

    records: list[tuple[int, Told]]
    starts_before: bool  # its first dated one is from before what is asked for


def recent_records(
    directory: Path,
    *,
    after: int = 0,
    through: int,
    since_ns: int | None,
    max_entries: int,
    wanted: Wanted,
    medium: Medium | None = None,
) -> Recent:
    """Return what is wanted of the newest records. Blocking.

    Files are read from the newest to the oldest, until one begins at or before `after` or the first
    that is wanted of it, with a trusted date, is from before `since_ns`: some from before that may
    be among those that are returned. What is damaged is left out.

    :param after: records through this sequence are known already.
    :param through: the journal's last durable sequence; nothing after it is looked at.
    :param since_ns: wall time, ns since the epoch; None = only `max_entries` is a bound.
    :param max_entries: how many records are kept at most; the file that reaches it is the last.
    :raises JournalUnavailable: if the medium cannot be read.
    """
    medium = medium or PosixMedium()
    found: list[list[tuple[int, Told]]] = []
    last, left = through, max_entries
    try:
        for file in reversed(list_files(medium, directory)):
            if last <= after:
                break
            stretch = _stretch(medium, file, range(after + 1, last + 1), since_ns, wanted)
            # What an older file holds from here on was never acknowledged: this one supersedes it.
            last = min(last, file.first_sequence - 1)
            if stretch is None:
                continue
            found.append(stretch.records[-left:])
            left -= len(stretch.records)
            if left <= 0 or stretch.starts_before:
                break
    except OSError as error:
        msg = f"the journal cannot be read: {error.strerror or type(error).__name__}"
        raise JournalUnavailable(msg, hint="check the medium (dmesg)") from error
    return Recent([one for some in reversed(found) for one in some], last <= after and left > 0)


def _stretch(
    medium: Medium, file: JournalFile, within: range, since_ns: int | None, wanted: Wanted
) -> _Stretch | None:
    """Return what is wanted of those of a file's entries, None if it is not there."""
    try:
        data = read_file(medium, file)
    except (JournalDamaged, FileNotFoundError):
        return None
    records = []
    first: ZonePassage | None = None
    for frame in scan(data, file.first_sequence, chained=False):
        if not isinstance(frame, Frame) or frame.sequence not in within:
            continue
        told = wanted(frame.packed)
        if told is None:
            continue
        records.append((frame.sequence, told))
        if first is None and isinstance(told, ZonePassage) and told.clock_trust is not _UNDATED:
            first = told
    before = since_ns is not None and first is not None and first.wall_ns < since_ns
    return _Stretch(records, before)
