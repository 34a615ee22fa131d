"""Marks: entries that a person at the hub should see, found without reading all the others."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec


class MarkKind(StrEnum):
    """What an entry is marked as. Values are in the store."""

    ALERT = "alert"
    """An officer was told something silently."""
    OVERRIDE = "override"
    """An officer decided otherwise than the gate."""
    CORRECTION = "correction"
    """An officer asks for a record to be corrected."""


class MarkedEntry(msgspec.Struct, frozen=True):
    """One marked entry. `packed` is what was hashed: `admission.wire.unpack_passage` reads it."""

    device: str
    journal: bytes
    sequence: int
    packed: bytes
    received_ns: int


class MarkStore(Protocol):
    """Entries by their marks, which `EntryStore.add_entries` takes from `Decoded.marks`."""

    async def marked(
        self, kind: MarkKind, *, since_ns: int = 0, site: str | None = None, limit: int
    ) -> Sequence[MarkedEntry]:
        """Return the newest entries with this mark, the last received first.

        Of entries that were received at once, those of a higher sequence come first.

        PostgreSQL: by the index of the marks' table on kind and receipt, with the partition key.

        :param since_ns: received at this wall time or later. A gate that was cut off sends old
            entries late: asked for since the last time, nothing is missed.
        :param site: those of this site only.
        :param limit: at most so many.
        """
        ...
