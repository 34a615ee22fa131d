"""What is found wrong with a journal: runs of sequences, gathered up to a bound."""

from __future__ import annotations

from enum import StrEnum

import msgspec

MAX_FINDINGS = 200
"""Runs that are told one by one; the rest is counted."""


class FindingKind(StrEnum):
    """What is wrong. Values are in the commands' JSON."""

    ALTERED = "altered"
    """The entry or its chain hash is not what it was when it came in."""
    BROKEN_ON_ARRIVAL = "broken_on_arrival"
    """The chain did not hold when the entry came in: it was altered before, at the gate."""
    DELETED = "deleted"
    """The store notes the entry as held, and it is not there."""
    INSERTED = "inserted"
    """An entry is there that the store does not note as held."""
    COLUMNS = "columns"
    """What searches find the entry by is not what the entry says."""
    MARK = "mark"
    """The journal's high-water mark is not that of its entries."""
    LIST = "list"
    """A published daily list says otherwise: the journal was written anew since."""
    DIFFERENT = "different"
    """Hub and folder have different entries at this place."""
    NOT_IN_FOLDER = "not_in_folder"
    """The hub has the entry; the folder does not have it intact, nor says that it pruned it."""
    NOT_AT_HUB = "not_at_hub"
    """The folder has the entry; the hub notes it as held, and does not have it."""
    INSERTED_IN_FOLDER = "inserted_in_folder"
    """An entry stands in the folder a second time, or out of order."""


class Finding(msgspec.Struct, frozen=True):
    """One run of sequences with the same thing wrong; 0 to 0 where the detail says where."""

    kind: FindingKind
    first: int
    last: int
    detail: str = ""


class Findings:
    """Gathers what is found; sequences that follow on each other become one run."""

    def __init__(self) -> None:
        self.runs: list[Finding] = []
        self.untold = 0
        """Runs beyond those that are kept."""

    def add(self, kind: FindingKind, first: int, last: int | None = None, detail: str = "") -> None:
        """Take what was found at some sequences."""
        last = first if last is None else last
        for place in range(len(self.runs) - 1, max(-1, len(self.runs) - 4), -1):
            run = self.runs[place]
            if (run.kind, run.detail, run.last + 1) == (kind, detail, first):
                self.runs[place] = msgspec.structs.replace(run, last=last)
                return
        if len(self.runs) < MAX_FINDINGS:
            self.runs.append(Finding(kind, first, last, detail))
        else:
            self.untold += 1

    def __bool__(self) -> bool:
        return bool(self.runs)
