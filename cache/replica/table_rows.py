"""The rows of a table as columns, in the order of their keys. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from cache.replica.column_types import Keys, Records
from cache.replica.composition import kept_bytes
from cache.replica.delta import Delta
from cache.replica.layout import Layout
from cache.replica.row_columns import read_rows

if TYPE_CHECKING:
    from cache.replica.table import Table


def live_rows(table: Table, rows_at_once: int) -> Iterator[tuple[Keys, Records]]:
    """Yield what `Table.items` does; no batch is empty.

    :raises DamagedPage: if a page of the base is damaged.
    """
    net, total = table.net(), table.header.rows
    added = 0
    for first in range(0, max(total, 1), rows_at_once):
        last = min(first + rows_at_once, total)
        keys, records = read_rows(table.segment, first, last)
        keys, records = as_changed(keys, records, first, net, table.layout)
        until = len(net.keys)
        if last < total:
            next_key = np.uint64(table.segment.row(last)[0])
            until = int(np.searchsorted(net.keys, next_key))
        new = slice(added, until)
        added = until
        # A base row's key is cut off: somebody new with the same stored bits comes after it.
        at = np.searchsorted(keys, net.keys[new], side="right")
        keys = np.insert(keys, at, net.keys[new])
        records = np.insert(records, at, net.records[new], axis=0)
        for start in range(0, len(keys), rows_at_once):
            end = start + rows_at_once
            yield keys[start:end], records[start:end]


def as_changed(
    keys: Keys, records: Records, first: int, net: Delta, layout: Layout[Any]
) -> tuple[Keys, Records]:
    """Return base rows from rank `first` on as they are now, without those that are gone."""
    last = first + len(keys)
    some = slice(*np.searchsorted(net.ranks, [first, last]))
    at = net.ranks[some] - np.uint32(first)
    now = records.copy()
    now[at] = now[at] & kept_bytes(layout)[net.masks[some]] | net.values[some]
    gone = net.removed[slice(*np.searchsorted(net.removed, [first, last]))] - np.uint32(first)
    return np.delete(keys, gone), np.delete(now, gone, axis=0)
