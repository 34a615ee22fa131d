"""The medium: the few system calls that the journal makes, behind a port.

Tests stand a simulated disk behind it that is full, broken, slow or loses its power.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import Protocol

_NO_FILE = frozenset({errno.ELOOP, errno.ENXIO, errno.EISDIR, errno.ENODEV})


class NotAFile(OSError):  # noqa: N818 - a state
    """What stands under the name is a folder, a link, a pipe or a device: nothing of ours."""


class Medium(Protocol):
    """Blocking file access. Every method raises `OSError` as the system call does.

    What is read, settled or trimmed and is no file raises `NotAFile`, and is not waited for.
    """

    def make_directory(self, directory: Path) -> None:
        """Create the directory (mode 0700) durably, with its parents, unless it is there."""
        ...

    def names(self, directory: Path) -> list[str]:
        """Return the names in the directory, in any order."""
        ...

    def read(self, path: Path, offset: int, limit: int) -> bytes:
        """Return up to `limit` bytes from `offset`; fewer only where the file ends."""
        ...

    def size(self, path: Path) -> int:
        """Return the file's length in bytes."""
        ...

    def free_bytes(self, directory: Path) -> int:
        """Return how many bytes the directory's file system still takes of this process."""
        ...

    def create(self, path: Path) -> int:
        """Return a new, empty file (mode 0600), open for writing, in place of any old one."""
        ...

    def is_at(self, file: int, path: Path) -> bool:
        """Return whether the open file is still the one that stands under this name."""
        ...

    def preallocate(self, file: int, length: int) -> None:
        """Make the empty file `length` zeros whose blocks are set aside; where not, leave it empty.

        Writing into blocks of its own moves neither the file's length nor the medium's map of it:
        their sync is one write less.
        """
        ...

    def write(self, file: int, offset: int, data: bytes) -> int:
        """Write from `offset` on; return how many bytes were taken, which may be fewer."""
        ...

    def sync(self, file: int) -> None:
        """Return once the file's data and length are durable (fdatasync)."""
        ...

    def truncate(self, file: int, length: int) -> None:
        """Cut the file to `length` bytes."""
        ...

    def trim(self, path: Path, length: int) -> None:
        """Cut the file of this name to `length` bytes."""
        ...

    def close(self, file: int) -> None:
        """Close the file, and give up its lock."""
        ...

    def settle(self, path: Path) -> None:
        """Make the file durable as it stands, and read it from the medium from here on."""
        ...

    def rename(self, source: Path, target: Path) -> None:
        """Give the file its new name, in place of any file that had it."""
        ...

    def remove(self, path: Path) -> None:
        """Remove the name."""
        ...

    def sync_directory(self, directory: Path) -> None:
        """Return once the directory's names are durable."""
        ...

    def lock(self, path: Path) -> int:
        """Return an open file that holds the exclusive lock of `path`.

        :raises BlockingIOError: if another process holds it.
        """
        ...


class PosixMedium:
    """The operating system's files (Linux)."""

    def make_directory(self, directory: Path) -> None:
        """Create the directory (mode 0700) durably, with its parents, unless it is there."""
        if directory.is_dir():
            return
        self.make_directory(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)
        self.sync_directory(directory.parent)

    def names(self, directory: Path) -> list[str]:
        """Return the names in the directory, in any order."""
        return os.listdir(directory)  # noqa: PTH208 - names, not paths

    def read(self, path: Path, offset: int, limit: int) -> bytes:
        """Return up to `limit` bytes from `offset`; fewer only where the file ends."""
        with open(_opened(path, os.O_RDONLY), "rb") as file:
            file.seek(offset)
            return file.read(limit)

    def size(self, path: Path) -> int:
        """Return the file's length in bytes."""
        return path.lstat().st_size

    def free_bytes(self, directory: Path) -> int:
        """Return how many bytes the directory's file system still takes of this process."""
        found = os.statvfs(directory)
        return found.f_bavail * found.f_frsize

    def create(self, path: Path) -> int:
        """Return a new, empty file (mode 0600), open for writing, in place of any old one."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(path, flags, 0o600)

    def is_at(self, file: int, path: Path) -> bool:
        """Return whether the open file is still the one that stands under this name.

        Asked before every group, and therefore of /proc/self/fd (proc(5)): who asks for a file's
        times has Linux note the next write's more finely (multigrain timestamps, since 6.13), and
        every sync then writes the inode besides: it takes half as long again.
        """
        try:
            shown = os.readlink(f"/proc/self/fd/{file}")  # noqa: PTH115 - text, compared as such
            return shown == _placed(path)
        except OSError:  # no /proc here
            pass
        try:
            return os.path.samestat(os.fstat(file), path.lstat())
        except FileNotFoundError:
            return False

    def preallocate(self, file: int, length: int) -> None:
        """Make the empty file `length` zeros, their blocks set aside; where not, leave it empty."""
        try:
            os.posix_fallocate(file, 0, length)
        except OSError:
            os.ftruncate(file, 0)  # what was set aside before the space ended
            raise

    def write(self, file: int, offset: int, data: bytes) -> int:
        """Write from `offset` on; return how many bytes were taken, which may be fewer."""
        return os.pwrite(file, data, offset)

    def sync(self, file: int) -> None:
        """Return once the file's data and length are durable (fdatasync)."""
        os.fdatasync(file)

    def truncate(self, file: int, length: int) -> None:
        """Cut the file to `length` bytes."""
        os.ftruncate(file, length)

    def trim(self, path: Path, length: int) -> None:
        """Cut the file of this name to `length` bytes."""
        file = _opened(path, os.O_WRONLY | os.O_NOFOLLOW)
        try:
            os.ftruncate(file, length)
        finally:
            os.close(file)

    def close(self, file: int) -> None:
        """Close the file, and give up its lock."""
        os.close(file)

    def settle(self, path: Path) -> None:
        """Make the file durable as it stands, and read it from the medium from here on.

        After a failed write-back the page cache may show data that the medium never got; clean
        pages are therefore dropped, so that the next read tells the truth.
        """
        file = _opened(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)

    def rename(self, source: Path, target: Path) -> None:
        """Give the file its new name, in place of any file that had it."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove the name."""
        path.unlink()

    def sync_directory(self, directory: Path) -> None:
        """Return once the directory's names are durable."""
        file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)

    def lock(self, path: Path) -> int:
        """Return an open file that holds the exclusive lock of `path` (flock)."""
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:  # an interrupt, too, must not leave the descriptor open
            os.close(file)
            raise
        return file


def _placed(path: Path) -> str:
    return f"{_real(path.parent)}/{path.name}"


@lru_cache(maxsize=8)
def _real(folder: Path) -> str:
    """Return a folder without symbolic links, as they were when it was first asked for."""
    return os.path.realpath(folder)


def _opened(path: Path, flags: int) -> int:
    """Return the open file of this name, which is one: a pipe would keep us waiting for ever."""
    try:
        file = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise NotAFile(errno.EINVAL, "no file, but a link, a pipe or a folder") from error
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise NotAFile(errno.EINVAL, "no file, but a link, a pipe or a folder")
    return file


def write_whole(medium: Medium, file: int, offset: int, data: bytes) -> None:
    """Write all of `data` from `offset` on, in as many writes as it takes.

    :raises OSError: as the medium does, or if it takes nothing.
    """
    while data:
        taken = medium.write(file, offset, data)
        if taken <= 0:
            raise OSError(errno.EIO, "the medium took no bytes")
        data, offset = data[taken:], offset + taken
