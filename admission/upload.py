"""What a gate sends up and what the hub answers: signed batches, signed high-water marks.

Both are msgpack arrays [body, signature]. Ed25519 (RFC 8032) signs a domain prefix and the body's
bytes as they stand, so that a signature for one thing is never one for another.

A chain hash that follows from the entry before is not sent: the hub computes it. The batch states
the first one's, and every other that does not follow (after a place that cannot be read any more,
or where somebody has altered the journal).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from admission.errors import WireError
from admission.passage import CHAIN_HASH_BYTES, JOURNAL_ID_BYTES, MAX_SEQUENCE, chained
from admission.signed import holds, parts, require_signature, sign, typed
from admission.wire import (
    MAX_BATCH_BYTES,
    MAX_BATCH_ENTRIES,
    MAX_PASSAGE_BYTES,
    Entry,
)

UPLOAD_VERSION = 2
SIGNED_UPLOAD_PATH = "/v2/entries"
SIGNED_BATCH_CONTENT_TYPE = "application/vnd.chot.signed-batch+msgpack"
MARK_CONTENT_TYPE = "application/vnd.chot.mark+msgpack"
MAX_MARK_BYTES = 4_096
MAX_DEVICE_LENGTH = 64
_BATCH_DOMAIN = b"chot batch 2\x00"
_MARK_DOMAIN = b"chot high-water mark 2\x00"
_A_BATCH = msgspec.Meta(max_length=MAX_BATCH_ENTRIES)
"""Judged by what an array announces, before any of it is read."""


class SignedBatch(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Entries of one journal of one device, ascending by sequence without gaps; perhaps none.

    :ivar journal: tells a device's journals apart: (device, journal, sequence) is an entry's key.
    :ivar first: the sequence of the first entry; of an empty batch, the one that would come next.
    :ivar entries: their bytes as they were hashed; empty for a place that cannot be read any more.
    :ivar stated: chain hashes, ascending by sequence, that do not follow from the entry before.
    :ivar sent_ns: the gate's wall clock when it made the batch.
    """

    version: int
    device: str
    journal: bytes
    first: int
    entries: Annotated[tuple[bytes, ...], _A_BATCH]
    stated: Annotated[tuple[tuple[int, bytes], ...], _A_BATCH]
    sent_ns: int


class Mark(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The high-water mark: the hub holds every entry of a journal through this one, durably.

    `chain_hash` is that entry's (zeros for `through` 0); `wall_ns` the hub's clock.
    """

    version: int
    device: str
    journal: bytes
    through: int
    chain_hash: bytes
    wall_ns: int


_pack = msgspec.msgpack.Encoder().encode


def make_batch(
    device: str, journal: bytes, first: int, entries: Sequence[Entry], sent_ns: int
) -> SignedBatch:
    """Return the batch of these entries, ascending without gaps from `first`."""
    stated = []
    previous = b""
    for entry in entries:
        follows = previous and chained(previous, entry.sequence, entry.packed) == entry.chain_hash
        if entry.packed and not follows:
            stated.append((entry.sequence, entry.chain_hash))
        previous = entry.chain_hash if entry.packed else b""
    packed = tuple(entry.packed for entry in entries)
    return SignedBatch(UPLOAD_VERSION, device, journal, first, packed, tuple(stated), sent_ns)


def entries_of(batch: SignedBatch) -> list[Entry]:
    """Return the batch's entries with their chain hashes: zeros for one that cannot be read.

    :raises WireError: if a chain hash neither follows nor is stated.
    """
    stated = dict(batch.stated)
    entries = []
    previous = b""
    for sequence, packed in enumerate(batch.entries, start=batch.first):
        chain_hash = bytes(CHAIN_HASH_BYTES)
        if packed:
            chain_hash = stated.get(sequence, b"")
            if not chain_hash:
                if not previous:
                    raise WireError("the batch does not say where its chain begins")
                chain_hash = chained(previous, sequence, packed)
        entries.append(Entry(sequence, chain_hash, packed))
        previous = chain_hash if packed else b""
    return entries


def sign_batch(batch: SignedBatch, key: Ed25519PrivateKey) -> bytes:
    """Return the signed batch's bytes, uncompressed."""
    return sign(_pack(batch), _BATCH_DOMAIN, key)


class Received(msgspec.Struct, frozen=True):
    """A batch whose shape was checked and whose signature was not yet."""

    batch: SignedBatch
    body: bytes
    signature: bytes

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        """Return whether this key signed it."""
        return holds(key, self.signature, _BATCH_DOMAIN + self.body)


def unpack_signed_batch(data: bytes) -> Received:
    """Return a batch, its shape checked: version, lengths, sequences. Its entries stay opaque.

    :raises WireError: if the bytes are no batch, or a larger one than the limits allow.
    """
    body, signature = parts(data, MAX_BATCH_BYTES)
    batch = typed(body, SignedBatch, MAX_BATCH_BYTES)
    if batch.version != UPLOAD_VERSION:
        msg = f"batch version {batch.version} is not {UPLOAD_VERSION}"
        raise WireError(msg, hint="update the older side")
    if len(batch.journal) != JOURNAL_ID_BYTES or not 0 < len(batch.device) <= MAX_DEVICE_LENGTH:
        raise WireError("the batch names no device or journal")
    count = len(batch.entries)
    if count > MAX_BATCH_ENTRIES or not 0 < batch.first <= MAX_SEQUENCE - count:
        raise WireError("the batch holds too many entries, or sequences out of range")
    if any(len(packed) > MAX_PASSAGE_BYTES for packed in batch.entries):
        raise WireError("an entry of the batch is oversized")
    if not 0 <= batch.sent_ns <= MAX_SEQUENCE:
        raise WireError("the batch's time is out of range")
    _check_stated(batch)
    return Received(batch, body, signature)


def _check_stated(batch: SignedBatch) -> None:
    """Refuse chain hashes that are none, or that two readers could understand in two ways."""
    before = batch.first - 1
    for sequence, chain_hash in batch.stated:
        place = sequence - batch.first
        if not before < sequence < batch.first + len(batch.entries) or not batch.entries[place]:
            raise WireError("the batch states chain hashes of entries that are not in it")
        if len(chain_hash) != CHAIN_HASH_BYTES:
            raise WireError("the batch states chain hashes that are none")
        before = sequence


def sign_mark(mark: Mark, key: Ed25519PrivateKey) -> bytes:
    """Return the signed mark's bytes."""
    return sign(_pack(mark), _MARK_DOMAIN, key)


def open_mark(data: bytes, keys: Iterable[Ed25519PublicKey]) -> Mark:
    """Return the mark that one of these keys signed.

    Whose it is, is for the caller to compare: a hub signs marks of every device and journal.

    :raises WireError: if the bytes are no mark, or none of the keys signed it.
    """
    body, signature = parts(data, MAX_MARK_BYTES)
    mark = typed(body, Mark, MAX_MARK_BYTES)
    if mark.version != UPLOAD_VERSION:
        msg = f"mark version {mark.version} is not {UPLOAD_VERSION}"
        raise WireError(msg, hint="update the older side")
    if len(mark.journal) != JOURNAL_ID_BYTES or len(mark.chain_hash) != CHAIN_HASH_BYTES:
        raise WireError("the mark names no journal or carries no chain hash")
    if not (0 <= mark.through <= MAX_SEQUENCE and 0 <= mark.wall_ns <= MAX_SEQUENCE):
        raise WireError("the mark is out of range")
    require_signature("mark", keys, signature, _MARK_DOMAIN + body)
    return mark
