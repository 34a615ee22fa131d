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
        self.dirty: set[int] = set()  # offsets that were written since the last sync
        self.dropped: set[int] = set()  # offsets that a failed sync left clean but unwritten

    def write(self, offset: int, data: bytes) -> None:
        end = offset + len(data)
        whole = self.cached.ljust(offset, b"\0")
        self.cached = whole[:offset] + data + whole[end:]
        self.dirty |= set(range(offset, end))

    def flushed(self) -> bytes:
        whole = bytearray(self.cached)
        for offset in self.dropped:
            if offset < len(whole):
                whole[offset] = self.durable[offset] if offset < len(self.durable) else 0
        return bytes(whole)

    def synced(self) -> None:
        self.durable = self.flushed()
        self.dirty.clear()

    def failed_to_sync(self) -> None:
        self.dropped |= self.dirty
        self.dirty.clear()

    def after_cut(self, rng: Random) -> bytes:
        """Return what a power cut leaves: of every sector the old bytes or the new ones.

        In space that was set aside, the old ones are zeros. What was durable and has not been
        written since stands in both.
        """
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
        return b"".join(sectors)

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

    def size(self, path: Path) -> int:
        return len(self._found(path).cached) if path in self._names else 0

    def free_bytes(self, directory: Path) -> int:
        return 1 << 40

    def create(self, path: Path) -> int:
        self._operate("create")
        self._names[path] = _Inode()
        return self._opened(self._names[path])

    def is_at(self, file: int, path: Path) -> bool:
        return self._names.get(path) is self._open[file]

    def preallocate(self, file: int, length: int) -> None:
        self._operate("preallocate")
        self._open[file].cached = bytes(length)

    def write(self, file: int, offset: int, data: bytes) -> int:
        self._operate("write")
        taken = max(1, len(data) // 2) if self.short_writes else len(data)
        self._open[file].write(offset, data[:taken])
        return taken

    def sync(self, file: int) -> None:
        inode = self._open[file]
        try:
            self._operate("sync")
        except OSError:
            inode.failed_to_sync()
            raise
        if self.honest:
            inode.synced()

    def truncate(self, file: int, length: int) -> None:
        self._operate("truncate")
        self._open[file].cached = self._open[file].cached[:length]

    def trim(self, path: Path, length: int) -> None:
        self._operate("trim")
        self._found(path).cached = self._found(path).cached[:length]

    def close(self, file: int) -> None:
        self._open.pop(file)

    def settle(self, path: Path) -> None:
        self._operate("settle")
        inode = self._found(path)
        if self.honest:
            inode.synced()
            inode.cached = inode.durable

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
