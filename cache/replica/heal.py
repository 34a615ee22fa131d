"""Mending a stored segment: only its damaged leaves are fetched, each against its signed hash.

A mapped file is never written to: a mended copy takes its name. Leaf hashes are kept beside each
segment; they count where they lead to its root.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cache.errors import SegmentError
from cache.replica.download import LEAVES, File, keep
from cache.replica.durable import TEMPORARY, remove, write_all
from cache.replica.geometry import PAGE_BYTES
from cache.replica.merkle import HASH_BYTES, LEAF_BYTES, leaf_hash, merkle_root
from cache.replica.regular import open_regular

REPAIR = ".repair" + TEMPORARY


def signed_leaves(directory: Path, segment: File) -> list[bytes] | None:
    """Return the hashes of its leaves, or None where the kept ones do not lead to its root."""
    path = segment.within(directory).with_suffix(LEAVES)
    count = -(-segment.size // LEAF_BYTES)
    try:
        with open_regular(path) as file:
            kept = file.read(count * HASH_BYTES + 1)
    except OSError:
        return None
    hashes = [kept[at : at + HASH_BYTES] for at in range(0, len(kept), HASH_BYTES)]
    return hashes if len(hashes) == count and merkle_root(hashes).hex() == segment.name else None


def stored_leaves(directory: Path, segment: File) -> list[bytes]:
    """Return the hashes of the leaves that lie here; one that cannot be read has an empty one.

    :raises OSError: if there is no such file.
    """
    hashes = []
    with open_regular(segment.within(directory)) as file:
        size = file.seek(0, 2)
        for at in range(0, segment.size, LEAF_BYTES):
            leaf = _leaf(file.fileno(), at, segment.size)
            hashes.append(leaf_hash(leaf) if leaf else b"")
    if size > segment.size:
        hashes[-1] = b""  # what was appended belongs to the last one
    return hashes


def damaged_leaves(directory: Path, segment: File) -> list[int] | None:
    """Return the numbers of the leaves that lie here and are not the signed ones.

    None: it cannot be mended, because it is not here, or its leaf hashes are not.
    """
    signed = signed_leaves(directory, segment)
    try:
        found = stored_leaves(directory, segment)
    except OSError:
        return None
    if signed is None:
        return None
    return [number for number, (a, b) in enumerate(zip(signed, found, strict=True)) if a != b]


def leaf_range(segment: File, leaf: int) -> tuple[int, int]:
    """Return the first byte of a leaf, and the first one behind it."""
    return leaf * LEAF_BYTES, min((leaf + 1) * LEAF_BYTES, segment.size)


def mend(directory: Path, segment: File, fetched: Mapping[int, bytes]) -> int:
    """Replace a segment by a copy with these leaves in it; return how many pages came to differ.

    :param fetched: the bytes of every damaged leaf, by its number.
    :raises SegmentError: if what came of it is not the signed one; the old file stays.
    :raises OSError: if the copy cannot be written.
    """
    path = segment.within(directory)
    copy = path.with_name(path.name + REPAIR)
    remove(copy)
    pages = 0
    try:
        descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open_regular(path) as stored:
                for leaf in range(-(-segment.size // LEAF_BYTES)):
                    start, end = leaf_range(segment, leaf)
                    old = _leaf(stored.fileno(), start, end)
                    data = fetched.get(leaf, old)
                    pages += _differing_pages(old, data)
                    write_all(descriptor, data)
        finally:
            os.close(descriptor)
        keep(copy, directory, segment)
    except (OSError, SegmentError):
        remove(copy)
        raise
    return pages


def require_leaf(signed: bytes, data: bytes) -> None:
    """Return if these are the bytes of a leaf with this hash.

    :raises SegmentError: if they are not.
    """
    if leaf_hash(data) != signed:
        raise SegmentError("the upstream's leaf is not the signed one")


def _leaf(descriptor: int, start: int, size: int) -> bytes:
    """Return the bytes of the leaf at `start`; none if the medium cannot read them."""
    try:
        return os.pread(descriptor, min(LEAF_BYTES, size - start), start)
    except OSError:
        # Never mapped either, so it cannot raise SIGBUS.
        return b""


def _differing_pages(old: bytes, new: bytes) -> int:
    if old == new:
        return 0
    starts = range(0, len(new), PAGE_BYTES)
    return sum(old[at : at + PAGE_BYTES] != new[at : at + PAGE_BYTES] for at in starts)
