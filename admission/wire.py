"""msgpack forms of all that crosses a process, each bounded before a byte of it is believed."""

from __future__ import annotations

from typing import Any, TypeVar

import msgpack
import msgspec

from admission.errors import WireError
from admission.passage import Passage

MAX_PASSAGE_BYTES = 4_096
MAX_BATCH_ENTRIES = 1_000
MAX_BATCH_BYTES = 1 << 20

T = TypeVar("T")


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One journal entry on its way up: the bytes as they were hashed, and their chain hash."""

    sequence: int
    chain_hash: bytes
    packed: bytes


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
