"""How a segment's rows are written: which values its tables hold, and how wide its codes are.

Needs numpy. `cache.replica.planning` chooses a plan.
"""

from __future__ import annotations

import math
from array import array
from typing import Annotated, Any

import msgspec
import numpy as np

from cache.errors import BuildError, SegmentError
from cache.replica.coding import Coding
from cache.replica.column_types import Values
from cache.replica.geometry import HASH_KEY_ID_BYTES, IDENTITY_BYTES, Header
from cache.replica.layout import Layout


class CodingPlan(msgspec.Struct, frozen=True, eq=False):
    """How a segment's rows are written. Of plain rows: `code_bytes` 0 and no tables.

    Rows and plan determine every byte of the file.
    """

    bucket_bits: int
    hash_bits: int
    code_bytes: int
    tables: tuple[Values, ...]
    """For each group but the last its values, ascending."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CodingPlan) and self.pack() == other.pack()

    def __hash__(self) -> int:
        return hash(self.pack())

    @property
    def codes(self) -> int:
        """How many codes the tables make."""
        return math.prod(len(table) for table in self.tables) if self.tables else 0

    @property
    def row_bytes(self) -> int:
        """Bytes of a coded row."""
        return self.hash_bits // 8 + self.code_bytes + IDENTITY_BYTES

    def header(self, layout: Layout[Any], rows: int = 0, wide_rows: int = 0) -> Header:
        """Return the header of a segment of such rows, without its hash key and CRC."""
        plain_bytes = self.hash_bits // 8 + layout.record_bytes
        return Header(
            layout=layout.id,
            rows=rows,
            row_bytes=self.row_bytes if layout.coded else plain_bytes,
            bucket_bits=self.bucket_bits,
            hash_bits=self.hash_bits,
            hash_key_id=bytes(HASH_KEY_ID_BYTES),
            crc_table_crc=0,
            code_bytes=self.code_bytes,
            wide_rows=wide_rows,
            table_sizes=tuple(len(table) for table in self.tables),
        )

    def pack(self) -> bytes:
        """Return the plan as msgpack: `[bucket bits, hash bits, code bytes, [table as u32 …]]`."""
        tables = [table.astype("<u4").tobytes() for table in self.tables]
        return msgspec.msgpack.encode([self.bucket_bits, self.hash_bits, self.code_bytes, tables])


_Tables = Annotated[list[bytes], msgspec.Meta(max_length=8)]
_decode = msgspec.msgpack.Decoder(tuple[int, int, int, _Tables]).decode


def unpack_plan(data: bytes, layout: Layout[Any]) -> CodingPlan:
    """Return the plan that `CodingPlan.pack` made of a plan for this layout.

    :raises BuildError: if it is not one, or no segment can be written by it.
    """
    try:
        bucket_bits, hash_bits, code_bytes, tables = _decode(data)
        values = tuple(np.frombuffer(table, "<u4").astype(np.uint32) for table in tables)
        plan = CodingPlan(bucket_bits, hash_bits, code_bytes, values)
        canonical = plan.pack() == data
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise BuildError("the coding plan is malformed") from error
    if not canonical:
        raise BuildError("the coding plan is not in its one form")
    require_plan(plan, layout)
    return plan


def require_plan(plan: CodingPlan, layout: Layout[Any]) -> None:
    """Refuse a plan by which no segment of this layout can be written.

    :raises BuildError: if its numbers are out of bounds, or its tables not the layout's.
    """
    try:
        wrong = plan.header(layout).contradiction()
        if layout.coded and not wrong:
            Coding(layout, [_array(table) for table in plan.tables])
    except SegmentError as error:
        wrong = str(error)
    if layout.coded != bool(plan.code_bytes):
        wrong = "its rows are not of the layout's kind"
    if wrong:
        msg = f"no segment can be written by this coding plan: {wrong}"
        raise BuildError(msg)


def _array(table: Values) -> array[int]:
    return array("I", table.astype(np.uint32).tobytes())
