"""Making the next base of this one and its deltas, in one pass, without a byte from upstream.

The rows stream through in steps of a few MiB: those that nothing is said of are written under the
new tables' codes without being decoded, the others are put together anew. What comes out is, byte
for byte, what `build.write_rows` makes of the same rows by the same plan; the publisher has signed
its root.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cache.errors import BuildError, MergeStopped, SegmentError
from cache.replica.build import Built, built
from cache.replica.coding_plan import CodingPlan
from cache.replica.column_types import Keys, Words
from cache.replica.composition import kept_bytes
from cache.replica.delta import Delta
from cache.replica.recipe import Recipe
from cache.replica.recoding import Recoding, Tables
from cache.replica.row_columns import as_words, matched_bits, plain_rows, tables_of
from cache.replica.segment import Segment
from cache.replica.segment_rows import (
    CodedAppender,
    CodedColumns,
    CodedRows,
    RowSink,
    each_coded,
    each_plain,
)
from cache.replica.segment_writer import SegmentWriter
from cache.replica.table import Table

STEP_ROWS = 1 << 17
"""Rows that are held at once: a few MiB, whatever the layout."""
_FULL_BITS = 64


def merge(
    table: Table,
    recipe: Recipe,
    path: Path,
    hash_key_id: bytes,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> Built:
    """Write what the table says as a base of its own, coded as the recipe says.

    The caller makes the file durable, compares the root and renames it. On any error what was
    written so far stays under `path` and is nothing.

    :param path: where to write; what is there is removed, so it must be no segment in use.
    :param stop: asked once a step; True ends the merge.
    :raises MergeStopped: if `stop` said so.
    :raises DamagedPage: if a page of the base is damaged.
    :raises SegmentError: if the recipe is not one for this base.
    :raises OSError: if the file cannot be written.
    """
    require_mergeable(table, recipe)
    try:
        path.unlink(missing_ok=True)
        with path.open("xb") as file:
            writer = SegmentWriter(file, table.layout, recipe.plan, hash_key_id)
            merge_rows(table, recipe.plan, writer, ends_of(recipe), stop)
            writer.finish()
    except BuildError as error:
        msg = f"the recipe is not one for its base: {error}"
        raise SegmentError(msg) from error
    return built(path, recipe.plan)


def require_mergeable(table: Table, recipe: Recipe) -> None:
    """Return if rows of this table can be coded by this recipe.

    :raises SegmentError: if it is of another layout, needs more bits of keys than rows of the base
        keep, or speaks of rows that the base does not have.
    """
    kept = matched_bits(table.header)
    if recipe.layout != table.header.layout:
        raise SegmentError("the recipe is of another record layout than its base")
    if min(_FULL_BITS, recipe.plan.bucket_bits + recipe.plan.hash_bits) > kept:
        raise SegmentError("the recipe needs more bits of each key than the base's rows keep")
    ends = recipe.key_ends
    if len(recipe.ranks) and int(recipe.ranks[-1]) >= table.header.rows:
        raise SegmentError("the recipe speaks of rows that its base does not have")
    if len(ends) and int(ends.max()) >> _FULL_BITS - kept:
        raise SegmentError("the recipe holds key ends that are too long for its base")


KeyEnds = Callable[[int, Keys], Keys]
"""From the first rank of some rows and their keys, as far as rows keep them, to better ones."""


def ends_of(recipe: Recipe) -> KeyEnds:
    """Return the function that makes keys whole by a recipe, where it does."""

    def completed(first: int, keys: Keys) -> Keys:
        some = _within(recipe.ranks, first, len(keys))
        keys[recipe.ranks[some] - first] |= recipe.key_ends[some]
        return keys

    return completed


def merge_rows(
    table: Table,
    plan: CodingPlan,
    sink: RowSink,
    completed: KeyEnds,
    stop: Callable[[], bool],
) -> None:
    """Hand the next base's rows to a sink, in their order. Raises as `merge`."""
    delta = table.net()
    if not table.layout.coded:
        _merge_plain(table.segment, delta, plan, sink, stop)
        return
    after = Tables(table.layout, plan.tables)
    added = _Added(delta.keys)
    coded = CodedAppender(sink, plan, after)
    step = _CodedStep(table.segment, delta, plan, after)
    for rows in each_coded(table.segment, STEP_ROWS):
        _require_going(stop)
        keys = completed(rows.first, rows.keys)
        coded.append(step.rows(rows, keys, added.up_to(keys)))
    coded.append(step.added(added.rest()))
    coded.finish()


def _merge_plain(
    segment: Segment,
    delta: Delta,
    plan: CodingPlan,
    sink: RowSink,
    stop: Callable[[], bool],
) -> None:
    added = _Added(delta.keys)
    for rows in each_plain(segment, STEP_ROWS):
        _require_going(stop)
        records, kept = rows.records.copy(), _kept(delta, rows.first, len(rows.keys))
        some = _within(delta.ranks, rows.first, len(records))
        # The one group of such a layout is the whole record.
        records[delta.ranks[some].astype(np.int64) - rows.first] = delta.values[some]
        keys, records, new = rows.keys[kept], records[kept], added.up_to(rows.keys)
        at = np.searchsorted(keys, delta.keys[new])
        keys = np.insert(keys, at, delta.keys[new])
        records = np.insert(records, at, delta.records[new], axis=0)
        sink.append(keys, plain_rows(plan, keys, records))
    new = added.rest()
    sink.append(delta.keys[new], plain_rows(plan, delta.keys[new], delta.records[new]))


class _Added:
    """The added keys, in the order in which they are due."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._taken = 0

    def up_to(self, keys: Keys) -> slice:
        """Return which of them come before the last of these, that came not before."""
        return self._take(int(np.searchsorted(self._keys, keys[-1])))

    def rest(self) -> slice:
        """Return which of them are still due."""
        return self._take(len(self._keys))

    def _take(self, end: int) -> slice:
        first, self._taken = self._taken, max(end, self._taken)
        return slice(first, self._taken)


class _CodedStep:
    """One step's rows of the base, and the added ones among them, under the new tables."""

    def __init__(self, segment: Segment, delta: Delta, plan: CodingPlan, after: Tables) -> None:
        if segment.coding is None:
            raise SegmentError("the base of a coded layout has no tables")
        tables = tables_of(segment)
        self._delta = delta
        self._values = as_words(delta.values)
        self._records = as_words(delta.records)
        self._kept_bits = as_words(kept_bytes(segment.layout))
        self._before = Tables(segment.layout, tables)
        self._after = after
        self._recoded = Recoding(tables, plan.tables)

    def rows(self, rows: CodedRows, keys: Keys, new: slice) -> CodedColumns:
        """Return the rows, changed, without those removed, and with these of the added keys."""
        delta, count = self._delta, len(keys)
        some = _within(delta.ranks, rows.first, count)
        changed = delta.ranks[some].astype(np.int64) - rows.first
        rows.codes[rows.wide] = 0
        codes, anew = self._recoded(rows.codes)
        # Rows that are put together anew: all others keep the values that they have.
        anew[rows.wide] = anew[changed] = True
        places = np.flatnonzero(anew)
        words = self._words(rows, places)
        at = np.searchsorted(places, changed)
        words[at] = words[at] & self._kept_bits[delta.masks[some]] | self._values[some]
        codes = codes.copy() if codes is rows.codes else codes
        codes[places], missing = self._after.coded(words)
        identities = rows.identities
        identities[places] = self._after.identities(words)
        absent = np.zeros(count, bool)
        absent[places] = missing
        old = CodedColumns(keys, codes, identities, absent, words[missing])
        kept = _kept(delta, rows.first, count)
        if not kept.all():
            words = words[missing & kept[places]]
            old = CodedColumns(keys[kept], codes[kept], identities[kept], absent[kept], words)
        return _inserted(old, self.added(new)) if new.stop > new.start else old

    def added(self, new: slice) -> CodedColumns:
        """Return these added rows."""
        words = self._records[new].astype(np.uint64)
        codes, missing = self._after.coded(words)
        identities = self._after.identities(words)
        return CodedColumns(self._delta.keys[new], codes, identities, missing, words[missing])

    def _words(self, rows: CodedRows, places: NDArray[np.intp]) -> Words:
        """Return the records of some rows, as the base has them."""
        words = np.empty((len(places), 2), np.uint64)
        wide = np.zeros(len(rows.keys), bool)
        wide[rows.wide] = True
        coded = ~wide[places]
        words[~coded] = rows.wide_words
        some = places[coded]
        words[coded] = self._before.words(rows.codes[some], rows.identities[some])
        return words


def _inserted(old: CodedColumns, new: CodedColumns) -> CodedColumns:
    """Return rows with others among them, all ascending."""
    at = np.searchsorted(old.keys, new.keys)
    # Where the records of the new rows that have no code come among those of the old ones.
    worded = np.concatenate(([0], np.cumsum(old.absent)))[at[new.absent]]
    return CodedColumns(
        np.insert(old.keys, at, new.keys),
        np.insert(old.codes, at, new.codes),
        np.insert(old.identities, at, new.identities),
        np.insert(old.absent, at, new.absent),
        np.insert(old.words, worded, new.words, axis=0),
    )


def _kept(delta: Delta, first: int, count: int) -> NDArray[np.bool_]:
    """Return which of these rows of the base are not removed."""
    kept = np.ones(count, bool)
    kept[delta.removed[_within(delta.removed, first, count)].astype(np.int64) - first] = False
    return kept


def _within(ranks: NDArray[np.integer], first: int, count: int) -> slice:
    """Return which of ascending ranks are of these rows."""
    low, high = np.searchsorted(ranks, [first, first + count])
    return slice(int(low), int(high))


def _require_going(stop: Callable[[], bool]) -> None:
    if stop():
        raise MergeStopped("the merge was told to stop")
