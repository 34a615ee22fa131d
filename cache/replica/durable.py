"""Files that are whole or absent after a power cut: write, fsync, rename, fsync the directory.

A directory that lies under a name of ours does not stop this: it is moved aside.
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import Any

TEMPORARY = ".tmp"
STRAY = ".stray"
"""What was found under a name of ours, and is not ours, keeps its name with this behind it."""
_DIRECTORY_MODE = 0o700


def make_directory(path: Path) -> None:
    """Create the directory, and its parents, each with mode 0700 whatever the umask.

    :raises OSError: if it cannot be created.
    """
    if path.is_dir():
        return
    make_directory(path.parent)
    set_aside(path)
    path.mkdir(mode=_DIRECTORY_MODE, exist_ok=True)


def remove(path: Path) -> None:
    """Have nothing under this name: a file is removed, a directory moved aside.

    :raises OSError: if that fails.
    """
    if path.is_dir() and not path.is_symlink():
        set_aside(path)
    else:
        path.unlink(missing_ok=True)


def set_aside(path: Path) -> None:
    """Give whatever lies under this name another one, beside it.

    :raises OSError: if that fails.
    """
    if not os.path.lexists(path):
        return
    names = (path.with_name(f"{path.name}{STRAY}{number or ''}") for number in count())
    path.rename(next(name for name in names if not os.path.lexists(name)))


def write_durably(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace the file with these bytes: after a power cut it holds the old bytes or the new.

    :raises OSError: if any step fails; the file then holds the old bytes or the new, whole.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    remove(temporary)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        os.fchmod(descriptor, mode)  # exactly this mode, whatever the umask
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    rename_durably(temporary, path)


def write_all(descriptor: int, data: bytes | memoryview[Any]) -> None:
    """Write every byte, in as many calls as the system takes.

    :raises OSError: if one of them fails; the bytes before it are written.
    """
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def rename_durably(source: Path, target: Path) -> None:
    """Rename within one directory and make the new name durable. The source is already synced.

    :raises OSError: if either step fails.
    """
    if target.is_dir():
        set_aside(target)  # a directory cannot be replaced
    os.replace(source, target)  # noqa: PTH105 - one seam for the fault tests: os
    sync(target.parent)


def sync(path: Path) -> None:
    """Return once a file's bytes, or a directory's names, are on the medium.

    :raises OSError: if they are not.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
