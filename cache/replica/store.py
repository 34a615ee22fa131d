"""The replica's directory: two generations, the ratchet, and what happens to strangers.

    CURRENT, PREVIOUS        signed heads of the active release and of the one before
    RATCHET                  msgpack array [version, sequence, digest, CRC-32 of the three]
    segments/<root>.segment  the rows
    segments/<root>.leaves   the segment's leaf hashes: damage at rest is confined to its leaf

Every file is whole or absent after a power cut. Anything else in the directory is left alone, and
nothing damaged in it is fatal: the gate then fetches again.
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
from cache.replica.durable import TEMPORARY, write_durably
from cache.replica.head import MAX_HEAD_BYTES, PERSONS, Dataset, Ratchet, SignedHead, verify_head
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

    def open(self) -> Generation | None:
        """Return the newest of two generations that is still sound, or None. Call once, at boot.

        A head that has expired meanwhile still serves: the law judges its age.

        :raises StoreError: if the directory cannot be created.
        """
        try:
            self._segments.mkdir(mode=0o700, parents=True, exist_ok=True)
            for stray in [*self._segments.glob("*" + PART), *self._directory.glob("*" + TEMPORARY)]:
                stray.unlink()
        except OSError as error:
            raise _cannot("prepare the replica's directory", error) from error
        stored = [s for s in map(self._signed, ("CURRENT", "PREVIOUS")) if s is not None]
        for signed in sorted(stored, key=lambda s: s.head.sequence, reverse=True):
            try:
                dataset = self.usable(signed)
                segment = open_stored(self._segments, dataset, self.hash_key_id)
            except ReplicaError:
                # Not sound: the generation before it serves until a good one is fetched.
                continue
            return Generation(signed, segment)
        return None

    def ratchet(self) -> Ratchet | None:
        """Return the newest head ever accepted, from `RATCHET` or, if that is lost, the heads."""
        marks = [Ratchet(s.head.sequence, s.digest) for s in self._heads()]
        record = self._ratchet_record()
        if record is not None:
            marks.append(Ratchet(record.sequence, record.digest))
        return max(marks, key=lambda r: r.sequence, default=None)

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
        current = self._signed("CURRENT")
        if current is not None and current.head.datasets.get(PERSONS) != dataset:
            self._write("PREVIOUS", current.envelope)
        self._write("CURRENT", signed.envelope)
        return generation

    def revouch(self, signed: SignedHead) -> None:
        """Keep a newer head of the release that is current already.

        :raises StoreError: if it cannot be written.
        """
        self._write("CURRENT", signed.envelope)

    def accept(self, signed: SignedHead) -> None:
        """Turn the ratchet to this head: the last step of every activation.

        :raises StoreError: if it cannot be written.
        """
        record = (_RATCHET_VERSION, signed.head.sequence, signed.digest)
        self._write("RATCHET", msgspec.msgpack.encode((*record, _crc(*record))))

    def prune(self) -> None:
        """Remove segments of no generation that is kept. A mapped one lives until it is let go.

        :raises StoreError: if a file cannot be removed.
        """
        kept = {d.name for s in self._heads() for d in s.head.datasets.values()}
        try:
            for path in self._segments.iterdir():
                if path.suffix in {SEGMENT, LEAVES} and path.stem not in kept:
                    path.unlink()
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

    def _ratchet_record(self) -> _RatchetRecord | None:
        try:
            plain = unpack_bounded(self._read("RATCHET", _RATCHET_BYTES), _RATCHET_BYTES)
            record = msgspec.convert(plain, _RatchetRecord)
        except (OSError, WireError, msgspec.ValidationError):
            return None
        sound = record.crc == _crc(record.version, record.sequence, record.digest)
        return record if sound and record.version == _RATCHET_VERSION else None

    def _read(self, name: str, limit_bytes: int) -> bytes:
        with (self._directory / name).open("rb") as file:
            return file.read(limit_bytes)

    def _write(self, name: str, data: bytes) -> None:
        try:
            write_durably(self._directory / name, data)
        except OSError as error:
            raise _cannot(f"write {name}", error) from error


def _crc(version: int, sequence: int, digest: bytes) -> int:
    return zlib.crc32(msgspec.msgpack.encode((version, sequence, digest)))


def _cannot(do: str, error: OSError) -> StoreError:
    msg = f"cannot {do}: {error.strerror}"
    return StoreError(msg, hint="check the disk: space, health, permissions")
