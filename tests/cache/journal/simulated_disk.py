"""A disk behind the Medium port: counts operations, fails on demand, and can lose its power.

It knows what is durable and what is merely in the page cache. After a failed sync it behaves like
Linux: the pages count as clean, stay readable, and never reach the medium (fsyncgate).
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from random import Random

SECTOR = 512


class PowerCut(BaseException):
    """The machine is gone. Not an Exception: no handler of the product may survive it."""


class _Inode:
    def __init__(self) -> None:
        self.cached = b""
        self.durable = b""
        self.dropped: set[int] = set()  # offsets that a failed sync left clean but unwritten

    def flushed(self) -> bytes:
        whole = bytearray(self.cached)
        for offset in self.dropped:
            if offset < len(whole):
                whole[offset] = self.durable[offset] if offset < len(self.durable) else 0
        return bytes(whole)

    def after_cut(self, rng: Random) -> bytes:
        mode = rng.choice(("dropped", "kept", "torn", "torn"))
        if mode == "dropped":
            return self.durable
        flushed = self.flushed()
        if mode == "kept":
            return flushed
        length = rng.choice((len(self.durable), len(flushed), self._between(rng, len(flushed))))
        sectors = []
        for start in range(0, length, SECTOR):
            source = rng.choice((self.durable, flushed))
            end = min(start + SECTOR, length)
            sectors.append(source[start:end].ljust(end - start, b"\0"))
        # What was durable and has not been written since stays as it was.
        kept = min(len(self.durable), length) if flushed.startswith(self.durable) else 0
        return self.durable[:kept] + b"".join(sectors)[kept:]

    def _between(self, rng: Random, length: int) -> int:
        return rng.randint(*sorted((len(self.durable), length)))


class SimulatedDisk:
    """`before(operation, count)` runs before every operation and may raise to make it fail.

    :param honest: whether `sync` does anything; a disk that lies is the positive control.
    """

    def __init__(self, *, honest: bool = True) -> None:
        self.honest = honest
        self.operations: list[str] = []
        self.before: Callable[[str, int], None] = lambda operation, count: None
        self.short_writes = False
        self._names: dict[Path, _Inode] = {}
        self._durable_names: dict[Path, _Inode] = {}
        self._directories: set[Path] = set()  # always durable: the port promises it
        self._open: dict[int, _Inode] = {}
        self._next = 100

    def cut(self, rng: Random) -> SimulatedDisk:
        """Return the disk as it is found after a power cut at this moment."""
        after = SimulatedDisk(honest=self.honest)
        after._directories = set(self._directories)
        for path in {*self._names, *self._durable_names}:
            inode = rng.choice((self._names.get(path), self._durable_names.get(path)))
            if inode is not None:
                found = _Inode()
                found.cached = found.durable = inode.after_cut(rng)
                after._names[path] = after._durable_names[path] = found
        return after

    def content(self, path: Path) -> bytes:
        return self._names[path].cached

    def overwrite(self, path: Path, data: bytes) -> None:
        inode = self._names[path]
        inode.cached = inode.durable = data

    def _operate(self, operation: str) -> None:
        self.operations.append(operation)
        self.before(operation, len(self.operations))

    def _found(self, path: Path) -> _Inode:
        if path not in self._names:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
        return self._names[path]

    def _opened(self, inode: _Inode) -> int:
        self._next += 1
        self._open[self._next] = inode
        return self._next

    def make_directory(self, directory: Path) -> None:
        self._operate("make_directory")
        self._directories.add(directory)

    def names(self, directory: Path) -> list[str]:
        paths = [*self._names, *self._directories]
        return [path.name for path in paths if path.parent == directory]

    def read(self, path: Path, offset: int, limit: int) -> bytes:
        return self._found(path).cached[offset : offset + limit]

    def create(self, path: Path) -> int:
        self._operate("create")
        self._names[path] = _Inode()
        return self._opened(self._names[path])

    def append(self, file: int, data: bytes) -> int:
        self._operate("append")
        taken = max(1, len(data) // 2) if self.short_writes else len(data)
        self._open[file].cached += data[:taken]
        return taken

    def sync(self, file: int) -> None:
        inode = self._open[file]
        try:
            self._operate("sync")
        except OSError:
            inode.dropped |= set(range(len(inode.durable), len(inode.cached)))
            raise
        if self.honest:
            inode.durable = inode.flushed()

    def truncate(self, file: int, length: int) -> None:
        self._operate("truncate")
        self._open[file].cached = self._open[file].cached[:length]

    def close(self, file: int) -> None:
        self._open.pop(file)

    def settle(self, path: Path) -> None:
        self._operate("settle")
        inode = self._found(path)
        if self.honest:
            inode.durable = inode.cached = inode.flushed()

    def rename(self, source: Path, target: Path) -> None:
        self._operate("rename")
        self._found(source)
        self._names[target] = self._names.pop(source)

    def remove(self, path: Path) -> None:
        self._operate("remove")
        self._found(path)
        del self._names[path]

    def sync_directory(self, directory: Path) -> None:
        self._operate("sync_directory")
        if self.honest:
            self._durable_names = dict(self._names)

    def lock(self, path: Path) -> int:
        self._operate("lock")
        return self._opened(_Inode())
