"""Coded rows: how a code of six to eight bytes and two tables' worth of bits become a record.

A coded layout's record is cut into groups (`Layout.groups`). Few values of a group are frequent,
so a segment keeps each group's values once, in a table, and a person's row names one of each by a
single mixed-radix number, the *code*:

    code = i0 + n0 · (i1 + n1 · (i2 + …))      n: sizes of the tables, i: places in them

The last group, the identity digest, is different for everybody: the row holds it as it is. A
person with a value that is in no table has a *wide row* instead, numbered from the first code
that the tables do not use.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from itertools import islice
from operator import lt
from struct import Struct
from typing import Any

from cache.errors import SegmentError
from cache.replica.layout import Group, Layout

CODED_GROUPS = 6
"""Groups of a coded layout that are in tables; there is one more, the identity."""
_WORDS = Struct("<QQ")


class Coding:
    """The tables of one segment.

    `tables` are the groups' values, each ascending; `codes` is how many codes they make.
    `record(code, identity)` returns the record of a code below `codes`.

    :raises SegmentError: if a table does not ascend, or holds what does not fit its group.
    """

    def __init__(self, layout: Layout[Any], tables: Sequence[array[int]]) -> None:
        groups = layout.groups[:-1]
        if len(groups) != CODED_GROUPS or len(tables) != CODED_GROUPS:
            raise SegmentError("the segment does not have its layout's tables")
        for group, table in zip(groups, tables, strict=True):
            if not all(map(lt, table, islice(table, 1, None))):
                raise SegmentError("a table of the segment does not ascend")
            if table and table[-1] >> group.bits:
                raise SegmentError("a table of the segment holds a value of another group")
        self.tables = tuple(tables)
        self.codes = math.prod(len(table) for table in tables)
        self.record = _decoder(groups, layout.groups[-1], self.tables)


def _decoder(
    groups: Sequence[Group], rest: Group, tables: Sequence[array[int]]
) -> Callable[[int, int], bytes]:
    """Return the function from a code and an identity to the record.

    Written out, because this runs for every person at the gate: a loop would cost twice the time.
    One division of the long code cuts it into halves that are mostly short, and divide faster.
    """
    if [g.word for g in (*groups, rest)] != [0, 0, 0, 1, 1, 1, 1]:
        raise SegmentError("the layout's groups are not those of a coded row")
    # Tuples: an array would make every integer anew.
    placed = [
        tuple(value << group.shift for value in table)
        for group, table in zip(groups, tables, strict=True)
    ]
    table0, table1, table2, table3, table4, table5 = placed
    size0, size1, _, size3, size4, _ = (len(table) for table in tables)
    half = size0 * size1 * len(tables[2])
    place, pack = rest.shift, _WORDS.pack

    def record(code: int, identity: int) -> bytes:
        high = code // half
        low = code - high * half
        second, fifth = low // size0, high // size3
        return pack(
            table0[low % size0] | table1[second % size1] | table2[second // size1],
            table3[high % size3]
            | table4[fifth % size4]
            | table5[fifth // size4]
            | identity << place,
        )

    return record
