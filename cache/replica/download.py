"""Files on their way in: `.part`, then size and digest, fsync, rename, fsync of the directory.

A `.part` outlives a broken connection and a restart: the next download goes on behind it. What it
holds is judged as a whole, once it is whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from cache.errors import SegmentError, SourceError, StoreError
from cache.replica.durable import remove, rename_durably, sync, write_all, write_durably
from cache.replica.head import Blob, Dataset, Document, Following
from cache.replica.merkle import leaf_hashes, merkle_root
from cache.replica.regular import open_regular
from cache.replica.source import FileKind, file_name

LEAVES, PART = ".leaves", ".part"


class File(msgspec.Struct, frozen=True):
    """An immutable file that a head names: `name` is its digest in hex, `size` its bytes."""

    kind: FileKind
    name: str
    size: int

    @classmethod
    def of(cls, kind: FileKind, named: Dataset | Following | Document | Blob) -> File:
        """Return the file of this kind that a head names so."""
        return cls(kind, named.name, named.size)

    def within(self, directory: Path) -> Path:
        """Return where it lies in the replica's directory."""
        return directory / file_name(self.kind, self.name)


class Part:
    """A file on its way in: takes exactly the declared number of bytes and not one more.

    Its methods may be called from different threads; they wait for each other. So closing never
    pulls the descriptor away from a write that whoever began it has given up.
    """

    def __init__(self, directory: Path, file: File) -> None:
        self.file = file
        self._directory = directory
        self._target = file.within(directory)
        self.path = self._target.with_name(self._target.name + PART)
        self._lock = threading.Lock()
        self._closed = False
        self._kept = True
        try:
            self._descriptor = self._opened()
            self.written = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise store_error("start a download", error) from error
        self.begun_at = self.written
        """Bytes that an earlier download left here. `written` are those that are here now."""

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        :raises SourceError: if there are more than the head declared.
        :raises StoreError: if they cannot be written, or after `close`.
        """
        with self._lock:
            self._require_open()
            if self.written + len(data) > self.file.size:
                size = self.file.size
                msg = f"the file is longer than the {size} bytes that its head declares"
                raise SourceError(msg)
            try:
                write_all(self._descriptor, data)
            except OSError as error:
                self._kept = False
                raise store_error("write a download", error) from error
            self.written += len(data)

    def finish(self) -> None:
        """Give the complete and verified bytes their name, durably; drop what is not verified.

        :raises SegmentError: if the size, or the Merkle root or SHA-256, is not the declared one.
        :raises StoreError: if the bytes cannot be made durable, or after `close`.
        """
        with self._lock:
            self._require_open()
            # Whatever goes wrong now, a download that went on behind these bytes would meet again.
            self._kept = False
            if self.written != self.file.size:
                raise SegmentError("the downloaded file is not as long as its head declares")
            try:
                keep(self.path, self._directory, self.file)
            except OSError as error:
                raise store_error("keep a download", error) from error

    def close(self) -> None:
        """Close. What was not finished stays for a later download, unless it went wrong.

        Waits for a write that still runs, so call it off the loop. Once is enough.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                if not (self._kept and self.written):
                    self._drop()
            finally:
                os.close(self._descriptor)

    def _opened(self) -> int:
        """Return the descriptor of the file, for writing at its end; nobody else writes to it."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
        if os.path.lexists(self.path) and stat.S_ISREG(self.path.lstat().st_mode):
            descriptor = os.open(self.path, flags)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_size <= self.file.size:
                    return descriptor
            except BlockingIOError:
                pass  # still open elsewhere: that one goes on, and comes to nothing
            except BaseException:  # whatever it is: the descriptor must not stay open
                os.close(descriptor)
                raise
            os.close(descriptor)
        remove(self.path)
        descriptor = os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return descriptor

    def _drop(self) -> None:
        # Only if it is ours: its name may be another download's by now.
        with contextlib.suppress(FileNotFoundError):
            if self.path.lstat().st_ino == os.fstat(self._descriptor).st_ino:
                self.path.unlink()

    def _require_open(self) -> None:
        if self._closed:
            raise StoreError("the download was given up")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def keep(path: Path, directory: Path, file: File) -> None:
    """Give a complete file its name, durably, if it is the one that its head names.

    :param path: where the bytes are; in the same directory.
    :raises SegmentError: if its Merkle root or SHA-256 is not the declared one.
    :raises OSError: if it cannot be read, or made durable.
    """
    hashes: list[bytes] = []
    with open_regular(path) as opened:
        if file.kind is FileKind.SEGMENT:
            hashes = leaf_hashes(opened)
            digest = merkle_root(hashes)
        else:
            digest = hashlib.file_digest(opened, "sha256").digest()
    if digest.hex() != file.name:
        raise SegmentError("the file is not the one that its head names")
    sync(path)
    target = file.within(directory)
    if hashes:
        write_durably(target.with_suffix(LEAVES), b"".join(hashes))
    rename_durably(path, target)


def store_error(doing: str, error: OSError) -> StoreError:
    """Return the error that says what could not be done with the replica's directory."""
    msg = f"cannot {doing}: {error.strerror}"
    return StoreError(msg, hint="check the disk: space, health, permissions")
