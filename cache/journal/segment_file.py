"""The writer of segment files: groups of entries in, durable frames out. Blocking; one thread.

Every way in which a write can fail ends alike: the file is left, and the next group begins a new
one whose header names the last entry that was durable. Nothing is ever appended behind bytes of
which nobody knows whether they are on the medium.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Sequence
from pathlib import Path

from admission.passage import chained
from cache.journal.catalogue import PART_SUFFIX, file_at
from cache.journal.errors import JournalUnavailable
from cache.journal.frame import HEADER_BYTES, Header, pack_frame, pack_header
from cache.journal.medium import Medium
from cache.journal.recovery import Position

_HINTS = {
    errno.ENOSPC: "the disk is full: free space, the journal goes on by itself",
    errno.EDQUOT: "the disk quota is used up: free space, the journal goes on by itself",
    errno.EROFS: "the file system is read-only: check the medium (dmesg), remount or replace it",
    errno.EIO: "the medium reports errors: check it (dmesg), replace it soon",
    errno.EACCES: "the journal's folder belongs to another user: correct its owner",
}


def unavailable(error: OSError, *, in_doubt: bool = False) -> JournalUnavailable:
    """Return the journal's own error for what the medium raised."""
    reason = error.strerror or type(error).__name__
    hint = _HINTS.get(error.errno or 0, "check the medium (dmesg) and the journal's folder")
    return JournalUnavailable(f"the journal cannot write: {reason}", hint=hint, in_doubt=in_doubt)


class SegmentWriter:
    """Appends groups of entries to the newest file of one directory.

    :param position: where the chain continues (`recovery.recover`).
    :param rotate_bytes: a file that has reached this length is followed by a new one.
    """

    def __init__(
        self, medium: Medium, directory: Path, position: Position, *, rotate_bytes: int
    ) -> None:
        self._medium = medium
        self._directory = directory
        self._rotate_bytes = rotate_bytes
        self._file: int | None = None
        self._length = 0
        self.position = position

    def prepare(self) -> None:
        """Have a file that can take the next group: begin a new one where there is none.

        :raises JournalUnavailable: if the medium does not let it. Nothing has changed then.
        """
        if self._file is not None and self._length >= self._rotate_bytes:
            self._leave()
        if self._file is None:
            try:
                self._begin()
            except OSError as error:
                raise unavailable(error) from error

    def append_group(self, packed: Sequence[bytes]) -> Position:
        """Append the entries with consecutive sequences; return the position once all are durable.

        :raises JournalUnavailable: if they were not made durable; `position` then stands as
            before and the next group continues from there. In doubt once a byte was written: the
            frames are superseded by the next file, but a power cut before that leaves them.
        """
        self.prepare()
        frames, position = self._framed(packed)
        try:
            self._write(frames)
        except BaseException as error:
            self._abandon()
            if isinstance(error, OSError):
                raise unavailable(error, in_doubt=True) from error
            raise
        self.position = position
        return position

    def close(self) -> None:
        """Leave the file. Everything appended is durable already."""
        self._leave()

    def _framed(self, packed: Sequence[bytes]) -> tuple[bytes, Position]:
        sequence, chain_hash = self.position.last_sequence, self.position.chain_hash
        frames = []
        for entry in packed:
            sequence += 1
            chain_hash = chained(chain_hash, sequence, entry)
            frames.append(pack_frame(sequence, chain_hash, entry))
        return b"".join(frames), Position(self.position.journal, sequence, chain_hash)

    def _write(self, data: bytes) -> None:
        file = self._file
        assert file is not None, "prepare() precedes every write"  # noqa: S101
        _append_whole(self._medium, file, data)
        self._medium.sync(file)
        self._length += len(data)

    def _begin(self) -> None:
        """Begin a new file: header, sync, name, directory sync, and only then entries.

        A file that took no durable entry has the same name and is replaced.
        """
        target = file_at(self._directory, self.position.last_sequence + 1)
        part = target.path.with_suffix(PART_SUFFIX)
        header = Header(self.position.journal, target.first_sequence, self.position.chain_hash)
        file = self._medium.create(part)
        try:
            _append_whole(self._medium, file, pack_header(header))
            self._medium.sync(file)
            self._medium.rename(part, target.path)
            self._medium.sync_directory(self._directory)
        except BaseException:  # whatever ends this, no half-made file may stay
            with contextlib.suppress(OSError):
                self._medium.close(file)
            with contextlib.suppress(OSError):
                self._medium.remove(part)
            raise
        self._file, self._length = file, HEADER_BYTES

    def _abandon(self) -> None:
        """Leave the file after a failure, cut back to what was durable where that is possible.

        The cut is a courtesy to the disk's space and to readers; what counts is that the next
        file's header supersedes the frames. After a failed sync the page cache is not to be
        trusted (it may show as written what the medium never got), so the file is never used again.
        """
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._medium.truncate(self._file, self._length)
        self._leave()

    def _leave(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._medium.close(self._file)
        self._file = None


def _append_whole(medium: Medium, file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        taken = medium.append(file, bytes(view) if len(view) < len(data) else data)
        if taken <= 0:
            raise OSError(errno.EIO, "the medium took no bytes")
        view = view[taken:]
