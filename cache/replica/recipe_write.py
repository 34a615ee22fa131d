"""Making recipes: the publisher's half. It knows what a base's rows do not keep, all of their keys.

Needs numpy, and some 24 bytes of memory a row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cache.errors import BuildError, SegmentError
from cache.replica.coding_plan import CodingPlan
from cache.replica.column_types import Keys
from cache.replica.merge import merge_rows
from cache.replica.planning import plan
from cache.replica.recipe import Recipe
from cache.replica.row_columns import as_words, matched_bits
from cache.replica.table import Table

_FULL_BITS = 64


def following_keys(table: Table, base_keys: Keys) -> Keys:
    """Return the whole keys of the rows on record now, by their rank in the next base.

    :param base_keys: those of the base's rows, by rank.
    :raises BuildError: if there are not as many.
    :raises DamagedPage: if a page of the base that changes speak of is damaged.
    """
    _require_all(table, base_keys)
    delta = table.net()
    kept = np.delete(base_keys, delta.removed)
    return np.insert(kept, np.searchsorted(kept, delta.keys), delta.keys)


def make_recipe(table: Table, base_keys: Keys) -> Recipe:
    """Return how the rows on record now are coded best by whoever has the base and its deltas.

    :param base_keys: whole keys of the base's rows, by rank.
    :raises BuildError: if the bits that the base's rows keep do not tell the next base's apart: it
        is then published without a recipe.
    :raises DamagedPage: if a page of the base is damaged.
    """
    known = matched_bits(table.header)
    keys = following_keys(table, base_keys)
    records = np.empty((len(keys), table.layout.record_bytes), np.uint8)
    at = 0
    for some in table.items():
        records[at : at + len(some[1])] = some[1]
        at += len(some[1])
    said = as_words(records) if table.layout.coded else records
    chosen = plan(table.layout, keys, said, matched_bits=known)
    return recipe_by(chosen, table, base_keys)


def recipe_by(plan: CodingPlan, table: Table, base_keys: Keys) -> Recipe:
    """Return how the rows on record now are coded by this plan, as `make_recipe`."""
    _require_all(table, base_keys)
    ranks = _becoming_wide(table, base_keys, plan)
    unknown = np.uint64((1 << _FULL_BITS - matched_bits(table.header)) - 1)
    return Recipe(table.layout.id, plan, ranks, base_keys[ranks] & unknown)


def _becoming_wide(table: Table, base_keys: Keys, plan: CodingPlan) -> NDArray[np.int64]:
    """Return the base's rows that are wide in the next base, and not in this one, ascending."""
    if not table.layout.coded:
        return np.zeros(0, np.int64)
    found = _WideKeys()
    try:
        merge_rows(
            table,
            plan,
            found,
            lambda first, keys: np.array(base_keys[first : first + len(keys)]),
            lambda: False,
        )
    except SegmentError as error:
        msg = f"the base's rows do not fit the plan of the next one: {error}"
        raise BuildError(msg) from error
    known = np.frombuffer(table.segment.wide, "<u8").reshape(-1, 3)[:, 0]
    wide = np.concatenate([np.zeros(0, np.uint64), *found.keys])
    wide = wide[~np.isin(wide, np.concatenate((known, table.net().keys)))]
    ranks = np.searchsorted(base_keys, wide).astype(np.int64)
    if np.any(ranks == len(base_keys)) or np.any(base_keys[ranks] != wide):
        raise BuildError("the keys are not those of the base's rows")
    return ranks


def _require_all(table: Table, base_keys: Keys) -> None:
    if len(base_keys) != table.header.rows:
        raise BuildError("there are not as many keys as rows of the base")


class _WideKeys:
    """A sink that keeps nothing but the wide rows' keys."""

    def __init__(self) -> None:
        self.keys: list[Keys] = []
        self.wide_rows = 0

    def append(self, keys: Keys, rows: NDArray[np.uint8]) -> None:
        """Let rows pass."""

    def append_wide(self, rows: NDArray[np.uint8]) -> None:
        """Keep the keys."""
        self.wide_rows += len(rows)
        self.keys.append(np.ascontiguousarray(rows[:, :8]).view("<u8").ravel().astype(np.uint64))
