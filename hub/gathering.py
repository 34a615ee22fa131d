"""Records under their keyed hashes: what the publisher gathers before it writes a segment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from admission.identity import MAX_PERMITS, Identifier, PersonKey, permit_keys, person_keyer
from cache.replica.build import RowSet
from cache.replica.layout import PERMITS_1, Layout

PROGRESS_ROWS = 10_000

Progress = Callable[[int], None]
Records = Iterable[tuple[Identifier, Any]]
"""One record per identifier in its normal form, in any order. Records that are the same object one
after the other are packed once."""


class Part(msgspec.Struct, frozen=True):
    """One dataset that is to be published: how its records are packed, and where they come from.

    `revision` is the store's of what the records are read from, or None where nobody counts.
    """

    name: str
    layout: Layout[Any]
    records: Records
    revision: int | None = None


def gather(part: Part, hash_key: bytes, progress: Progress | None = None) -> RowSet:
    """Return a part's packed records under their keys.

    :param progress: called with the records taken so far, every 10,000 and at the end.
    :raises LayoutError: if a record does not fit the layout.
    """
    counted = _counted(part.records, progress)
    if part.layout is PERMITS_1:
        return _permits(counted, hash_key)
    gathered = RowSet(part.layout)
    key_of, add, pack = person_keyer(hash_key), gathered.add, part.layout.pack
    packed: Any = None
    record = b""
    for identifier, entry in counted:
        if entry is not packed:
            record, packed = pack(entry), entry
        add(key_of(identifier), record)
    return gathered


def _permits(records: Records, hash_key: bytes) -> RowSet:
    """Return permits in their slots: of somebody who has too many, those that end last."""
    key_of, pack = person_keyer(hash_key), PERMITS_1.pack
    held: dict[PersonKey, list[tuple[int, bytes]]] = {}
    for identifier, permit in records:
        held.setdefault(key_of(identifier), []).append((permit.until_h, pack(permit)))
    gathered = RowSet(PERMITS_1)
    for key, permits in held.items():
        last = sorted(set(permits), reverse=True)[:MAX_PERMITS]
        for slot, (_, record) in zip(permit_keys(key), last, strict=False):
            gathered.add(slot, record)
    return gathered


def _counted(records: Records, progress: Progress | None) -> Records:
    if progress is None:
        yield from records
        return
    count = 0
    for count, record in enumerate(records, start=1):
        yield record
        if count % PROGRESS_ROWS == 0:
            progress(count)
    if count % PROGRESS_ROWS or not count:
        progress(count)
