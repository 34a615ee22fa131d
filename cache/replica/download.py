"""Files on their way in: `.part`, then size and digest, fsync, rename, fsync of the directory."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from cache.errors import SegmentError, SourceError, StoreError
from cache.replica.durable import remove, rename_durably, write_all, write_durably
from cache.replica.head import Dataset, Document
from cache.replica.merkle import leaf_hashes, merkle_root

SEGMENT, LEAVES, DOCUMENT, PART = ".segment", ".leaves", ".document", ".part"


class Part:
    """A file on its way in: takes exactly the declared number of bytes and not one more.

    Its methods may be called from different threads; they wait for each other. So closing never
    pulls the descriptor away from a write that whoever began it has given up.
    """

    def __init__(self, directory: Path, wanted: Dataset | Document) -> None:
        self.wanted = wanted
        name = wanted.name + (SEGMENT if isinstance(wanted, Dataset) else DOCUMENT)
        self.path = directory / (name + PART)
        self._target = directory / name
        self._leaves = directory / (wanted.name + LEAVES)
        self._written = 0
        self._lock = threading.Lock()
        self._closed = False
        try:
            remove(self.path)
            # A new file each time: the old one might still be open elsewhere.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise _store_error("start a download", error) from error

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        :raises SourceError: if there are more than the head declared.
        :raises StoreError: if they cannot be written, or after `close`.
        """
        with self._lock:
            self._require_open()
            self._written += len(data)
            if self._written > self.wanted.size:
                size = self.wanted.size
                msg = f"the file is longer than the {size} bytes that its head declares"
                raise SourceError(msg)
            try:
                write_all(self._descriptor, data)
            except OSError as error:
                raise _store_error("write a download", error) from error

    def finish(self) -> None:
        """Give the complete and verified bytes their name, durably.

        :raises SegmentError: if the size, or the Merkle root or SHA-256, is not the declared one.
        :raises StoreError: if the bytes cannot be made durable, or after `close`.
        """
        with self._lock:
            self._require_open()
            try:
                self._keep()
            except OSError as error:
                raise _store_error("keep a download", error) from error

    def close(self) -> None:
        """Close, and drop whatever was not finished. Once is enough.

        Waits for a write that still runs, so call it off the loop.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                os.close(self._descriptor)
            finally:
                self.path.unlink(missing_ok=True)

    def _keep(self) -> None:
        if isinstance(self.wanted, Document):
            with self.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
            self._require(digest == self.wanted.sha256)
            os.fsync(self._descriptor)
        else:
            with self.path.open("rb") as file:
                hashes = leaf_hashes(file)
            self._require(merkle_root(hashes) == self.wanted.root)
            os.fsync(self._descriptor)
            write_durably(self._leaves, b"".join(hashes))
        rename_durably(self.path, self._target)

    def _require(self, named: bool) -> None:
        if not named or self._written != self.wanted.size:
            raise SegmentError("the downloaded file is not the one that its head names")

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


def _store_error(doing: str, error: OSError) -> StoreError:
    msg = f"cannot {doing}: {error.strerror}"
    return StoreError(msg, hint="check the disk: space, health, permissions")
