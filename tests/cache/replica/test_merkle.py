"""The root names exactly one sequence of bytes."""

from __future__ import annotations

import hashlib
import io

from hypothesis import given
from hypothesis import strategies as st

from cache.replica.merkle import LEAF_BYTES, leaf_hashes, merkle_root


def rfc_9162(leaves: list[bytes]) -> bytes:
    """The recursive definition of RFC 9162 §2.1.1, over leaves that are hashed already."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = rfc_9162(leaves[:split]), rfc_9162(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40))
def test_the_root_is_that_of_the_rfc(leaves: list[bytes]) -> None:
    assert merkle_root(leaves) == rfc_9162(leaves)


def test_leaves_are_64_kib_and_hashed_apart_from_nodes() -> None:
    data = bytes(LEAF_BYTES) + b"rest"
    first, second = leaf_hashes(io.BytesIO(data))
    assert first == hashlib.sha256(b"\x00" + bytes(LEAF_BYTES)).digest()
    assert second == hashlib.sha256(b"\x00rest").digest()
    # A leaf made of a node's input does not take the node's place.
    forged = leaf_hashes(io.BytesIO(b"\x01" + first + second))
    assert merkle_root(forged) != merkle_root([first, second])


def test_no_leaves_hash_to_the_empty_hash() -> None:
    assert merkle_root([]) == hashlib.sha256(b"").digest()
