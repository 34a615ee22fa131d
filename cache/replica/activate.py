"""From stored bytes to what may answer: each step refuses what the one before let by.

Downloads end in `download`; here a segment is opened and self-tested, and what has changed since is
read. The caller then writes `CURRENT`, swaps the reference and persists the sequence, in this
order.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cache.errors import SegmentError
from cache.replica.download import File
from cache.replica.head import Dataset
from cache.replica.heal import damaged_leaves, stored_leaves
from cache.replica.merkle import merkle_root
from cache.replica.regular import open_regular
from cache.replica.segment import Segment
from cache.replica.source import FileKind


def open_tested(directory: Path, dataset: Dataset, hash_key_id: bytes) -> Segment:
    """Return a dataset's base, opened, compared with what its head says, and self-tested.

    :raises SegmentError: if it is damaged or not what the head says.
    :raises LayoutError: if its layout is unknown here.
    """
    segment = _opened(directory, dataset, hash_key_id)
    segment.self_test()
    return segment


def open_stored(directory: Path, dataset: Dataset, hash_key_id: bytes) -> Segment:
    """Return a stored base at boot; leaves that are not the signed ones answer nothing.

    Damage at rest costs the look-ups of its own leaf and no others, provided that the leaf hashes
    kept beside the segment still lead to its root.

    :raises SegmentError: if the segment cannot be trusted even so.
    :raises LayoutError: if its layout is unknown here.
    """
    try:
        sound = merkle_root(stored_leaves(directory, dataset)) == dataset.root
    except OSError as error:
        msg = f"the stored segment cannot be read: {error.strerror}"
        raise SegmentError(msg) from error
    if sound:
        return open_tested(directory, dataset, hash_key_id)
    damaged = damaged_leaves(directory, dataset)
    if not damaged:
        raise SegmentError("the stored segment is not the one that its head names")
    segment = _opened(directory, dataset, hash_key_id)
    for leaf in damaged:
        segment.distrust(leaf)
    return segment


def read_file(directory: Path, file: File) -> bytes | None:
    """Return the bytes of a file that lies here complete, or None: for small ones."""
    try:
        with open_regular(file.within(directory)) as opened:
            data = opened.read(file.size + 1)
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == file.name else None


def _opened(directory: Path, dataset: Dataset, hash_key_id: bytes) -> Segment:
    segment = Segment.open(File.of(FileKind.SEGMENT, dataset).within(directory))
    header = segment.header
    declared = (dataset.size, dataset.rows, dataset.layout, hash_key_id)
    if (header.size, header.rows, header.layout, header.hash_key_id) != declared:
        raise SegmentError("the segment's header contradicts its signed head")
    return segment
