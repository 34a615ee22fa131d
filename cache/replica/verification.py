"""Checking every byte of a stored release against its signed head: nothing is opened or changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from cache.replica.contents import Contents
from cache.replica.download import File
from cache.replica.head import Dataset
from cache.replica.heal import signed_leaves
from cache.replica.merkle import LEAF_BYTES, leaf_hash, merkle_root
from cache.replica.regular import open_regular
from cache.replica.source import FileKind

Progress = Callable[[int], None]
"""Told how many bytes were read since it was told before."""


class Condition(StrEnum):
    """What a stored file is worth."""

    SOUND = "sound"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    """The medium does not give it."""
    OTHER = "other"
    """Not the file that the head names, and it cannot be told which part of it is wrong."""
    DAMAGED = "damaged"
    """Some leaves of a base: the others answer, and a running gate mends these."""


class Finding(msgspec.Struct, frozen=True):
    """One file of a release. `name` is the dataset's or document's, `leaves` its damaged ones."""

    name: str
    file: File
    condition: Condition
    leaves: tuple[int, ...] = ()


def files_of(contents: Contents) -> list[tuple[str, File, Dataset | None]]:
    """Return the files that a gate's part of a release needs: whose, which, and of which base."""
    files: list[tuple[str, File, Dataset | None]] = []
    for name, dataset in contents.datasets.items():
        files.append((name, File.of(FileKind.SEGMENT, dataset), dataset))
        deltas = [File.of(FileKind.DELTA, delta.file) for delta in dataset.deltas]
        files += [(name, delta, None) for delta in deltas]
    for name, document in contents.documents.items():
        files.append((name, File.of(FileKind.DOCUMENT, document), None))
    return files


def verify(directory: Path, contents: Contents, progress: Progress) -> Iterator[Finding]:
    """Yield a finding for every file that these contents need.

    :param directory: the replica's folder of files (`files.ReplicaFiles`).
    """
    for name, file, base in files_of(contents):
        try:
            digests = _digests(directory, file, progress)
        except FileNotFoundError:
            yield Finding(name, file, Condition.MISSING)
        except OSError:
            yield Finding(name, file, Condition.UNREADABLE)
        else:
            yield _judged(directory, name, file, base, digests)


def _digests(directory: Path, file: File, progress: Progress) -> list[bytes]:
    """Return the leaf hashes of a base, or the one SHA-256 of any other file.

    :raises OSError: if it cannot be read.
    """
    leaves, whole = [], hashlib.sha256()
    with open_regular(file.within(directory)) as opened:
        while data := opened.read(LEAF_BYTES):
            if file.kind is FileKind.SEGMENT:
                leaves.append(leaf_hash(data))
            else:
                whole.update(data)
            progress(len(data))
    return leaves if file.kind is FileKind.SEGMENT else [whole.digest()]


def _judged(
    directory: Path, name: str, file: File, base: Dataset | None, digests: list[bytes]
) -> Finding:
    digest = digests[0] if base is None else merkle_root(digests)
    if digest.hex() == file.name:
        return Finding(name, file, Condition.SOUND)
    signed = None if base is None else signed_leaves(directory, file)
    if signed is None or len(signed) != len(digests):
        return Finding(name, file, Condition.OTHER)
    pairs = enumerate(zip(signed, digests, strict=True))
    damaged = tuple(number for number, (wanted, found) in pairs if wanted != found)
    return Finding(name, file, Condition.DAMAGED, damaged)
