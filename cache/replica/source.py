"""The replica's port to its upstream: where heads, segments and documents come from."""

from __future__ import annotations

from typing import Protocol


class ByteSink(Protocol):
    """Where a source puts a file's bytes."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes; may block for one write, so call it off the loop.

        :raises ReplicaError: if there are more than declared, or they cannot be kept.
        """
        ...


class ReplicaSource(Protocol):
    """Where heads and files come from. Nothing it hands over is trusted."""

    async def head(self) -> bytes:
        """Return the newest head's envelope, at most `MAX_HEAD_BYTES`.

        :raises SourceError: if it cannot be had within the source's timeout.
        """
        ...

    async def segment(self, name: str, size: int, to: ByteSink) -> None:
        """Write the segment of this name (64 lower-case hex digits) and of `size` bytes to `to`.

        :raises SourceError: if it cannot be had, or is not `size` bytes long.
        """
        ...

    async def document(self, name: str, size: int, to: ByteSink) -> None:
        """Write the document of this name (64 lower-case hex digits) and of `size` bytes to `to`.

        :raises SourceError: if it cannot be had, or is not `size` bytes long.
        """
        ...
