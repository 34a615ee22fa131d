"""The writer of segment files: groups of entries in, durable frames out. Blocking; one thread.

Every way in which a write can fail ends alike: the file is left, and the next group begins a new
one whose header names the last entry that was durable. Nothing is ever appended behind bytes of
which nobody knows whether they are on the medium.

A file's blocks are set aside when it begins and given back when it is left. Until an entry is
written there they read as zeros, which no frame begins with.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Sequence
from pathlib import Path

from cache.journal.catalogue import PART_SUFFIX, file_at
from cache.journal.errors import JournalFull, JournalUnavailable
from cache.journal.frame import HEADER_BYTES, Header, pack_frames, pack_header
from cache.journal.medium import Medium, write_whole
from cache.journal.recorder import Draft, Recorder
from cache.journal.recovery import Position
from cache.journal.space import Space

_HINTS = {
    errno.ENOSPC: "the disk is full: free space, the journal goes on by itself",
    errno.EDQUOT: "the disk quota is used up: free space, the journal goes on by itself",
    errno.EROFS: "the file system is read-only: check the medium (dmesg), remount or replace it",
    errno.EIO: "the medium reports errors: check it (dmesg), replace it soon",
    errno.EACCES: "the journal's folder belongs to another user: correct its owner",
}
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_CANNOT_PREALLOCATE = _FULL | {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.EFBIG}


def unavailable(error: OSError, *, in_doubt: bool = False) -> JournalUnavailable:
    """Return the journal's own error for what the medium raised."""
    reason = error.strerror or type(error).__name__
    hint = _HINTS.get(error.errno or 0, "check the medium (dmesg) and the journal's folder")
    kind = JournalFull if error.errno in _FULL else JournalUnavailable
    return kind(f"the journal cannot write: {reason}", hint=hint, in_doubt=in_doubt)


class SegmentWriter:
    """Appends groups of entries to the newest file of one directory.

    :param position: where the chain continues (`recovery.recover`).
    :param recorder: makes the records that are written.
    :param space: what the directory's files may take, and take without the one that is begun.
    :param rotate_bytes: a file that has reached this length is followed by a new one; so much is
        set aside for each.
    """

    def __init__(
        self,
        medium: Medium,
        directory: Path,
        position: Position,
        recorder: Recorder,
        space: Space,
        *,
        rotate_bytes: int,
    ) -> None:
        self._medium = medium
        self._directory = directory
        self._recorder = recorder
        self.space = space
        self._rotate_bytes = rotate_bytes
        self._file: int | None = None
        self._path = directory
        self._length = 0
        self._taken = 0  # of the space, for this file
        self._opening: tuple[bytes, ...] = ()
        self._in_doubt = False
        self.position = position
        self.free_bytes = -1
        """What the file system had left when the last file was begun; -1 if it is not known."""

    @property
    def ready(self) -> bool:
        """Whether there is a file that can take entries, so that a group costs one sync."""
        return self._file is not None

    def prepare(self) -> None:
        """Have a file that can take the next group: begin a new one where there is none.

        One that somebody removed or exchanged is there no more, although it can be written to.

        :raises JournalUnavailable: if the medium does not let it. Nothing has changed then.
        """
        try:
            if self._file is not None and (
                self._length >= self._rotate_bytes
                or self._recorder.ended
                or not self._medium.is_at(self._file, self._path)
            ):
                self._leave()
            if self._file is None:
                self._begin()
        except OSError as error:
            raise unavailable(error) from error

    def append_group(self, drafts: Sequence[Draft]) -> Position:
        """Append the entries with consecutive sequences; return the position once all are durable.

        The first group of a file is preceded by an entry with the session of its seals: the group's
        entries are the last ones up to the position.

        :raises JournalFull: if the space for them is used up.
        :raises JournalUnavailable: if they were not made durable; `position` then stands as
            before and the next group continues from there. In doubt once a byte was written: the
            frames are superseded by the next file, but a power cut before that leaves them.
        """
        self.prepare()
        record = self._recorder.record
        records = [*self._opening, *map(record, drafts)]
        before = self.position
        frames, chain_hash = pack_frames(before.chain_hash, before.last_sequence, records)
        self._reach(self._length + len(frames))
        try:
            self._write(frames)
        except BaseException as error:
            self._abandon()
            if isinstance(error, OSError):
                raise unavailable(error, in_doubt=True) from error
            raise
        self._opening = ()
        self.position = Position(before.journal, before.last_sequence + len(records), chain_hash)
        return self.position

    def close(self) -> None:
        """Leave the file. Everything appended is durable already.

        Where a failed group may have left frames behind, a last file begins that supersedes them.
        """
        if self._in_doubt:
            with contextlib.suppress(JournalUnavailable):
                self.prepare()
        self._leave()

    def _reach(self, length: int) -> None:
        if length > self._taken:
            self.space.take(length - self._taken)
            self._taken = length

    def _write(self, data: bytes) -> None:
        file = self._file
        assert file is not None, "prepare() precedes every write"  # noqa: S101
        write_whole(self._medium, file, self._length, data)
        self._medium.sync(file)
        self._length += len(data)

    def _begin(self) -> None:
        """Begin a new file: space, header, sync, name, directory sync, and only then entries.

        A file that took no durable entry has the same name and is replaced.
        """
        target = file_at(self._directory, self.position.last_sequence + 1)
        part = target.path.with_suffix(PART_SUFFIX)
        header = Header(self.position.journal, target.first_sequence, self.position.chain_hash)
        replaced = self._size(target.path)
        taken = min(self._rotate_bytes, max(HEADER_BYTES, self.space.left_bytes))
        self.space.take(taken)
        file = None
        try:
            file = self._medium.create(part)
            self._preallocate(file, taken)
            write_whole(self._medium, file, 0, pack_header(header))
            self._medium.sync(file)
            self._medium.rename(part, target.path)
            self._medium.sync_directory(self._directory)
        except BaseException:  # whatever ends this, no half-made file may stay
            if file is not None:
                with contextlib.suppress(OSError):
                    self._medium.close(file)
            with contextlib.suppress(OSError):
                self._medium.remove(part)
            self.space.give_back(taken)
            raise
        self.space.give_back(replaced)
        self._measure()
        self._file, self._path = file, target.path
        self._length, self._taken = HEADER_BYTES, taken
        self._opening, self._in_doubt = self._recorder.begin(), False

    def _preallocate(self, file: int, length: int) -> None:
        try:
            self._medium.preallocate(file, length)
        except OSError as error:
            # Without it every sync costs more; and what is left of a full disk is for entries.
            if error.errno not in _CANNOT_PREALLOCATE:
                raise

    def _measure(self) -> None:
        with contextlib.suppress(OSError):
            self.free_bytes = self._medium.free_bytes(self._directory)

    def _size(self, path: Path) -> int:
        try:
            return self._medium.size(path)
        except OSError:
            return 0

    def _abandon(self) -> None:
        """Leave the file after a failure, cut back to what was durable where that is possible.

        The cut is a courtesy to the disk's space and to readers; what counts is that the next
        file's header supersedes the frames. After a failed sync the page cache is not to be
        trusted (it may show as written what the medium never got), so the file is never used again.
        """
        self._in_doubt = True
        self._leave()

    def _leave(self) -> None:
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            self._medium.truncate(self._file, self._length)
            self.space.give_back(self._taken - self._length)
        with contextlib.suppress(OSError):
            self._medium.close(self._file)
        self._file = None
