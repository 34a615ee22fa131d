"""A journal in memory, behind the Journal port: for tests of whatever journals."""

from __future__ import annotations

from admission.passage import Passage


class BrokenJournalError(Exception):
    """The journal was told to fail."""


class MemoryJournal:
    """Keeps entries in `entries`; fails while `broken` is set."""

    def __init__(self) -> None:
        self.entries: list[Passage] = []
        self.broken = False

    async def append(self, entry: Passage) -> int:
        if self.broken:
            raise BrokenJournalError
        self.entries.append(entry)
        return len(self.entries)
