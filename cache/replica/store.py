"""The replica's directory: two generations, the ratchet, and what happens to strangers.

    CURRENT, PREVIOUS        signed heads of the active release and of the one before
    RATCHET                  msgpack array [version, sequence, digest, CRC-32 of the three]
    segments/<root>.segment  the rows
    segments/<root>.leaves   the segment's leaf hashes: damage at rest is confined to its leaf

Every file is whole or absent after a power cut. Anything else in the directory is left alone
unless it has one of these names: then it is moved aside (`….stray`). Nothing damaged is fatal: the
gate then fetches again.
"""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.errors import WireError
from admission.wire import unpack_bounded
from cache.errors import HeadError, ReplicaError, StoreError
from cache.replica.activate import (
    LEAVES,
    PART,
    SEGMENT,
    Part,
    holds,
    open_stored,
    open_tested,
    usable_dataset,
)
from cache.replica.durable import TEMPORARY, make_directory, remove, write_durably
from cache.replica.head import MAX_HEAD_BYTES, Dataset, Ratchet, SignedHead, verify_head
from cache.replica.names import PERSONS
from cache.replica.regular import open_regular
from cache.replica.segment import Segment

DEFAULT_LIMIT_BYTES = 4 << 30
RESERVED_BYTES = 64 << 20
"""Free space that a download never takes: the journal lives on the same medium."""
_RATCHET_VERSION = 1
_RATCHET_BYTES = 256
_STATE_BYTES = MAX_HEAD_BYTES + 1


class Generation(msgspec.Struct, frozen=True):
    """One release that may answer: its signed head and its opened segment."""

    signed: SignedHead
    segment: Segment

    @property
    def dataset(self) -> Dataset:
        """The `persons` dataset of the head."""
        return self.signed.head.datasets[PERSONS]


class _RatchetRecord(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    sequence: int
    digest: bytes
    crc: int


class ReplicaStore:
    """The directory of one appliance's replica. Its methods block: call them off the loop.

    :param public_keys: who may sign heads.
    :param hash_key_id: names the gate's hash key; a release hashed under another is refused.
    """

    def __init__(
        self,
        directory: Path,
        public_keys: Iterable[Ed25519PublicKey],
        hash_key_id: bytes,
        *,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
    ) -> None:
        self.public_keys = tuple(public_keys)
        self.hash_key_id = hash_key_id
        self._directory = directory
        self._segments = directory / "segments"
        self._limit_bytes = limit_bytes
        self._active: Generation | None = None
        self._accepted: Ratchet | None = None
        self._persisted: Ratchet | None = None
        self.refused: tuple[ReplicaError, ...] = ()
        """Why stored generations were not opened at boot."""

    def open(self) -> Generation | None:
        """Return the newest of two generations that is still sound, or None. Call once, at boot.

        A head that has expired meanwhile still serves: the law judges its age.

        :raises StoreError: if the directory cannot be created.
        """
        try:
            make_directory(self._segments)
            for stray in [*self._segments.glob("*" + PART), *self._directory.glob("*" + TEMPORARY)]:
                remove(stray)
        except OSError as error:
            raise _cannot("prepare the replica's directory", error) from error
        heads = sorted(self._heads(), key=lambda s: s.head.sequence, reverse=True)
        self._persisted = self._read_ratchet()
        marks = [Ratchet(s.head.sequence, s.digest) for s in heads]
        marks += [self._persisted] if self._persisted else []
        self._accepted = max(marks, key=lambda mark: mark.sequence, default=None)
        for signed in heads:
            try:
                dataset = self.usable(signed)
                segment = open_stored(self._segments, dataset, self.hash_key_id)
            except ReplicaError as error:
                # The generation before it serves until a good one is fetched.
                self.refused += (error,)
                continue
            self._active = Generation(signed, segment)
            break
        return self._active

    @property
    def ratchet(self) -> Ratchet | None:
        """The newest head ever accepted here, or None."""
        return self._accepted

    def usable(self, signed: SignedHead) -> Dataset:
        """Return the dataset that this gate would fetch for a head.

        :raises HeadError: if the gate cannot use the release.
        :raises LayoutError: if its record layout is unknown here.
        """
        return usable_dataset(signed, self.hash_key_id, self._limit_bytes)

    def holds(self, dataset: Dataset) -> bool:
        """Return whether the dataset's segment is here, complete and under its root."""
        return holds(self._segments, dataset)

    def receive(self, dataset: Dataset) -> Part:
        """Return the open file that a download goes into; use it as a context manager.

        :raises StoreError: if there is no room or the file cannot be created.
        """
        try:
            free = shutil.disk_usage(self._segments).free
        except OSError as error:
            raise _cannot("measure the free space", error) from error
        if free < dataset.size + RESERVED_BYTES:
            msg = f"{dataset.size} bytes do not fit: {free} are free, {RESERVED_BYTES} reserved"
            raise StoreError(msg, hint="free space on the appliance's disk")
        return Part(self._segments, dataset)

    def activate(self, signed: SignedHead) -> Generation:
        """Return the opened generation of a head whose segment is here, and make it the current.

        :raises SegmentError: if the segment is not sound; the old generation stays current.
        :raises StoreError: if the state cannot be written; the current generation is then the old
            one or the new one.
        """
        dataset = self.usable(signed)
        path = self._segments / (dataset.name + SEGMENT)
        generation = Generation(signed, open_tested(path, dataset, self.hash_key_id))
        # Not the bytes of CURRENT: after a boot from PREVIOUS, that is what must not be lost.
        if self._active is not None and self._active.dataset != dataset:
            self._write("PREVIOUS", self._active.signed.envelope)
        self._write("CURRENT", signed.envelope)
        self._active = generation
        return generation

    def revouch(self, signed: SignedHead, segment: Segment) -> Generation:
        """Return the active segment under a newer head of the same release, which is kept.

        :raises StoreError: if the head cannot be written.
        """
        self._write("CURRENT", signed.envelope)
        self._active = Generation(signed, segment)
        return self._active

    def accept(self, signed: SignedHead) -> None:
        """Turn the ratchet to this head: the last step of every activation. Idempotent.

        :raises StoreError: if it cannot be written; it holds in memory even so.
        """
        mark = Ratchet(signed.head.sequence, signed.digest)
        self._accepted = mark
        if self._persisted != mark:
            record = (_RATCHET_VERSION, mark.sequence, mark.digest)
            self._write("RATCHET", msgspec.msgpack.encode((*record, _crc(*record))))
            self._persisted = mark

    def prune(self) -> None:
        """Remove segments of no generation that is kept. A mapped one lives until it is let go.

        :raises StoreError: if a file cannot be removed.
        """
        kept = {d.name for s in self._heads() for d in s.head.datasets.values()}
        try:
            for path in self._segments.iterdir():
                if path.suffix in {SEGMENT, LEAVES} and path.stem not in kept:
                    remove(path)
        except OSError as error:
            raise _cannot("remove an old segment", error) from error

    def _heads(self) -> list[SignedHead]:
        return [s for s in map(self._signed, ("CURRENT", "PREVIOUS")) if s is not None]

    def _signed(self, name: str) -> SignedHead | None:
        try:
            return verify_head(self._read(name, _STATE_BYTES), self.public_keys)
        except (OSError, HeadError):
            # Absent, damaged, or signed by a key that is no longer trusted: not a generation.
            return None

    def _read_ratchet(self) -> Ratchet | None:
        try:
            plain = unpack_bounded(self._read("RATCHET", _RATCHET_BYTES), _RATCHET_BYTES)
            record = msgspec.convert(plain, _RatchetRecord)
        except (OSError, WireError, msgspec.ValidationError):
            # Absent or damaged: the stored heads still say how far this gate has come.
            return None
        sound = record.crc == _crc(record.version, record.sequence, record.digest)
        if not sound or record.version != _RATCHET_VERSION:
            return None
        return Ratchet(record.sequence, record.digest)

    def _read(self, name: str, limit_bytes: int) -> bytes:
        with open_regular(self._directory / name) as file:
            return file.read(limit_bytes)

    def _write(self, name: str, data: bytes) -> None:
        try:
            write_durably(self._directory / name, data)
        except OSError as error:
            raise _cannot("write the replica's state", error) from error


def _crc(version: int, sequence: int, digest: bytes) -> int:
    return zlib.crc32(msgspec.msgpack.encode((version, sequence, digest)))


def _cannot(do: str, error: OSError) -> StoreError:
    msg = f"cannot {do}: {error.strerror}"
    return StoreError(msg, hint="check the disk: space, health, permissions")
