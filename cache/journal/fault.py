"""What can be wrong with a journal."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FaultKind(StrEnum):
    """What is wrong with a journal. Those of one file's bytes are as in `scan.DamageKind`."""

    HEADER = "header"
    UNREADABLE = "unreadable"
    MISSING = "missing"
    OUT_OF_ORDER = "out_of_order"
    CHAIN = "chain"
    FILE = "file"
    """The file as a whole cannot be read, or opening found nothing readable in it. Also stands for
    the folder of a retired journal, whose end is not known (`cache.journal.retired`)."""
    OTHER_JOURNAL = "other_journal"
    """The file belongs to another journal than the ones before it, or than the anchor."""
    ANCHOR = "anchor"
    """The anchor is missing, damaged, or signed by another device."""
    ALTERED = "altered"
    """An entry, or the file's beginning, is another one than was signed."""
    PRUNED = "pruned"
    """Entries are marked as pruned that were not, or what was kept of the pruned part changed."""
    MARK = "mark"
    """The hub's mark in the anchor is not signed by the hub, or contradicts the anchor."""


class Fault(msgspec.Struct, frozen=True):
    """One fault: where it is (`offset` in `file`), and which sequences it cost (`lost` of them)."""

    kind: FaultKind
    file: str
    offset: int
    sequence: int
    lost: int = 0
