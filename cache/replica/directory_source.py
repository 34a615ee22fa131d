"""Releases from a folder: a mirror that came on a medium, read as an upstream is."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from cache.errors import FileAbsent, SourceError
from cache.replica.head import MAX_HEAD_BYTES
from cache.replica.regular import open_regular
from cache.replica.source import ByteSink, FileKind, path_of

CHUNK_BYTES = 1 << 18
_METADATA_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")


class DirectorySource:
    """Implements `cache.replica.source.ReplicaSource` over a folder.

    :param folder: holds what an upstream serves as `replica/`: `head`, `segments/` and so on. It
        need not exist; whatever lies in it is as little trusted as an upstream's answers.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def head(self) -> bytes:
        """Return the head.

        :raises SourceError: if there is none, or it is larger than a head may be.
        """
        data = await asyncio.to_thread(self._read, "head", 0, MAX_HEAD_BYTES + 1)
        if len(data) > MAX_HEAD_BYTES:
            raise SourceError("the folder's head is larger than a head may be")
        return data

    async def file(
        self, kind: FileKind, name: str, size: int, to: ByteSink, *, start: int = 0
    ) -> None:
        """Write a file's bytes from `start` on to `to`; see `ReplicaSource.file`.

        :raises SourceError: if it cannot be read, or has another size.
        :raises FileAbsent: if there is none.
        """
        await asyncio.to_thread(self._copy, path_of(kind, name), size, to, start)

    async def part_of(self, kind: FileKind, name: str, start: int, end: int) -> bytes:
        """Return some bytes of a file; see `ReplicaSource.part_of`.

        :raises SourceError: if they cannot be read.
        """
        data = await asyncio.to_thread(self._read, path_of(kind, name), start, end - start)
        if len(data) != end - start:
            raise SourceError("the folder's file ends before the bytes asked for")
        return data

    async def metadata(self, name: str, limit_bytes: int) -> bytes:
        """Return a file of the trust metadata; see `ReplicaSource.metadata`.

        :raises SourceError: if it cannot be read or is too large.
        """
        if not _METADATA_NAME.fullmatch(name):
            raise SourceError("no trust metadata has such a name")
        data = await asyncio.to_thread(self._read, f"metadata/{name}", 0, limit_bytes + 1)
        if len(data) > limit_bytes:
            msg = f"the folder's {name} has more than {limit_bytes} bytes"
            raise SourceError(msg)
        return data

    def _read(self, path: str, start: int, size: int) -> bytes:
        try:
            with open_regular(self._folder / path) as file:
                file.seek(start)
                return file.read(size)
        except OSError as error:
            raise _cannot_read(path, error) from error

    def _copy(self, path: str, size: int, to: ByteSink, start: int) -> None:
        try:
            with open_regular(self._folder / path) as file:
                held = file.seek(0, 2)
                if held != size:
                    msg = f"the folder has {held} bytes of a file of {size}"
                    raise SourceError(msg)
                file.seek(start)
                while chunk := file.read(CHUNK_BYTES):
                    to.write(chunk)
        except OSError as error:
            raise _cannot_read(path, error) from error


def _cannot_read(path: str, error: OSError) -> SourceError:
    msg = f"the folder's {path} cannot be read: {error.strerror}"
    kind = FileAbsent if isinstance(error, FileNotFoundError) else SourceError
    return kind(msg, hint="mount the medium, or copy the mirror anew")
