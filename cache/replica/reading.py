"""Looking one person up in one dataset: closures over a table, made once per release.

Each takes the keys of one credential and returns what is on record under them, the same record
under several keys once. It raises where a page that could hold the answer is damaged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NoReturn

from admission.identity import MAX_PERMITS, PersonKey, permit_key
from admission.standing import Permit
from cache.errors import SegmentError
from cache.replica.table import Table

_ROWS_KEPT = 1_024

Keys = Sequence[PersonKey]
Reader = Callable[[Keys], Sequence[Any]]


def nobody(keys: Keys) -> tuple[()]:  # noqa: ARG001 - a reader
    """Answer for a dataset that this release does not have, or that is empty."""
    return ()


def unreadable(asked: object) -> NoReturn:  # noqa: ARG001 - a reader
    """Answer for a dataset whose segment cannot be used.

    :raises SegmentError: always.
    """
    raise SegmentError("the dataset is named by the release and is not here")


def ask(read: Reader | None, keys: Keys, kind: str, unreadable: list[str]) -> Sequence[Any]:
    """Return what a reader says, nothing without one. One that fails is named in `unreadable`."""
    if read is None:
        return ()
    try:
        return read(keys)
    except Exception:  # noqa: BLE001 - whatever failed, these rows cannot answer
        unreadable.append(kind)
        return ()


def reader(table: Table | None) -> Reader:
    """Return the reader of a dataset with one row a key; None = its segment cannot be used."""
    if table is None:
        return unreadable
    if table.empty:
        return nobody
    locate, find, unpack = table.locate, table.find, _remembered(table)

    def read(keys: Keys) -> Sequence[Any]:
        records: list[bytes] = []
        for key in keys:
            if locate(key) is None:  # of most people nothing is on record here
                continue
            record = find(key)
            if record is not None and record not in records:
                records.append(record)
        return [unpack(record) for record in records] if records else ()

    return read


def permit_reader(table: Table | None) -> Reader:
    """Return the reader of `permits`: all slots of each key."""
    if table is None:
        return unreadable
    if table.empty:
        return nobody
    locate, find, unpack = table.locate, table.find, _remembered(table)

    def read(keys: Keys) -> Sequence[Permit]:
        records: list[bytes] = []
        for key in keys:
            if locate(key) is None:
                continue
            # Few people have a permit on record, and most of those have one.
            record, further = find(key), 0
            while record is not None:
                if record not in records:
                    records.append(record)
                further += 1
                record = find(permit_key(key, further)) if further < MAX_PERMITS else None
        return [unpack(record) for record in records] if records else ()

    return read


def _remembered(table: Table) -> Callable[[bytes], Any]:
    """Return the layout's `unpack`, with the rows that were met last.

    Of a dataset other than `persons` few rows differ: a factory has a handful of shifts, and most
    permits of a day begin and end in the same hours.
    """
    return lru_cache(_ROWS_KEPT)(table.layout.unpack)
