"""A reader of hostile bytes, and nearly genuine bytes for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgpack
import msgspec

from admission.errors import ChotError
from tests.fuzz.mutations import Mutator

MAX_BYTES = 1 << 20


class Reader(msgspec.Struct, frozen=True):
    """One reader: what it reads, the error it may raise, its seeds and how they are written."""

    read: Callable[[bytes], Any]
    error: type[ChotError]
    form: str
    seeds: tuple[bytes, ...]


def spoilt(m: Mutator, reader: Reader) -> bytes:
    """Return a seed of the reader, spoilt in its bytes or in its values, up to a megabyte."""
    return _spoilt(m, reader)[:MAX_BYTES]


def _spoilt(m: Mutator, reader: Reader) -> bytes:
    seed = m.random.choice(reader.seeds)
    if reader.form == "bytes" or m.one_in(3):
        return m.data(seed)
    if reader.form == "json":
        text = json.dumps(m.tree(json.loads(seed)), default=str, ensure_ascii=m.one_in(2))
        if m.one_in(20):
            text = text.replace("1", "9" * 5_000, 1)
        return text.encode("utf-8", "surrogatepass")
    try:
        changed = m.tree(msgpack.unpackb(seed, strict_map_key=False))
        return bytes(msgpack.packb(changed, unicode_errors="surrogatepass"))
    except (ValueError, OverflowError):  # deeper than msgpack writes
        return m.data(seed)
