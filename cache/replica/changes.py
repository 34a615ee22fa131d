"""Changes: what is new since the last delta, written out inside the head.

One entry per key, ascending by key, without a gap or a header:

| bytes        | content                                                         |
|--------------|-----------------------------------------------------------------|
| 8            | key, little-endian                                              |
| 1            | 1: the record follows; 0: nothing is on record under it any more |
| record_bytes | the record, only after 1                                        |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cache.errors import DeltaError
from cache.replica.groups import record_bits, spare_bits
from cache.replica.layout import Layout

KEY_BYTES = 8
_REMOVED, _RECORD = 0, 1

Changes = Mapping[int, bytes | None]
"""By key, all 64 bits of it: the record that is under it now, or None for nothing any more."""


def pack_changes(changes: Changes, layout: Layout[Any]) -> bytes:
    """Return the changes' bytes; the same changes always give the same.

    :raises DeltaError: if a record is not one of the layout, or two keys are matched as one.
    """
    parts: list[bytes] = []
    for key in sorted(changes):
        record = changes[key]
        if record is None:
            parts += (key.to_bytes(KEY_BYTES, "little"), bytes([_REMOVED]))
        else:
            parts += (key.to_bytes(KEY_BYTES, "little"), bytes([_RECORD]), record)
    data = b"".join(parts)
    unpack_changes(data, layout)
    return data


def unpack_changes(data: bytes, layout: Layout[Any]) -> dict[int, bytes | None]:
    """Return the changes by key.

    :raises DeltaError: if the bytes are no entries of this layout, end amid one, do not ascend, or
        hold a record with bits that its layout has no field for.
    """
    changes: dict[int, bytes | None] = {}
    width, spare, bits = layout.record_bytes, spare_bits(layout), record_bits(layout)
    at, before = 0, -1
    while at < len(data):
        head = data[at : at + KEY_BYTES + 1]
        if len(head) != KEY_BYTES + 1 or head[-1] not in (_REMOVED, _RECORD):
            raise DeltaError("the changes end amid an entry, or hold one of no known kind")
        key = int.from_bytes(head[:KEY_BYTES], "little")
        at += len(head)
        if key >> spare <= before:
            raise DeltaError("the changes do not ascend by key")
        before = key >> spare
        record = None
        if head[-1] == _RECORD:
            record = data[at : at + width]
            at += width
            if len(record) != width or int.from_bytes(record, "little") >> bits:
                msg = f"the changes hold a record that is not of layout {layout.id}"
                raise DeltaError(msg)
        changes[key] = record
    return changes
