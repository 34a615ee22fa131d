"""The replica's directory: two generations, the ratchet, and what happens to strangers.

    CURRENT, PREVIOUS             signed heads of the active release and of the one before
    RATCHET                       how far this gate has come: see `ratchet`
    segments/                     segments, deltas and documents of the two: see `files`

Every file is whole or absent after a power cut. Anything else in the directory is left alone
unless it has one of these names: then it is moved aside (`….stray`). Nothing damaged is fatal: the
gate then fetches again.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from cache.errors import HeadError, ReplicaError
from cache.replica.contents import DEFAULT_LIMIT_BYTES, Contents, Subscription, contents_of
from cache.replica.download import store_error
from cache.replica.durable import TEMPORARY, make_directory, remove, write_durably
from cache.replica.files import ReplicaFiles
from cache.replica.generation import Generation, opened, stored
from cache.replica.head import MAX_HEAD_BYTES, SignedHead, verify_head
from cache.replica.ratchet import RATCHET_BYTES, Ratchet, pack_ratchet, unpack_ratchet
from cache.replica.regular import open_regular
from cache.replica.vouching import Vouching

_STATE_BYTES = MAX_HEAD_BYTES + 1


class ReplicaStore:
    """The directory of one appliance's replica. Its methods block: call them off the loop.

    :param trust: who may sign heads.
    :param hash_key_id: names the gate's hash key; a release hashed under another is refused.
    :param takes: which datasets and documents of a release this gate wants.
    """

    def __init__(
        self,
        directory: Path,
        trust: Vouching,
        hash_key_id: bytes,
        *,
        takes: Subscription,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
    ) -> None:
        self.trust = trust
        self.hash_key_id = hash_key_id
        self.files = ReplicaFiles(directory / "segments")
        self._directory = directory
        self._takes = takes
        self._limit_bytes = limit_bytes
        self._active: Generation | None = None
        self._accepted: tuple[Ratchet, ...] = ()
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
            make_directory(self._directory)
            self.files.prepare()
            for stray in self._directory.glob("*" + TEMPORARY):
                remove(stray)
        except OSError as error:
            raise store_error("prepare the replica's directory", error) from error
        self._persisted = self._read_ratchet()
        heads = sorted(self.heads(), key=self._standing, reverse=True)
        marks = [Ratchet.of(signed) for signed in heads]
        # All of them: which keys are trusted may be lost at boot, and known again by the next head.
        self._accepted = (*marks, self._persisted) if self._persisted else tuple(marks)
        for signed in heads:
            generation = self._stored(signed)
            if generation is not None and (self._active is None or generation.complete):
                self._active = generation
            if generation is not None and generation.complete:
                break
        return self._active

    def peek(self) -> tuple[Generation | None, Generation | None]:
        """Return the current generation and the one before, as they could be opened now.

        For whoever looks at the directory of a running gate: nothing is written, moved or removed.
        """
        current, previous = self._signed("CURRENT"), self._signed("PREVIOUS")
        return (
            None if current is None else self._stored(current),
            None if previous is None else self._stored(previous),
        )

    def heads(self) -> list[SignedHead]:
        """Return the heads that lie here and are signed: the current one, then the one before."""
        return [s for s in map(self._signed, ("CURRENT", "PREVIOUS")) if s is not None]

    @property
    def active(self) -> Generation | None:
        """What answers now."""
        return self._active

    @property
    def ratchet(self) -> Ratchet | None:
        """The newest head ever accepted here, or None.

        A head whose key is trusted no more says nothing of how far the others have come.
        """
        marks = [mark for mark in self._accepted if mark.counts(self.trust.head_keys)]
        return max(marks, key=lambda mark: mark.sequence, default=None)

    def usable(self, signed: SignedHead) -> Contents:
        """Return what this gate would take of a head.

        :raises HeadError: if the gate cannot use the release.
        :raises LayoutError: if a record layout is unknown here.
        """
        return contents_of(signed, self.hash_key_id, self._takes, self._limit_bytes)

    def activate(self, signed: SignedHead) -> Generation:
        """Return the opened generation of a head whose files are here, and make it the current.

        :raises SegmentError: if a file is not sound; the old generation stays current.
        :raises StoreError: if the state cannot be written; the current generation is then the old
            one or the new one.
        """
        contents, active = self.usable(signed), self._active
        generation = opened(self.files.directory, signed, contents, self.hash_key_id, active)
        # Not the bytes of CURRENT: after a boot from PREVIOUS, that is what must not be lost. The
        # release before is kept for its files: where these are the same, it would be no way out.
        if active is not None and active.contents.files != contents.files:
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
        mark = Ratchet.of(signed)
        self._accepted = (mark,)
        if self._persisted != mark:
            self._write("RATCHET", pack_ratchet(mark))
            self._persisted = mark

    def prune(self) -> None:
        """Remove files of no generation that is kept. A mapped one lives until it is let go.

        :raises StoreError: if a head cannot be read, or a file cannot be removed.
        """
        kept = [self._active.signed.head] if self._active else []
        for name in ("CURRENT", "PREVIOUS"):
            try:
                kept.append(self._read_head(name).head)
            except (FileNotFoundError, HeadError):
                continue
            except OSError as error:
                # It may name what serves after a reboot.
                raise store_error("read the replica's state", error) from error
        self.files.prune(kept)

    def _standing(self, signed: SignedHead) -> tuple[bool, int]:
        # A head whose key is trusted no more may have any sequence: it serves after all others.
        return Ratchet.of(signed).counts(self.trust.head_keys), signed.head.sequence

    def _stored(self, signed: SignedHead) -> Generation | None:
        try:
            contents = self.usable(signed)
            generation, errors = stored(self.files.directory, signed, contents, self.hash_key_id)
        except ReplicaError as error:
            # The generation before it serves until a good one is fetched.
            self.refused += (error,)
            return None
        self.refused += errors
        return generation

    def _signed(self, name: str) -> SignedHead | None:
        try:
            return self._read_head(name)
        except (OSError, HeadError):
            # Absent, damaged, or signed by a key that was never trusted: not a generation.
            return None

    def _read_head(self, name: str) -> SignedHead:
        keys = (*self.trust.head_keys, *self.trust.former_keys)
        return verify_head(self._read(name, _STATE_BYTES), keys)

    def _read_ratchet(self) -> Ratchet | None:
        # Absent or damaged: the stored heads still say how far this gate has come.
        try:
            return unpack_ratchet(self._read("RATCHET", RATCHET_BYTES))
        except OSError:
            return None

    def _read(self, name: str, limit_bytes: int) -> bytes:
        with open_regular(self._directory / name) as file:
            return file.read(limit_bytes)

    def _write(self, name: str, data: bytes) -> None:
        try:
            write_durably(self._directory / name, data)
        except OSError as error:
            raise store_error("write the replica's state", error) from error
