"""Files that are whole or absent after a power cut: write, fsync, rename, fsync the directory."""

from __future__ import annotations

import os
from pathlib import Path

TEMPORARY = ".tmp"


def write_durably(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace the file with these bytes: after a power cut it holds the old bytes or the new.

    :raises OSError: if any step fails; the file then holds the old bytes or the new, whole.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        os.fchmod(descriptor, mode)  # exactly this mode, whatever the umask
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    rename_durably(temporary, path)


def write_all(descriptor: int, data: bytes) -> None:
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
