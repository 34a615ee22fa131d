"""A disk whose n-th call fails, or at whose n-th call the machine goes off.

Every call that changes what lies in a folder, or opens something there, goes through here, from
whatever module it comes: `os`, `pathlib` and `open` alike. Bytes are not forced to a real medium.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ON_PATHS = ("open", "unlink", "remove", "rename", "replace", "link", "symlink", "mkdir", "truncate")
ON_DESCRIPTORS = ("write", "pwrite", "fsync", "fdatasync", "fchmod", "ftruncate")


class PowerCutError(BaseException):
    """The machine is off: not an Exception, so that nothing of ours handles it."""


FAULTS: dict[str, Callable[[], BaseException]] = {
    "full": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "broken": lambda: OSError(errno.EIO, "Input/output error"),
    "power cut": PowerCutError,
}


class Disk:
    """Counts the calls on what lies in a folder, and lets one of them fail.

    :param fail_at: the number of the call, from 0; None = none of them.
    """

    def __init__(
        self,
        folder: Path,
        fail_at: int | None = None,
        fault: Callable[[], BaseException] = PowerCutError,
    ) -> None:
        self.calls: list[str] = []
        self._folder = str(folder)
        self._fail_at = fail_at
        self._fault = fault
        self._descriptors = set[int]()

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Stand between this process and the folder for the block."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ON_PATHS:
                patch.setattr(os, name, self._on_path(name, getattr(os, name)))
            for name in ON_DESCRIPTORS:
                patch.setattr(os, name, self._on_descriptor(name, getattr(os, name)))
            patch.setattr(os, "close", self._on_close(os.close))
            patch.setattr(io, "open", self._on_file(io.open))
            yield

    def called(self, name: str) -> bool:
        """Count one call; return whether it is to fail in its midst, and raise if before it."""
        number = len(self.calls)
        self.calls.append(name)
        if self._fail_at is None or number < self._fail_at:
            return False
        if number == self._fail_at:
            return True
        if isinstance(self._fault(), PowerCutError):
            raise self._fault()
        return False

    def failure(self) -> BaseException:
        return self._fault()

    def _ours(self, path: Any) -> bool:
        return isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(self._folder)

    def _on_path(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *rest: Any, **named: Any) -> Any:
            if not self._ours(path):
                return real(path, *rest, **named)
            if self.called(name):
                raise self._fault()
            result = real(path, *rest, **named)
            if name == "open":
                self._descriptors.add(result)
            return result

        return call

    def _on_descriptor(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(descriptor: int, *rest: Any) -> Any:
            if descriptor not in self._descriptors:
                return real(descriptor, *rest)
            if self.called(name):
                if name in {"write", "pwrite"}:
                    half = bytes(rest[0])[: len(rest[0]) // 2]
                    real(descriptor, half, *rest[1:])
                raise self._fault()
            return None if name in {"fsync", "fdatasync"} else real(descriptor, *rest)

        return call

    def _on_close(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def close(descriptor: int) -> None:
            self._descriptors.discard(descriptor)
            real(descriptor)

        return close

    def _on_file(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
            if not self._ours(path):
                return real(path, mode, *rest, **named)
            if self.called("open"):
                raise self._fault()
            if set(mode) <= set("rbt"):
                return real(path, mode, *rest, **named)
            raw = _File(self, os.fspath(path), mode.replace("b", ""))
            return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)

        return call


class _File(io.FileIO):
    """A file opened for writing by `open`."""

    def __init__(self, disk: Disk, path: str, mode: str) -> None:
        super().__init__(path, mode)
        self._disk = disk

    def write(self, data: Any) -> int | None:
        if self._disk.called("write"):
            super().write(bytes(data)[: len(data) // 2])
            raise self._disk.failure()
        return super().write(data)

    def truncate(self, size: int | None = None) -> int:
        if self._disk.called("ftruncate"):
            raise self._disk.failure()
        return super().truncate(size)
