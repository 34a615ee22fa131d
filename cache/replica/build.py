"""Writing segments: the publisher's half of the format. Needs numpy; gates never import it.

The same rows give the same bytes: nothing of the time, the machine or the input's order goes in.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from admission.identity import PersonKey
from cache.errors import BuildError, LayoutError
from cache.replica.geometry import (
    HASH_KEY_ID_BYTES,
    MAX_ROWS,
    PAGE_BYTES,
    Header,
    bucket_bits_for,
)
from cache.replica.layout import Layout
from cache.replica.merkle import leaf_hashes, merkle_root

_CHUNK_ROWS = PAGE_BYTES * 64
"""Rows written at once: a whole number of pages, whatever the row's width."""
_SMALLEST_HASH_BITS = 40

Keys = NDArray[np.uint64]
Records = NDArray[np.uint8]


class Built(msgspec.Struct, frozen=True):
    """What a written segment is called and how large it is."""

    root: bytes
    size: int
    rows: int
    layout: int


class RowSet:
    """Rows being gathered for one segment, in any order."""

    def __init__(self, layout: Layout[Any]) -> None:
        self.layout = layout
        self._keys = array("Q")
        self._records = bytearray()

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: PersonKey, record: bytes) -> None:
        """Take one row.

        :raises LayoutError: if the record does not have the layout's width.
        """
        if len(record) != self.layout.record_bytes:
            msg = f"a record of layout {self.layout.id} has {self.layout.record_bytes} bytes"
            raise LayoutError(msg)
        self._keys.append(key)
        self._records += record

    def sorted(self) -> tuple[Keys, Records]:
        """Return the rows ascending by key, identical rows merged into one.

        :raises BuildError: if two different records share a key: the same identifier with
            contradicting facts, or two identifiers that collide.
        """
        keys = np.frombuffer(self._keys, np.uint64) if self._keys else np.zeros(0, np.uint64)
        records = np.frombuffer(bytes(self._records), np.uint8)
        records = records.reshape(len(keys), self.layout.record_bytes)
        order = np.argsort(keys, kind="stable")
        keys, records = keys[order], records[order]
        repeated = np.flatnonzero(keys[1:] == keys[:-1])
        contradicting = repeated[(records[repeated + 1] != records[repeated]).any(axis=1)]
        if len(contradicting):
            names = ", ".join(f"{keys[i]:016x}" for i in contradicting[:3])
            msg = f"{len(contradicting)} keys have two different records: {names}"
            raise BuildError(
                msg,
                hint="merge the records of each identifier; if these are two identifiers, "
                "publish under a new hash key",
            )
        kept = np.ones(len(keys), bool)
        kept[repeated + 1] = False
        return keys[kept], records[kept]


def write_segment(path: Path, rows: RowSet, hash_key_id: bytes) -> Built:
    """Write the rows to a new file and return its name. The caller makes it durable and renames it.

    :param path: where to write; replaced if it exists, so it must not be a segment in use.
    :param hash_key_id: 8 bytes that name the hash key of the rows' keys.
    :raises BuildError: if the rows contradict each other or are too many.
    :raises OSError: if the file cannot be written.
    """
    if len(hash_key_id) != HASH_KEY_ID_BYTES or len(rows) > MAX_ROWS:
        msg = f"a segment takes {HASH_KEY_ID_BYTES} bytes of hash key id and {MAX_ROWS} rows"
        raise BuildError(msg)
    keys, records = rows.sorted()
    bucket_bits = bucket_bits_for(len(keys))
    hash_bits = _hash_bits(keys, bucket_bits)
    header = Header(
        layout=rows.layout.id,
        rows=len(keys),
        row_bytes=hash_bits // 8 + rows.layout.record_bytes,
        bucket_bits=bucket_bits,
        hash_bits=hash_bits,
        hash_key_id=hash_key_id,
        table_crc=0,
    )
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        file.write(bytes(PAGE_BYTES))
        crcs: list[int] = []
        for chunk in _row_chunks(keys, records, header):
            _write_pages(file, chunk, crcs)
        _write_pages(file, _index(keys, bucket_bits), crcs)
        table = _padded(np.array(crcs, "<u4").tobytes())
        file.write(table)
        file.seek(0)
        file.write(msgspec.structs.replace(header, table_crc=zlib.crc32(table)).pack())
    with path.open("rb") as file:
        root = merkle_root(leaf_hashes(file))
    return Built(root, header.size, header.rows, header.layout)


def _hash_bits(keys: Keys, bucket_bits: int) -> int:
    """Return the fewest stored bits that tell these keys apart and strangers from them.

    A stranger matches with a probability of about 16 / 2^hash_bits. Keys that agree in all matched
    bits would answer for each other, so the stored bits grow until none do.
    """
    matched = keys[1:] ^ keys[:-1]
    for hash_bits in range(_SMALLEST_HASH_BITS, 65, 8):
        seen = min(64, bucket_bits + hash_bits)
        if not np.any(matched >> np.uint64(64 - seen) == 0):
            return hash_bits
    raise BuildError("two rows have the same key")


def _row_chunks(keys: Keys, records: Records, header: Header) -> Iterator[bytes]:
    """Yield the row bytes in chunks of whole pages."""
    split = header.hash_bits // 8
    for start in range(0, len(keys), _CHUNK_ROWS):
        some = keys[start : start + _CHUNK_ROWS] << np.uint64(header.bucket_bits)
        rows = np.empty((len(some), header.row_bytes), np.uint8)
        rows[:, :split] = some.astype(">u8").view(np.uint8).reshape(-1, 8)[:, :split]
        rows[:, split:] = records[start : start + _CHUNK_ROWS]
        yield rows.tobytes()


def _index(keys: Keys, bucket_bits: int) -> bytes:
    buckets = keys >> np.uint64(64 - bucket_bits) if bucket_bits else np.zeros_like(keys)
    firsts = np.searchsorted(buckets, np.arange(1 << bucket_bits, dtype=np.uint64))
    return np.append(firsts, len(keys)).astype("<u4").tobytes()


def _write_pages(file: BinaryIO, data: bytes, crcs: list[int]) -> None:
    padded = _padded(data)
    crcs += [zlib.crc32(padded[at : at + PAGE_BYTES]) for at in range(0, len(padded), PAGE_BYTES)]
    file.write(padded)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % PAGE_BYTES)
