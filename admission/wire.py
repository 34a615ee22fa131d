"""msgpack forms of all that crosses a process, each bounded before a byte of it is believed."""

from __future__ import annotations

from typing import Any, TypeVar

import msgpack
import msgspec

from admission.errors import WireError
from admission.passage import CHAIN_HASH_BYTES, JOURNAL_ID_BYTES, Passage

MAX_PASSAGE_BYTES = 4_096
MAX_BATCH_ENTRIES = 1_000
MAX_BATCH_BYTES = 1 << 20
MAX_ACKNOWLEDGEMENT_BYTES = 4_096
BATCH_CONTENT_TYPE = "application/vnd.chot.batch+msgpack"
UPLOAD_PATH = "/v1/entries"

T = TypeVar("T")


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One journal entry on its way up: the bytes as they were hashed, and their chain hash."""

    sequence: int
    chain_hash: bytes
    packed: bytes


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Entries of one journal of one device, ascending by sequence without gaps.

    `journal` tells a device's journals apart (a replaced card starts a new one at sequence 1), so
    (device, journal, sequence) is the key under which a batch may be sent twice.
    """

    version: int
    device: str
    journal: bytes
    entries: tuple[Entry, ...]


class Acknowledgement(msgspec.Struct, frozen=True, array_like=True):
    """The hub holds every entry of `journal` up to and including `through` durably (0 = none)."""

    version: int
    journal: bytes
    through: int


BATCH_VERSION = 1

_pack = msgspec.msgpack.Encoder().encode
_walk = msgspec.msgpack.Decoder(msgspec.Raw).decode
"""Goes through a message and makes nothing of it; msgspec's errors are `ValueError`s."""


def pack_passage(entry: Passage) -> bytes:
    """Return the entry's bytes. The same entry always gives the same bytes."""
    return _pack(entry)


def unpack_passage(data: bytes) -> Passage:
    """Return the entry.

    :raises WireError: if the bytes are not an entry or are longer than `MAX_PASSAGE_BYTES`.
    """
    return _typed(data, Passage, MAX_PASSAGE_BYTES)


def pack_batch(batch: Batch) -> bytes:
    """Return the batch's bytes, uncompressed."""
    return _pack(batch)


def unpack_batch(data: bytes) -> Batch:
    """Return the batch, its shape checked: version, lengths, ascending sequences without gaps.

    The entries' own bytes stay opaque here: one bad entry must not block the others.

    :raises WireError: if the bytes are no batch, or a larger one than the limits of this module.
    """
    batch = _typed(data, Batch, MAX_BATCH_BYTES)
    if batch.version != BATCH_VERSION:
        msg = f"batch version {batch.version} is not {BATCH_VERSION}"
        raise WireError(msg, hint="update the older side")
    if len(batch.journal) != JOURNAL_ID_BYTES or not 0 < len(batch.device) <= 64:
        raise WireError("the batch names no device or journal")
    if not 0 < len(batch.entries) <= MAX_BATCH_ENTRIES:
        msg = f"a batch holds 1 to {MAX_BATCH_ENTRIES} entries, not {len(batch.entries)}"
        raise WireError(msg)
    first = batch.entries[0].sequence
    for expected, entry in enumerate(batch.entries, start=first):
        if entry.sequence != expected or not 0 < entry.sequence < 1 << 63:
            raise WireError("the batch's sequences have a gap or are out of range")
        if len(entry.chain_hash) != CHAIN_HASH_BYTES or len(entry.packed) > MAX_PASSAGE_BYTES:
            raise WireError("an entry of the batch is oversized or carries no chain hash")
    return batch


def pack_acknowledgement(acknowledgement: Acknowledgement) -> bytes:
    """Return the acknowledgement's bytes."""
    return _pack(acknowledgement)


def unpack_acknowledgement(data: bytes) -> Acknowledgement:
    """Return the acknowledgement.

    :raises WireError: if the bytes are not one of this version.
    """
    acknowledgement = _typed(data, Acknowledgement, MAX_ACKNOWLEDGEMENT_BYTES)
    if acknowledgement.version != BATCH_VERSION or acknowledgement.through < 0:
        raise WireError("not an acknowledgement of this version")
    return acknowledgement


def unpack_bounded(data: bytes, limit_bytes: int) -> Any:
    """Return the plain values of one msgpack message of at most `limit_bytes`.

    Every length inside is checked against the bytes that are there before memory is set aside for
    it: a few bytes that announce a million values cost nothing. Nesting ends at about 1,000 levels.

    :raises WireError: if the message is longer, malformed, or followed by further bytes.
    """
    if len(data) > limit_bytes:
        msg = f"a message of {len(data)} bytes is over the limit of {limit_bytes}"
        raise WireError(msg)
    try:
        _walk(data)
        return msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            max_str_len=limit_bytes,
            max_bin_len=limit_bytes,
            max_array_len=limit_bytes,
            max_map_len=limit_bytes,
            max_ext_len=0,
        )
    except (ValueError, RecursionError, msgpack.exceptions.UnpackException) as error:
        msg = f"not a well-formed message: {type(error).__name__}"
        raise WireError(msg) from error


def _typed(data: bytes, form: type[T], limit_bytes: int) -> T:
    try:
        value = unpack_bounded(data, limit_bytes)
        return msgspec.convert(value, form, builtin_types=(bytes,))  # text is not read as base64
    except msgspec.ValidationError as error:
        msg = f"not a {form.__name__.lower()}: {error}"
        raise WireError(msg) from error
