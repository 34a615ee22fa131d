"""Reading durable entries for the upload, beside a writer that goes on."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

import msgspec

from admission.passage import CHAIN_HASH_BYTES
from admission.wire import Entry
from cache.journal.catalogue import JournalFile, list_files, read_file
from cache.journal.errors import JournalError, JournalUnavailable
from cache.journal.frame import FRAME_HEAD_BYTES, MAX_FRAME_BYTES, Frame, frame_at
from cache.journal.medium import Medium, PosixMedium
from cache.journal.scan import PrunedRun, scan

LOST_CHAIN_HASH = bytes(CHAIN_HASH_BYTES)


class Place(msgspec.Struct, frozen=True):
    """Where an entry is expected: spares a scan of its file from the start.

    `file` is the sequence in the file's name. A place that is wrong costs time and nothing else.
    """

    file: int
    offset: int
    sequence: int


class JournalReader:
    """Reads entries by sequence, without a lock and without touching what the writer has open.

    One read at a time; each opens its file anew and closes it.
    """

    def __init__(self, directory: Path, medium: Medium | None = None) -> None:
        self._directory = directory
        self._medium = medium or PosixMedium()
        self.place: Place | None = None
        """Where the entry after the last one read is expected. May be set before a read."""
        self.lost_entries = 0
        """How many entries were returned as unreadable; one asked for again counts again."""

    async def read(
        self, after: int, through: int, *, max_entries: int, max_bytes: int
    ) -> list[Entry]:
        """Return entries `after` + 1 onwards, without gaps; at least one if `after` < `through`.

        An entry that cannot be read any more (a damaged or removed file) is returned with empty
        `packed` and a chain hash of zeros: its place is told, so that it never blocks what follows.
        So is one that was pruned, which does not count as lost; of the last one of a run the chain
        hash is still known.

        :param through: the journal's last durable sequence; nothing after it is looked at.
        :param max_bytes: bound for the sum of the entries' sizes, a frame's head included.
        :raises JournalUnavailable: if the medium cannot be read.
        """
        return await asyncio.to_thread(
            self.read_now, after, through, max_entries=max_entries, max_bytes=max_bytes
        )

    def read_now(
        self, after: int, through: int, *, max_entries: int, max_bytes: int
    ) -> list[Entry]:
        """Return what `read` does. Blocking."""
        entries: list[Entry] = []
        size = 0
        try:
            for entry, lost in self._entries(after + 1, min(through, after + max_entries)):
                size += FRAME_HEAD_BYTES + len(entry.packed)
                if entries and size > max_bytes:
                    break
                entries.append(entry)
                self.lost_entries += lost
        except OSError as error:
            msg = f"the journal cannot be read: {error.strerror or type(error).__name__}"
            raise JournalUnavailable(msg, hint="check the medium (dmesg)") from error
        return entries

    def _entries(self, first: int, last: int) -> Iterator[tuple[Entry, bool]]:
        """Yield the entries, and of each whether it is lost."""
        files = list_files(self._medium, self._directory)
        starts = [file.first_sequence for file in files]
        sequence = first
        while sequence <= last:
            place = bisect_right(starts, sequence) - 1
            until = min(last, starts[place + 1] - 1) if place + 1 < len(starts) else last
            found = self._found(files[place], sequence, until) if place >= 0 else iter(())
            for finding in found:
                if isinstance(finding, PrunedRun):
                    yield from _lost(sequence, finding.first - 1)
                    yield from _pruned(finding, sequence, until)
                    sequence = finding.last + 1
                else:
                    yield from _lost(sequence, finding.sequence - 1)
                    yield Entry(finding.sequence, finding.chain_hash, finding.packed), False
                    sequence = finding.sequence + 1
            yield from _lost(sequence, until)
            sequence = until + 1

    def _found(self, file: JournalFile, first: int, last: int) -> Iterator[Frame | PrunedRun]:
        """Yield the file's intact frames `first` to `last` and the runs between, ascending."""
        sequence = first
        for frame in self._continued(file, first, last):
            yield frame
            sequence = frame.sequence + 1
        if sequence > last:
            return
        for finding in scan(_read_whole(self._medium, file), file.first_sequence):
            if isinstance(finding, PrunedRun) and finding.last >= sequence:
                if finding.first > last:
                    return
                yield finding
            elif isinstance(finding, Frame) and finding.sequence >= sequence:
                if finding.sequence > last:
                    return
                self.place = Place(file.first_sequence, finding.end, finding.sequence + 1)
                yield finding

    def _continued(self, file: JournalFile, first: int, last: int) -> Iterator[Frame]:
        """Yield the frames that stand one behind the other where the last read ended, if any."""
        place = self.place
        if place is None or (place.file, place.sequence) != (file.first_sequence, first):
            return
        window = (last - first + 1) * MAX_FRAME_BYTES
        data = self._medium.read(file.path, place.offset, min(window, 2 << 20))
        offset, sequence = 0, first
        while sequence <= last and (frame := frame_at(data, offset)) is not None:
            if frame.sequence != sequence or not frame.packed:
                return
            self.place = Place(file.first_sequence, place.offset + frame.end, sequence + 1)
            yield frame
            offset, sequence = frame.end, sequence + 1


def _read_whole(medium: Medium, file: JournalFile) -> bytes:
    try:
        return read_file(medium, file)
    except (JournalError, FileNotFoundError):
        return b""  # not a file of ours any more: its entries count as lost


def _lost(first: int, last: int) -> Iterator[tuple[Entry, bool]]:
    return ((Entry(sequence, LOST_CHAIN_HASH, b""), True) for sequence in range(first, last + 1))


def _pruned(run: PrunedRun, first: int, last: int) -> Iterator[tuple[Entry, bool]]:
    for sequence in range(max(first, run.first), min(last, run.last) + 1):
        known = sequence == run.last
        yield Entry(sequence, run.chain_hash if known else LOST_CHAIN_HASH, b""), False
