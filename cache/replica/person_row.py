"""A person's row read fast: by groups of fields, each value of a group decoded when first met.

Says what `PERSONS_3.unpack` says of what `Segment.locate` finds, in a fraction of the time: of each
group few values differ, however many people there are. Whatever is not the common case is left to
those two, so that there is one place for each rule.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from admission.standing import PersonFacts
from cache.errors import LayoutError
from cache.replica.alias import SPARE_BITS
from cache.replica.forms import decoder
from cache.replica.geometry import PAGE_BYTES
from cache.replica.layout import PERSONS_3
from cache.replica.table import Table

_WORD_BITS = 64
_WORDS = struct.Struct("<QQ")
_CODE_AND_IDENTITY = struct.Struct("<QH")
_VALUES_KEPT = 16_384
"""Decoded values kept of each group: what is met beyond is decoded each time."""

_GROUPS = (
    ("status", "vulnerable", "isolation_until", "district"),
    ("doses", "product", "last_dose"),
    ("recovered",),
    ("born",),
    ("tested_h", "test_result"),
    ("declared_h", "symptoms", "exposure"),
)
"""The layout's groups by their fields: residence, vaccination, recovery, birth, test, declaration.

The identity follows.
"""
_ORDER = (
    "status",
    "doses",
    "product",
    "last_dose",
    "recovered",
    "born",
    "vulnerable",
    "isolation_until",
    "district",
    "tested_h",
    "test_result",
    "declared_h",
    "symptoms",
    "exposure",
    "identity",
)
"""The arguments with which facts are made below."""

_FIELDS = {field.name: field for field in PERSONS_3.fields}
_SHIFTS = dict(
    zip(_FIELDS, accumulate((f.bits for f in PERSONS_3.fields), initial=0), strict=False)
)
_PLACES = [divmod(_SHIFTS[names[0]], _WORD_BITS) for names in (*_GROUPS, ("identity",))]

if PersonFacts.__struct_fields__ != _ORDER:
    raise LayoutError("a person's facts have other fields than their rows are read for")
if [(group.word, group.shift) for group in PERSONS_3.groups] != _PLACES:
    raise LayoutError("people's rows are read in other groups than their layout has")


class _Group:
    """One group of fields: where it stands, and what the values of it mean that have been met.

    A meaning is a tuple of the fields' values, or the value of a group's one field.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        first = _SHIFTS[names[0]]
        self._fields = tuple(
            (_SHIFTS[name] - first, (1 << _FIELDS[name].bits) - 1, decoder(_FIELDS[name].form))
            for name in names
        )
        self.mask = (1 << sum(_FIELDS[name].bits for name in names)) - 1
        self.word, self.shift = divmod(first, _WORD_BITS)
        self.met: dict[int, Any] = {}

    def meaning(self, value: int) -> Any:
        """Return what a value means.

        :raises LookupError: or `ValueError`, if this version has no meaning for it.
        """
        decoded = tuple([decode(value >> shift & mask) for shift, mask, decode in self._fields])
        return decoded if len(decoded) > 1 else decoded[0]

    def value(self, words: tuple[int, ...]) -> int:
        """Return the group's value in a record of these words."""
        return words[self.word] >> self.shift & self.mask

    def meet(self, words: tuple[int, ...]) -> None:
        """Keep what the value in this record means, as long as there is room."""
        if len(self.met) < _VALUES_KEPT:
            value = self.value(words)
            self.met[value] = self.meaning(value)

    def meanings(self, table: array[int]) -> list[Any]:
        """Return a place for the meaning of each value of a segment's table, None until it is met.

        Those of a single field, of which None is one, are all there from the start.
        """
        if len(self._fields) == 1:
            return [self.meaning(value) for value in table]
        return [None] * len(table)


def record_reader() -> Callable[[bytes], PersonFacts]:
    """Return the function from a record of `PERSONS_3` to its facts.

    It raises `LayoutError` as `PERSONS_3.unpack` does. Its memory is bounded.
    """
    groups = [_Group(names) for names in _GROUPS]
    residence, vaccination, recovery, born, test, declaration = [group.met for group in groups]
    residence_mask, vaccination_mask, _, born_mask, test_mask, declaration_mask = [
        group.mask for group in groups
    ]
    _, vaccination_at, recovery_at, _, test_at, declaration_at = [group.shift for group in groups]
    identity_at = PERSONS_3.groups[-1].shift
    words, made = _WORDS.unpack, PersonFacts

    def first_met(record: bytes) -> PersonFacts:
        facts = PERSONS_3.unpack(record)
        for group in groups:
            group.meet(words(record))
        return facts

    def read(record: bytes) -> PersonFacts:
        low, high = words(record)
        try:
            status, vulnerable, isolation_until, district = residence[low & residence_mask]
            doses, product, last_dose = vaccination[low >> vaccination_at & vaccination_mask]
            tested_h, test_result = test[high >> test_at & test_mask]
            declared_h, symptoms, exposure = declaration[high >> declaration_at & declaration_mask]
            return made(
                status,
                doses,
                product,
                last_dose,
                recovery[low >> recovery_at],
                born[high & born_mask],
                vulnerable,
                isolation_until,
                district,
                tested_h,
                test_result,
                declared_h,
                symptoms,
                exposure,
                high >> identity_at,
            )
        except KeyError:
            return first_met(record)

    return read


def facts_finder(table: Table) -> Callable[[int], PersonFacts | None]:
    """Return the look-up of the facts under a key in a table of coded rows.

    It raises as `Table.locate` and `PERSONS_3.unpack` do.

    :param table: of layout `PERSONS_3`.
    """
    segment, overlay = table.segment, table.overlay
    mapped, tables = segment.mapped, segment.tables
    header, view, index, trusted = mapped.header, mapped.view, mapped.index, mapped.trusted
    width, page_bytes, search = header.row_bytes, PAGE_BYTES, view.find
    bucket_shift, hash_bytes = _WORD_BITS - header.bucket_bits, header.hash_bits // 8
    down, mask = bucket_shift - header.hash_bits, (1 << header.hash_bits) - 1
    # The last ten bytes of a row end with its code and identity, whatever stands before.
    row, back = _CODE_AND_IDENTITY.unpack_from, width - _CODE_AND_IDENTITY.size
    codes, code_shift = header.codes, _WORD_BITS - 8 * header.code_bytes
    half = len(tables[0]) * len(tables[1]) * len(tables[2])
    size0, size1, size3, size4 = (len(tables[i]) for i in (0, 1, 3, 4))
    groups = [_Group(names) for names in _GROUPS]
    met = [group.meanings(values) for group, values in zip(groups, tables, strict=True)]
    residence, vaccination, recovery, born, test, declaration = met
    wide, unpack, made = segment.wide_row, record_reader(), PersonFacts
    seldom = _seldom(table, groups, met, unpack)
    changed = {key >> SPARE_BITS for key in table.changes}
    spare, bitmap = SPARE_BITS, b"" if overlay is None else overlay.bitmap
    added = None if overlay is None else table.added

    def facts_of(key: int) -> PersonFacts | None:
        bucket = key >> bucket_shift
        if not trusted[bucket] or (changed and key >> spare in changed):
            return seldom(key)
        start, end = index[bucket] * width + page_bytes, index[bucket + 1] * width + page_bytes
        at = search((key >> down & mask).to_bytes(hash_bytes, "big"), start, end)
        if at < 0:
            if added is None:
                return None
            record = added(key)
            return None if record is None else unpack(record)
        if (at - start) % width:
            return seldom(key)
        if bitmap:
            rank = (at - page_bytes) // width
            if bitmap[rank >> 3] >> (rank & 7) & 1:
                return seldom(key)
        code, identity = row(view, at + back)
        code >>= code_shift
        if code >= codes:
            whole, said = wide(code - codes)
            return unpack(said) if whole >> spare == key >> spare else seldom(key)
        high = code // half
        low = code - high * half
        second, fifth = low // size0, high // size3
        try:
            status, vulnerable, isolation_until, district = residence[low % size0]
            doses, product, last_dose = vaccination[second % size1]
            tested_h, test_result = test[fifth % size4]
            declared_h, symptoms, exposure = declaration[fifth // size4]
        except TypeError:  # a value that was not met yet
            return seldom(key)
        return made(
            status,
            doses,
            product,
            last_dose,
            recovery[second // size1],
            born[high % size3],
            vulnerable,
            isolation_until,
            district,
            tested_h,
            test_result,
            declared_h,
            symptoms,
            exposure,
            identity,
        )

    return facts_of


def _seldom(
    table: Table,
    groups: Sequence[_Group],
    met: Sequence[list[Any]],
    read: Callable[[bytes], PersonFacts],
) -> Callable[[int], PersonFacts | None]:
    """Return the look-up for every case but the common one; it fills in what the latter lacks."""
    locate, record_at, tables = table.locate, table.segment.record, table.segment.tables

    def look_up(key: int) -> PersonFacts | None:
        found = locate(key)
        if found is None:
            return None
        if isinstance(found, bytes):
            return read(found)
        record = record_at(found)
        facts, words = read(record), _WORDS.unpack(record)
        for group, values, meanings in zip(groups, tables, met, strict=True):
            value = group.value(words)
            at = bisect_left(values, value)
            if at < len(values) and values[at] == value and meanings[at] is None:
                meanings[at] = group.meaning(value)
        return facts

    return look_up
