"""From downloaded bytes to a segment that may answer: each step refuses what the one before let by.

`.part` → size and root → fsync → rename → fsync directory → open → self-test. The caller then
writes `CURRENT`, swaps the reference and persists the sequence, in this order.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from cache.errors import HeadError, SegmentError, SourceError, StoreError
from cache.replica.durable import remove, rename_durably, write_all, write_durably
from cache.replica.head import Dataset, SignedHead
from cache.replica.layout import layout_of
from cache.replica.merkle import HASH_BYTES, LEAF_BYTES, leaf_hash, leaf_hashes, merkle_root
from cache.replica.names import PERSONS
from cache.replica.regular import open_regular
from cache.replica.segment import Segment

SEGMENT, LEAVES, PART = ".segment", ".leaves", ".part"


class Part:
    """A segment on its way in: takes exactly the declared number of bytes and not one more.

    Its methods may be called from different threads; they wait for each other. So closing never
    pulls the descriptor away from a write that whoever began it has given up.
    """

    def __init__(self, directory: Path, dataset: Dataset) -> None:
        self.dataset = dataset
        self.path = directory / (dataset.name + SEGMENT + PART)
        self._target = directory / (dataset.name + SEGMENT)
        self._leaves = directory / (dataset.name + LEAVES)
        self._written = 0
        self._lock = threading.Lock()
        self._closed = False
        try:
            remove(self.path)
            # A new file each time: the old one might still be open elsewhere.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise _store_error("start a download", error) from error

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        :raises SourceError: if there are more than the head declared.
        :raises StoreError: if they cannot be written, or after `close`.
        """
        with self._lock:
            self._require_open()
            self._written += len(data)
            if self._written > self.dataset.size:
                size = self.dataset.size
                msg = f"the segment is longer than the {size} bytes that its head declares"
                raise SourceError(msg)
            try:
                write_all(self._descriptor, data)
            except OSError as error:
                raise _store_error("write a download", error) from error

    def finish(self) -> None:
        """Give the complete and verified bytes their name, durably.

        :raises SegmentError: if the size or the Merkle root is not the declared one.
        :raises StoreError: if the bytes cannot be made durable, or after `close`.
        """
        with self._lock:
            self._require_open()
            try:
                self._keep()
            except OSError as error:
                raise _store_error("keep a download", error) from error

    def close(self) -> None:
        """Close, and drop whatever was not finished. Once is enough.

        Waits for a write that still runs, so call it off the loop.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                os.close(self._descriptor)
            finally:
                self.path.unlink(missing_ok=True)

    def _keep(self) -> None:
        with self.path.open("rb") as file:
            hashes = leaf_hashes(file)
        if self._written != self.dataset.size or merkle_root(hashes) != self.dataset.root:
            raise SegmentError("the downloaded segment is not the one that its head names")
        os.fsync(self._descriptor)
        write_durably(self._leaves, b"".join(hashes))
        rename_durably(self.path, self._target)

    def _require_open(self) -> None:
        if self._closed:
            raise StoreError("the download was given up")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def usable_dataset(signed: SignedHead, hash_key_id: bytes, limit_bytes: int) -> Dataset:
    """Return the `persons` dataset of a head, judged before a byte of it is fetched.

    :raises HeadError: if there is none, it is larger than `limit_bytes`, or its keys are hashed
        under another hash key than the gate's.
    :raises LayoutError: if its record layout is unknown here.
    """
    dataset = signed.head.datasets.get(PERSONS)
    if dataset is None:
        raise HeadError("the head names no persons")
    if signed.head.hash_key_id != hash_key_id:
        raise HeadError(
            "the release is hashed under another hash key",
            hint="copy the hub's current hash key to this appliance",
        )
    if dataset.size > limit_bytes:
        msg = f"the release takes {dataset.size} bytes, over this site's limit of {limit_bytes}"
        raise HeadError(msg, hint="raise the replica's size limit, or subscribe to less")
    layout_of(dataset.layout)
    return dataset


def open_tested(path: Path, dataset: Dataset, hash_key_id: bytes) -> Segment:
    """Return the segment, opened, compared with what its head says of it, and self-tested.

    :raises SegmentError: if it is damaged or not what the head says.
    :raises LayoutError: if its layout is unknown here.
    """
    segment = Segment.open(path)
    header = segment.header
    declared = (dataset.size, dataset.rows, dataset.layout, hash_key_id)
    if (header.size, header.rows, header.layout, header.hash_key_id) != declared:
        raise SegmentError("the segment's header contradicts its signed head")
    segment.self_test()
    return segment


def holds(directory: Path, dataset: Dataset) -> bool:
    """Return whether the dataset's segment lies here complete, every byte under its root."""
    path = directory / (dataset.name + SEGMENT)
    try:
        with open_regular(path) as file:
            return merkle_root(leaf_hashes(file)) == dataset.root
    except OSError:
        return False


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
        return open_tested(path, dataset, hash_key_id)
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


def _store_error(doing: str, error: OSError) -> StoreError:
    msg = f"cannot {doing}: {error.strerror}"
    return StoreError(msg, hint="check the disk: space, health, permissions")
