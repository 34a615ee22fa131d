"""The groups of a record: the bits that change together, and how keys of a layout are matched."""

from __future__ import annotations

from typing import Any

import msgspec

from cache.replica.alias import ALIAS_PERSON_BITS, KEY_BITS
from cache.replica.layout import PERSONS_3, Layout


class Group(msgspec.Struct, frozen=True):
    """Bits of a record that change together: `shift` bits into a 64-bit little-endian word."""

    word: int
    shift: int
    bits: int

    @property
    def mask(self) -> int:
        """The group's bits in the whole record, read as one little-endian integer."""
        return ((1 << self.bits) - 1) << self.shift + 64 * self.word


_PERSONS_3 = (
    Group(0, 0, 30),
    Group(0, 30, 21),
    Group(0, 51, 13),
    Group(1, 0, 8),
    Group(1, 8, 20),
    Group(1, 28, 20),
    Group(1, 48, 16),
)


def groups_of(layout: Layout[Any]) -> tuple[Group, ...]:
    """Return the layout's groups in the order of their bits; most have one, the whole record."""
    if layout.id == PERSONS_3.id:
        return _PERSONS_3
    return (Group(0, 0, record_bits(layout)),)


def record_bits(layout: Layout[Any]) -> int:
    """Return how many bits of a packed record have a meaning."""
    return sum(field.bits for field in layout.fields)


def spare_bits(layout: Layout[Any]) -> int:
    """Return how many of a key's lowest bits do not count when rows of a layout are matched.

    Aliases hold 62 bits of the key of the person whom they lead to; where they may lead, two rows
    never agree in those.
    """
    return KEY_BITS - ALIAS_PERSON_BITS if layout.id == PERSONS_3.id else 0
