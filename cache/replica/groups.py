"""The bits that count: of a record, of a group of it, and of the key that it stands under."""

from __future__ import annotations

from typing import Any

from cache.replica.alias import SPARE_BITS
from cache.replica.layout import Group, Layout


def group_bits(group: Group) -> int:
    """Return the group's bits within a whole record, read as one little-endian integer."""
    return ((1 << group.bits) - 1) << group.shift + 64 * group.word


def record_bits(layout: Layout[Any]) -> int:
    """Return how many bits of a packed record have a meaning; the others are zero."""
    last = layout.groups[-1]
    return 64 * last.word + last.shift + last.bits


def spare_bits(layout: Layout[Any]) -> int:
    """Return how many of a key's lowest bits do not count when rows of a layout are matched.

    Aliases hold 62 bits of the key of the person whom they lead to; where they may lead, two rows
    never agree in those.
    """
    return SPARE_BITS if layout.coded else 0
