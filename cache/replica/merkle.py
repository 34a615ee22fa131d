"""The Merkle tree that names a segment: SHA-256 over 64-KiB leaves, as in RFC 9162 §2.1.1."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import BinaryIO

LEAF_BYTES = 65_536
HASH_BYTES = 32
_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(leaf: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ leaf)."""
    return hashlib.sha256(_LEAF + leaf).digest()


def leaf_hashes(file: BinaryIO) -> list[bytes]:
    """Return the hashes of all 64-KiB leaves from the file's position on; the last may be short."""
    hashes = []
    while leaf := file.read(LEAF_BYTES):
        hashes.append(leaf_hash(leaf))
    return hashes


def merkle_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes: nodes are SHA-256(0x01 ‖ left ‖ right).

    A node without a right neighbour moves up unchanged. No leaves: SHA-256 of nothing.
    """
    if not hashes:
        return hashlib.sha256().digest()
    level = list(hashes)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [hashlib.sha256(_NODE + left + right).digest() for left, right in pairs]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]
