"""Writing a segment's file part by part, as rows come. Needs numpy."""

from __future__ import annotations

import zlib
from array import array
from typing import Any, BinaryIO

import msgspec
import numpy as np

from cache.errors import BuildError
from cache.replica.coding_plan import CodingPlan, require_plan
from cache.replica.column_types import Keys, Records
from cache.replica.geometry import (
    HASH_KEY_ID_BYTES,
    MAX_ROWS,
    PAGE_BYTES,
    WIDE_BYTES,
    Header,
)
from cache.replica.layout import Layout


class SegmentWriter:
    """One segment being written. Rows come in order of their keys, in steps of any size.

    It judges widths and numbers, not whether rows ascend or what their codes mean.

    :param file: empty, open for writing and seeking.
    :raises BuildError: if no segment can be written by this plan.
    """

    def __init__(
        self, file: BinaryIO, layout: Layout[Any], plan: CodingPlan, hash_key_id: bytes
    ) -> None:
        require_plan(plan, layout)
        if len(hash_key_id) != HASH_KEY_ID_BYTES:
            msg = f"a segment takes {HASH_KEY_ID_BYTES} bytes of hash key id"
            raise BuildError(msg)
        self._file = file
        self._layout = layout
        self._plan = plan
        self._hash_key_id = hash_key_id
        self.row_bytes = plan.header(layout).row_bytes
        self._rows = 0
        self._rest = b""
        self._wide = bytearray()
        self._crcs = array("I")
        self._in_bucket = np.zeros(1 << plan.bucket_bits, np.uint32)
        file.write(bytes(PAGE_BYTES))

    def append(self, keys: Keys, rows: Records) -> None:
        """Write rows: their keys, for the index, and n × `row_bytes` bytes as they are stored.

        :raises BuildError: if there are too many.
        """
        if not len(keys):
            return
        if rows.shape != (len(keys), self.row_bytes) or self._rows + len(keys) > MAX_ROWS:
            msg = f"a segment takes {MAX_ROWS} rows, here of {self.row_bytes} bytes"
            raise BuildError(msg)
        self._rows += len(keys)
        low, high = (self._bucket(int(key)) for key in (keys[0], keys[-1]))
        shift = np.uint64(64 - self._plan.bucket_bits)
        buckets = (
            (keys >> shift).astype(np.int64) - low
            if self._plan.bucket_bits
            else np.zeros(len(keys), np.int64)
        )
        counts = np.bincount(buckets, minlength=high - low + 1)
        self._in_bucket[low : high + 1] += counts.astype(np.uint32)
        data = rows.tobytes()
        if self._rest:
            data = self._rest + data
        whole = len(data) // PAGE_BYTES * PAGE_BYTES
        self._write_pages(memoryview(data)[:whole])
        self._rest = data[whole:]

    def append_wide(self, rows: Records) -> None:
        """Take wide rows as they are stored. They are numbered as they come."""
        self._wide += rows.tobytes()

    @property
    def wide_rows(self) -> int:
        """Wide rows so far: the number that the next one gets."""
        return len(self._wide) // WIDE_BYTES

    def finish(self) -> Header:
        """Write what follows the rows, and the header.

        :raises BuildError: if the codes do not have room for all wide rows.
        """
        header = self._header()
        wrong = header.contradiction()
        if wrong:
            msg = f"the rows cannot be written by this coding plan: {wrong}"
            raise BuildError(msg)
        tables = b"".join(table.astype("<u4").tobytes() for table in self._plan.tables)
        index = np.zeros(len(self._in_bucket) + 1, np.uint32)
        np.cumsum(self._in_bucket, out=index[1:])
        for part in (self._rest, bytes(self._wide), tables, index.astype("<u4").tobytes()):
            self._write_pages(memoryview(_padded(part)))
        table = _padded(np.frombuffer(self._crcs, np.uint32).astype("<u4").tobytes())
        self._file.write(table)
        header = msgspec.structs.replace(header, crc_table_crc=zlib.crc32(table))
        self._file.seek(0)
        self._file.write(header.pack())
        return header

    def _header(self) -> Header:
        header = self._plan.header(self._layout, self._rows, self.wide_rows)
        return msgspec.structs.replace(header, hash_key_id=self._hash_key_id)

    def _bucket(self, key: int) -> int:
        return key >> 64 - self._plan.bucket_bits

    def _write_pages(self, pages: memoryview) -> None:
        crc32, size = zlib.crc32, PAGE_BYTES
        self._crcs.extend(crc32(pages[at : at + size]) for at in range(0, len(pages), size))
        self._file.write(pages)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % PAGE_BYTES)
