"""Records of many coded rows at once, and codes under other tables than their own. Needs numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cache.replica.column_types import Values, Words
from cache.replica.layout import Layout
from cache.replica.planning import values_of

Codes = NDArray[np.uint64]
Identities = NDArray[np.uint16]
Flags = NDArray[np.bool_]

_RUN_ENTRIES = 1 << 17
"""Of one array by which codes are translated: it stays in the processor's cache."""
_FULL = (1 << 64) - 1


class Tables:
    """The tables of one segment; `codes` is how many codes they make.

    It searches the tables, and so is for some rows among many: `row_columns.Encoder`, which is for
    all of them, holds arrays of many MiB.

    :param tables: the groups' values, each ascending.
    """

    def __init__(self, layout: Layout[Any], tables: Sequence[Values]) -> None:
        self.codes = math.prod(len(table) for table in tables)
        self._groups = layout.groups[:-1]
        self._tables = tables
        self._identity_shift = np.uint64(layout.groups[-1].shift)
        self._placed = [
            table.astype(np.uint64) << np.uint64(group.shift)
            for group, table in zip(self._groups, tables, strict=True)
        ]

    def words(self, codes: Codes, identities: Identities) -> Words:
        """Return the records of rows whose codes are all below `codes`."""
        words = np.zeros((len(codes), 2), np.uint64)
        if not len(codes):
            return words
        words[:, 1] = identities.astype(np.uint64) << self._identity_shift
        rest = codes
        for group, placed in zip(self._groups, self._placed, strict=True):
            rest, places = divided(rest, len(placed))
            words[:, group.word] |= placed[places]
        return words

    def coded(self, words: Words) -> tuple[Codes, Flags]:
        """Return the records' codes, and which have none: a value of theirs is in no table."""
        codes, absent, radix = np.zeros(len(words), np.uint64), np.zeros(len(words), bool), 1
        for group, table in zip(self._groups, self._tables, strict=True):
            places, missing = places_in(table, values_of(group, words))
            absent |= missing
            codes += places * np.uint64(radix)
            radix = radix * len(table) & _FULL
        return codes, absent

    def identities(self, words: Words) -> Identities:
        """Return what the rows of these records hold as it is."""
        return (words[:, 1] >> self._identity_shift).astype(np.uint16)


class Recoding:
    """From codes under one set of tables to codes under another, by look-up and not by search.

    Neighbouring groups are translated together while their values' combinations are few.
    """

    def __init__(self, before: Sequence[Values], after: Sequence[Values]) -> None:
        self._same = all(map(np.array_equal, before, after))
        self._none = not all(map(len, before)) or not all(map(len, after))
        self._runs: list[tuple[int, Codes, Flags | None]] = []
        codes, absent, radix = np.zeros(1, np.uint64), np.zeros(1, bool), 1
        for old, new in zip(before, after, strict=True):
            if len(codes) * len(old) > _RUN_ENTRIES:
                self._add(codes, absent)
                codes, absent = np.zeros(1, np.uint64), np.zeros(1, bool)
            places, missing = places_in(new, old)
            # The group is the highest of its run: its places vary slowest.
            codes = (codes[None, :] + (places * np.uint64(radix))[:, None]).ravel()
            absent = (absent[None, :] | missing[:, None]).ravel()
            radix = radix * len(new) & _FULL
        self._add(codes, absent)

    def __call__(self, codes: Codes) -> tuple[Codes, Flags]:
        """Return the codes, and which rows have none under the new tables.

        :param codes: all below the old tables' number of codes.
        """
        absent = np.full(len(codes), self._none)
        if self._none or self._same:
            return codes, absent
        recoded = np.zeros(len(codes), np.uint64)
        rest = codes
        for number, (size, run, missing) in enumerate(self._runs, 1):
            if number < len(self._runs):
                rest, places = divided(rest, size)
            else:
                places = rest.astype(np.intp)
            recoded += run[places]
            if missing is not None:
                absent |= missing[places]
        return recoded, absent

    def _add(self, codes: Codes, absent: Flags) -> None:
        self._runs.append((len(codes), codes, absent if absent.any() else None))


def divided(codes: Codes, size: int) -> tuple[Codes, NDArray[np.intp]]:
    """Return the quotients and the remainders."""
    quotients = codes // np.uint64(size)
    return quotients, (codes - quotients * np.uint64(size)).astype(np.intp)


def places_in(table: Values, values: Values) -> tuple[Codes, Flags]:
    """Return where the values stand in an ascending table, and which do not (their place is 0)."""
    if not len(table):
        return np.zeros(len(values), np.uint64), np.ones(len(values), bool)
    found = np.minimum(np.searchsorted(table, values), len(table) - 1)
    missing: Flags = table[found] != values
    found[missing] = 0
    return found.astype(np.uint64), missing
