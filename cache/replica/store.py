"""The replica's directory: two generations, the ratchet, and what happens to strangers.

    CURRENT, PREVIOUS             signed heads of the active release and of the one before
    RATCHET                       msgpack array [version, sequence, digest, CRC-32 of the three]
    segments/<root>.segment       the rows of a dataset
    segments/<root>.leaves        its leaf hashes: damage at rest is confined to its leaf
    segments/<sha256>.document    a document

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
from cache.replica.activate import holds
from cache.replica.contents import DEFAULT_LIMIT_BYTES, Contents, Subscription, contents_of
from cache.replica.download import DOCUMENT, LEAVES, PART, SEGMENT, Part
from cache.replica.durable import TEMPORARY, make_directory, remove, write_durably
from cache.replica.generation import Generation, opened, stored
from cache.replica.head import (
    MAX_HEAD_BYTES,
    Dataset,
    Document,
    Ratchet,
    SignedHead,
    verify_head,
)
from cache.replica.regular import open_regular

RESERVED_BYTES = 64 << 20
"""Free space that a download never takes: the journal lives on the same medium."""
_RATCHET_VERSION = 1
_RATCHET_BYTES = 256
_STATE_BYTES = MAX_HEAD_BYTES + 1


class _RatchetRecord(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    sequence: int
    digest: bytes
    crc: int


class ReplicaStore:
    """The directory of one appliance's replica. Its methods block: call them off the loop.

    :param public_keys: who may sign heads.
    :param hash_key_id: names the gate's hash key; a release hashed under another is refused.
    :param takes: which datasets and documents of a release this gate wants.
    """

    def __init__(
        self,
        directory: Path,
        public_keys: Iterable[Ed25519PublicKey],
        hash_key_id: bytes,
        *,
        takes: Subscription,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
    ) -> None:
        self.public_keys = tuple(public_keys)
        self.hash_key_id = hash_key_id
        self._directory = directory
        self._segments = directory / "segments"
        self._takes = takes
        self._limit_bytes = limit_bytes
        self._active: Generation | None = None
        self._accepted: Ratchet | None = None
        self._persisted: Ratchet | None = None
        self.refused: tuple[ReplicaError, ...] = ()
        """Why stored generations, or parts of them, were not opened at boot."""

    def open(self) -> Generation | None:
        """Return the newest of two generations that is still whole, or None. Call once, at boot.

        Where neither is whole, the newest whose `persons` are sound serves with what is left of it.
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
            generation = self._stored(signed)
            if generation is not None and (self._active is None or generation.complete):
                self._active = generation
            if generation is not None and generation.complete:
                break
        return self._active

    @property
    def ratchet(self) -> Ratchet | None:
        """The newest head ever accepted here, or None."""
        return self._accepted

    def usable(self, signed: SignedHead) -> Contents:
        """Return what this gate would take of a head.

        :raises HeadError: if the gate cannot use the release.
        :raises LayoutError: if a record layout is unknown here.
        """
        return contents_of(signed, self.hash_key_id, self._takes, self._limit_bytes)

    def missing(self, contents: Contents) -> list[Dataset | Document]:
        """Return what of these contents is not here, complete and sound: each file once."""
        active = self._active
        absent: dict[str, Dataset | Document] = {}
        for dataset in contents.datasets.values():
            serving = active is not None and active.sound_segment(dataset) is not None
            if not serving and not holds(self._segments, dataset):
                absent[dataset.name] = dataset
        for document in contents.documents.values():
            serving = active is not None and active.document(document) is not None
            if not serving and not holds(self._segments, document):
                absent[document.name] = document
        return list(absent.values())

    def receive(self, wanted: Dataset | Document) -> Part:
        """Return the open file that a download goes into; use it as a context manager.

        :raises StoreError: if there is no room or the file cannot be created.
        """
        try:
            free = shutil.disk_usage(self._segments).free
        except OSError as error:
            raise _cannot("measure the free space", error) from error
        if free < wanted.size + RESERVED_BYTES:
            msg = f"{wanted.size} bytes do not fit: {free} are free, {RESERVED_BYTES} reserved"
            raise StoreError(msg, hint="free space on the appliance's disk")
        return Part(self._segments, wanted)

    def activate(self, signed: SignedHead) -> Generation:
        """Return the opened generation of a head whose files are here, and make it the current.

        :raises SegmentError: if a file is not sound; the old generation stays current.
        :raises StoreError: if the state cannot be written; the current generation is then the old
            one or the new one.
        """
        contents, active = self.usable(signed), self._active
        generation = opened(self._segments, signed, contents, self.hash_key_id, active)
        # Not the bytes of CURRENT: after a boot from PREVIOUS, that is what must not be lost.
        if active is not None and active.contents != contents:
            self._write("PREVIOUS", active.signed.envelope)
        self._write("CURRENT", signed.envelope)
        self._active = generation
        return generation

    def revouch(self, signed: SignedHead, generation: Generation) -> Generation:
        """Return the active generation under a newer head of the same contents, which is kept.

        :raises StoreError: if the head cannot be written.
        """
        self._write("CURRENT", signed.envelope)
        self._active = msgspec.structs.replace(generation, signed=signed)
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
        """Remove files of no generation that is kept. A mapped one lives until it is let go.

        :raises StoreError: if a file cannot be removed.
        """
        heads = [s.head for s in self._heads()]
        kept = {d.name for head in heads for d in head.datasets.values()}
        kept |= {d.name for head in heads for d in head.documents.values()}
        try:
            for path in self._segments.iterdir():
                if path.suffix in {SEGMENT, LEAVES, DOCUMENT} and path.stem not in kept:
                    remove(path)
        except OSError as error:
            raise _cannot("remove an old file", error) from error

    def _stored(self, signed: SignedHead) -> Generation | None:
        try:
            contents = self.usable(signed)
            generation, errors = stored(self._segments, signed, contents, self.hash_key_id)
        except ReplicaError as error:
            # The generation before it serves until a good one is fetched.
            self.refused += (error,)
            return None
        self.refused += errors
        return generation

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
