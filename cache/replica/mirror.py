"""A release in a folder: written from what a gate holds, or taken from one that came on a medium.

The folder has the form that an upstream serves as `replica/`: any web server may carry it, and
`directory_source.DirectorySource` reads it. Whatever is in it is judged again by whoever reads it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from cache.errors import SegmentError, StoreError
from cache.replica.download import File
from cache.replica.durable import make_directory, remove, sync, write_all, write_durably
from cache.replica.merkle import LEAF_BYTES, leaf_hash, merkle_root
from cache.replica.regular import open_regular
from cache.replica.source import FileKind, path_of

METADATA = "metadata"
PARTIAL = ".new"
FORMER = ".old"
_ANEW = "copy it anew from a sound mirror"

Progress = Callable[[int], None]
"""Told how many bytes were copied since it was told before."""
Opener = Callable[[File], Path]
"""Returns where a file is to be read."""


def copy_file(file: File, source: Path, target: Path, progress: Progress) -> None:
    """Copy one file of a release, durably, and only if it is the one that its name says.

    :raises SegmentError: if it is another one, or cannot be read.
    :raises OSError: if it cannot be written.
    """
    make_directory(target.parent)
    remove(target)
    leaves, whole, size = [], hashlib.sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with _opened(source) as opened:
            while (data := _read(opened, source)) and size <= file.size:
                size += len(data)
                if file.kind is FileKind.SEGMENT:
                    leaves.append(leaf_hash(data))
                else:
                    whole.update(data)
                write_all(descriptor, data)
                progress(len(data))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    digest = merkle_root(leaves) if file.kind is FileKind.SEGMENT else whole.digest()
    if size != file.size or digest.hex() != file.name:
        msg = f"{source} is damaged, or not what its name says"
        raise SegmentError(msg, hint=_ANEW)
    sync(target.parent)


def _opened(source: Path) -> BufferedReader:
    try:
        return open_regular(source)
    except OSError as error:
        raise _unreadable(source, error) from error


def _read(opened: BufferedReader, source: Path) -> bytes:
    try:
        return opened.read(LEAF_BYTES)
    except OSError as error:
        raise _unreadable(source, error) from error


def _unreadable(source: Path, error: OSError) -> SegmentError:
    msg = f"{source} cannot be read: {error.strerror}"
    return SegmentError(msg, hint=_ANEW)


def write_mirror(
    folder: Path,
    *,
    envelope: bytes,
    files: Iterable[File],
    source: Opener,
    metadata: Mapping[str, bytes],
    progress: Progress,
) -> None:
    """Have a release in a folder: the old one stays until the new one is whole.

    What was copied of one that could not be written is removed: it is room on somebody's stick.

    :param envelope: the signed head.
    :param files: those that it names and that are to be there.
    :param metadata: trust metadata by the names that they are served under.
    :raises SegmentError: if a file is damaged at its source, or cannot be read there.
    :raises StoreError: if the folder cannot be written.
    """
    partial = folder.with_name(folder.name + PARTIAL)
    former = folder.with_name(folder.name + FORMER)
    try:
        with _removed_unless_whole(partial):
            make_directory(partial)
            for file in files:
                copy_file(file, source(file), partial / path_of(file.kind, file.name), progress)
            for name, data in metadata.items():
                make_directory(partial / METADATA)
                write_durably(partial / METADATA / name, data)
            write_durably(partial / "head", envelope)
        _empty(former)
        if folder.exists():
            folder.rename(former)
        partial.rename(folder)
        sync(folder.parent)
        _empty(former)
    except OSError as error:
        msg = f"{folder} cannot be written: {error.strerror}"
        raise StoreError(msg, hint="check the medium: space, permissions, read-only?") from error


@contextmanager
def _removed_unless_whole(partial: Path) -> Iterator[None]:
    """Have nothing under a name before, and what was put there afterwards only if all of it was."""
    _empty(partial)
    try:
        yield
    except BaseException:  # Ctrl-C too
        with suppress(OSError):
            _empty(partial)
        raise


def _empty(folder: Path) -> None:
    """Have nothing under a name of ours."""
    if folder.is_dir() and not folder.is_symlink():
        for path in folder.iterdir():
            _empty(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        folder.rmdir()
    else:
        folder.unlink(missing_ok=True)
