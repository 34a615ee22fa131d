"""The replica's port to its upstream: where heads, files and trust metadata come from."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class FileKind(StrEnum):
    """What an immutable file is. The value ends its name: `<64 hex digits>.<kind>`."""

    SEGMENT = "segment"
    """A dataset's base, named by its Merkle root. The others are named by their SHA-256."""
    SNAPSHOT = "snapshot"
    """The same rows, packed for the wire."""
    DELTA = "delta"
    RECIPE = "recipe"
    """How the rows of the base to come are coded."""
    DOCUMENT = "document"


def file_name(kind: FileKind, name: str) -> str:
    """Return a file's name in its folder.

    >>> file_name(FileKind.DELTA, "ab12")
    'ab12.delta'
    """
    return f"{name}.{kind}"


def path_of(kind: FileKind, name: str) -> str:
    """Return where a file lies beneath the folder that an upstream serves as `replica/`.

    >>> path_of(FileKind.RECIPE, "ab12")
    'recipes/ab12.recipe'
    """
    return f"{kind}s/{file_name(kind, name)}"


class ByteSink(Protocol):
    """Where a source puts a file's bytes."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes; may block for one write, so call it off the loop.

        :raises ReplicaError: if there are more than declared, or they cannot be kept.
        """
        ...


class ReplicaSource(Protocol):
    """Where heads and files come from. Nothing it hands over is trusted.

    A file's name is 64 lower-case hex digits.
    """

    async def head(self) -> bytes:
        """Return the newest head's envelope, at most `MAX_HEAD_BYTES`.

        :raises SourceError: if it cannot be had within the source's timeout.
        """
        ...

    async def file(
        self, kind: FileKind, name: str, size: int, to: ByteSink, *, start: int = 0
    ) -> None:
        """Write the bytes from `start` on of a file of `size` bytes to `to`, in order.

        What was written before a failure counts: the next call may go on behind it.

        :param start: 0 to `size` - 1.
        :raises SourceError: if it cannot be had, or is not `size` bytes long.
        :raises FileAbsent: if the upstream answers that it has none.
        """
        ...

    async def part_of(self, kind: FileKind, name: str, start: int, end: int) -> bytes:
        """Return the bytes from `start` up to and without `end` of a file.

        :raises SourceError: if exactly these cannot be had.
        """
        ...

    async def metadata(self, name: str, limit_bytes: int) -> bytes:
        """Return a file of the trust metadata, such as `timestamp.json`.

        :raises SourceError: if it cannot be had, or has more than `limit_bytes` bytes.
        """
        ...
