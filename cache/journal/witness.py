"""What vouches for a journal beside its own files: the device's anchor, and the hub's mark in it.

A chain that was altered and computed anew to its end joins everywhere. It contradicts what was
signed before: the hash of the anchor's head, the hash of the hub's mark, the hash up to which the
device pruned, the digest of what it kept of the pruned part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.errors import WireError
from admission.signed import parts, typed
from admission.upload import MAX_MARK_BYTES, Mark, open_mark
from cache.journal.anchor import ANCHOR_NAME, Anchor, digest_of_kept
from cache.journal.fault import Fault, FaultKind
from cache.journal.frame import Header


class Keys(msgspec.Struct, frozen=True):
    """By what a journal is checked. What is None or empty is not compared.

    :ivar device: the device's public key.
    :ivar hub: those with which the hub signs marks.
    :ivar published: chain hashes of this journal's entries that the hub has published, by sequence;
        whoever gives them has checked who signed them.
    """

    device: Ed25519PublicKey | None = None
    hub: tuple[Ed25519PublicKey, ...] = ()
    published: Mapping[int, bytes] = msgspec.field(default_factory=dict)


class Witness:
    """Compares one walk over a journal's files with what was signed of it.

    :param anchor: None where there is none, or none that is intact.
    """

    def __init__(self, anchor: Anchor | None, keys: Keys) -> None:
        self.faults: list[Fault] = []
        self.mark: Mark | None = None
        self._anchor = anchor
        self._hashes: dict[int, bytes] = {}
        self._kept: list[tuple[int, bytes]] = []
        if anchor is not None:
            self._read(anchor, keys)
        for sequence, chain_hash in keys.published.items():
            self._expect(sequence, chain_hash)

    @property
    def pruned_through(self) -> int | None:
        """Through which entry some may be gone; None where nothing says."""
        return None if self._anchor is None else self._anchor.pruned.through

    @property
    def anchored(self) -> int | None:
        """Through which entry the anchor vouches."""
        return None if self._anchor is None else self._anchor.head

    @property
    def found_through(self) -> int:
        """Through which entry the anchor only says how the files were found."""
        return 0 if self._anchor is None else self._anchor.found_through

    def file(self, first_sequence: int, sha256: bytes) -> None:
        """Take one file of the pruned part, ascending."""
        self._kept.append((first_sequence, sha256))

    def header(self, name: str, header: Header) -> None:
        """Take a file's header: the first one behind the pruned part has to join on to it."""
        anchor = self._anchor
        if anchor is None:
            return
        if header.journal != anchor.journal:
            self._fault(FaultKind.OTHER_JOURNAL, name, header.first_sequence)
        elif (
            header.first_sequence == anchor.pruned.through + 1
            and header.chain_before != anchor.pruned.chain_hash
        ):
            self._fault(FaultKind.ALTERED, name, header.first_sequence)

    def entry(self, name: str, sequence: int, chain_hash: bytes) -> None:
        """Take an entry that counts."""
        stated = self._hashes.get(sequence)
        if stated is not None and stated != chain_hash:
            self._fault(FaultKind.ALTERED, name, sequence)

    def end(self, last_sequence: int, last_file: str) -> None:
        """Take the walk's end."""
        stated = max(self._hashes, default=0)
        if stated > last_sequence:
            lost = stated - last_sequence
            self._fault(FaultKind.MISSING, last_file, last_sequence + 1, lost)
        anchor = self._anchor
        if anchor is None:
            return
        if digest_of_kept(self._kept) not in (anchor.pruned.kept, anchor.pruned.kept_before):
            name = last_file if not self._kept else f"{self._kept[0][0]:019d}.journal"
            self._fault(FaultKind.PRUNED, name, anchor.pruned.through)

    def _read(self, anchor: Anchor, keys: Keys) -> None:
        device = keys.device
        if device is not None and device.public_bytes_raw() != anchor.device:
            self._fault(FaultKind.ANCHOR, ANCHOR_NAME, anchor.head)
        self._expect(anchor.head, anchor.head_hash)
        self._expect(anchor.pruned.through, anchor.pruned.chain_hash)
        if anchor.mark:
            self._read_mark(anchor, keys.hub)

    def _read_mark(self, anchor: Anchor, hub: Sequence[Ed25519PublicKey]) -> None:
        try:
            mark = open_mark(anchor.mark, hub) if hub else stated_mark(anchor.mark)
        except WireError:
            self._fault(FaultKind.MARK, ANCHOR_NAME, anchor.head)
            return
        if mark.journal != anchor.journal:
            self._fault(FaultKind.MARK, ANCHOR_NAME, mark.through)
            return
        self.mark = mark
        self._expect(mark.through, mark.chain_hash)

    def _expect(self, sequence: int, chain_hash: bytes) -> None:
        if sequence and self._hashes.setdefault(sequence, chain_hash) != chain_hash:
            self._fault(FaultKind.MARK, ANCHOR_NAME, sequence)

    def _fault(self, kind: FaultKind, file: str, sequence: int, lost: int = 0) -> None:
        self.faults.append(Fault(kind, file, 0, sequence, lost))


def stated_mark(data: bytes) -> Mark:
    """Return what a mark says whose signature was checked when it came, or cannot be checked here.

    :raises WireError: if it is none.
    """
    body, _ = parts(data, MAX_MARK_BYTES)
    return typed(body, Mark, MAX_MARK_BYTES)
