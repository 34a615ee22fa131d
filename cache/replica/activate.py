"""From stored bytes to a segment that may answer: each step refuses what the one before let by.

Downloads end in `download`; here a segment is opened and self-tested. The caller then writes
`CURRENT`, swaps the reference and persists the sequence, in this order.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cache.errors import SegmentError
from cache.replica.download import DOCUMENT, LEAVES, SEGMENT
from cache.replica.head import Dataset, Document
from cache.replica.merkle import HASH_BYTES, LEAF_BYTES, leaf_hash, leaf_hashes, merkle_root
from cache.replica.regular import open_regular
from cache.replica.segment import Segment


def open_tested(directory: Path, dataset: Dataset, hash_key_id: bytes) -> Segment:
    """Return a dataset's segment, opened, compared with what its head says, and self-tested.

    :raises SegmentError: if it is damaged or not what the head says.
    :raises LayoutError: if its layout is unknown here.
    """
    segment = Segment.open(directory / (dataset.name + SEGMENT))
    header = segment.header
    declared = (dataset.size, dataset.rows, dataset.layout, hash_key_id)
    if (header.size, header.rows, header.layout, header.hash_key_id) != declared:
        raise SegmentError("the segment's header contradicts its signed head")
    segment.self_test()
    return segment


def holds(directory: Path, wanted: Dataset | Document) -> bool:
    """Return whether the segment or document lies here complete, every byte as its head says."""
    if isinstance(wanted, Document):
        return read_document(directory, wanted) is not None
    try:
        with open_regular(directory / (wanted.name + SEGMENT)) as file:
            return merkle_root(leaf_hashes(file)) == wanted.root
    except OSError:
        return False


def read_document(directory: Path, document: Document) -> bytes | None:
    """Return the bytes of a document that lies here complete, or None."""
    try:
        with open_regular(directory / (document.name + DOCUMENT)) as file:
            data = file.read(document.size + 1)
    except OSError:
        return None
    return data if hashlib.sha256(data).digest() == document.sha256 else None


def open_stored(directory: Path, dataset: Dataset, hash_key_id: bytes) -> Segment:
    """Return a stored segment at boot; leaves that are not the signed ones answer nothing.

    Damage at rest costs the look-ups of its own leaf and no others, provided that the leaf hashes
    kept beside the segment still lead to its root.

    :raises SegmentError: if the segment cannot be trusted even so.
    :raises LayoutError: if its layout is unknown here.
    """
    path = directory / (dataset.name + SEGMENT)
    damaged = _damaged_leaves(path, directory / (dataset.name + LEAVES), dataset.root)
    if not damaged:
        return open_tested(directory, dataset, hash_key_id)
    segment = Segment.open(path)
    header = segment.header
    if (header.size, header.hash_key_id) != (dataset.size, hash_key_id):
        raise SegmentError("the stored segment is not the one that its head names")
    for leaf in damaged:
        segment.distrust(leaf)
    return segment


def _damaged_leaves(path: Path, leaves: Path, root: bytes) -> list[int]:
    """Return the numbers of the leaves that are not those under the root."""
    try:
        hashes = _readable_leaf_hashes(path)
        if merkle_root(hashes) == root:
            return []
        with open_regular(leaves) as file:
            kept = file.read(len(hashes) * HASH_BYTES + 1)
    except OSError as error:
        msg = f"the stored segment cannot be read: {error.strerror}"
        raise SegmentError(msg) from error
    signed = [kept[at : at + HASH_BYTES] for at in range(0, len(kept), HASH_BYTES)]
    if merkle_root(signed) != root or len(signed) != len(hashes):
        raise SegmentError("the stored segment is not the one that its head names")
    return [i for i, pair in enumerate(zip(hashes, signed, strict=True)) if pair[0] != pair[1]]


def _readable_leaf_hashes(path: Path) -> list[bytes]:
    """Return the file's leaf hashes; a leaf that the medium cannot read has an empty one."""
    hashes = []
    with open_regular(path) as file:
        size = file.seek(0, 2)
        for at in range(0, size, LEAF_BYTES):
            try:
                leaf = os.pread(file.fileno(), LEAF_BYTES, at)
            except OSError:
                # Counted as damaged by its empty hash; never mapped, so it cannot raise SIGBUS.
                leaf = b""
            hashes.append(leaf_hash(leaf) if leaf else b"")
    return hashes
