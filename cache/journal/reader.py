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
from cache.journal.scan import scan

LOST_CHAIN_HASH = bytes(CHAIN_HASH_BYTES)


class _Cursor(msgspec.Struct, frozen=True):
    """Where the next entry is expected: spares a scan of the file from its start."""

    file: JournalFile
    offset: int
    sequence: int


class JournalReader:
    """Reads entries by sequence, without a lock and without touching what the writer has open.

    One read at a time; each opens its file anew and closes it.
    """

    def __init__(self, directory: Path, medium: Medium | None = None) -> None:
        self._directory = directory
        self._medium = medium or PosixMedium()
        self._cursor: _Cursor | None = None
        self.lost_entries = 0
        """How many entries were returned as unreadable; one asked for again counts again."""

    async def read(
        self, after: int, through: int, *, max_entries: int, max_bytes: int
    ) -> list[Entry]:
        """Return entries `after` + 1 onwards, without gaps; at least one if `after` < `through`.

        An entry that cannot be read any more (a damaged or removed file) is returned with empty
        `packed` and a chain hash of zeros: its place is told, so that it never blocks what follows.

        :param through: the journal's last durable sequence; nothing after it is looked at.
        :param max_bytes: bound for the sum of the entries' sizes, a frame's head included.
        :raises JournalUnavailable: if the medium cannot be read.
        """
        return await asyncio.to_thread(self._read, after, through, max_entries, max_bytes)

    def _read(self, after: int, through: int, max_entries: int, max_bytes: int) -> list[Entry]:
        entries: list[Entry] = []
        size = 0
        try:
            for entry in self._entries(after + 1, min(through, after + max_entries)):
                size += FRAME_HEAD_BYTES + len(entry.packed)
                if entries and size > max_bytes:
                    break
                entries.append(entry)
                self.lost_entries += not entry.packed
        except OSError as error:
            msg = f"the journal cannot be read: {error.strerror or type(error).__name__}"
            raise JournalUnavailable(msg, hint="check the medium (dmesg)") from error
        return entries

    def _entries(self, first: int, last: int) -> Iterator[Entry]:
        files = list_files(self._medium, self._directory)
        starts = [file.first_sequence for file in files]
        sequence = first
        while sequence <= last:
            place = bisect_right(starts, sequence) - 1
            until = min(last, starts[place + 1] - 1) if place + 1 < len(starts) else last
            frames = self._frames(files[place], sequence, until) if place >= 0 else iter(())
            for frame in frames:
                yield from _lost(sequence, frame.sequence - 1)
                yield Entry(frame.sequence, frame.chain_hash, frame.packed)
                sequence = frame.sequence + 1
            yield from _lost(sequence, until)
            sequence = until + 1

    def _frames(self, file: JournalFile, first: int, last: int) -> Iterator[Frame]:
        """Yield the file's intact frames `first` to `last`, ascending."""
        cursor = self._cursor
        sequence = first
        if cursor is not None and cursor.file == file and cursor.sequence == first:
            window = (last - first + 1) * MAX_FRAME_BYTES
            data = self._medium.read(file.path, cursor.offset, min(window, 2 << 20))
            offset = 0
            while sequence <= last and (frame := frame_at(data, offset)) is not None:
                if frame.sequence != sequence:
                    break
                self._cursor = _Cursor(file, cursor.offset + frame.end, sequence + 1)
                yield frame
                offset, sequence = frame.end, sequence + 1
        if sequence > last:
            return
        for finding in scan(_read_whole(self._medium, file), file.first_sequence):
            if isinstance(finding, Frame) and sequence <= finding.sequence <= last:
                self._cursor = _Cursor(file, finding.end, finding.sequence + 1)
                yield finding
                if finding.sequence == last:
                    return


def _read_whole(medium: Medium, file: JournalFile) -> bytes:
    try:
        return read_file(medium, file)
    except (JournalError, FileNotFoundError):
        return b""  # not a file of ours any more: its entries count as lost


def _lost(first: int, last: int) -> Iterator[Entry]:
    return (Entry(sequence, LOST_CHAIN_HASH, b"") for sequence in range(first, last + 1))
