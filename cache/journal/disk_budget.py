"""How full the disk is: of what the journal may take, and of the file system that it lies on."""

from __future__ import annotations

import os
from enum import IntEnum
from pathlib import Path

import msgspec


class Level(IntEnum):
    """How full. Values are percent."""

    FINE = 0
    NOTICE = 70
    WARNING = 85
    """Somebody should look: the hub was not reached for long, or the budget is too small."""
    CRITICAL = 95
    """Acknowledged entries are let go before their time. After that, lanes hold."""


class Space(msgspec.Struct, frozen=True):
    """Bytes: what the journal's folder takes and may take, what the file system holds and can."""

    journal: int
    budget: int
    used: int
    total: int


class DiskStatus(msgspec.Struct, frozen=True):
    """What health says of the disk: of the journal's budget, and of the file system.

    `why` is empty where all is fine.
    """

    budget: Level
    system: Level
    why: str
    facts: dict[str, str | int | float | bool | None]

    @property
    def level(self) -> Level:
        """The worse of both."""
        return max(self.budget, self.system)

    @property
    def ok(self) -> bool:
        """Whether nobody has to look."""
        return self.level is Level.FINE


def level_of(used: int, limit: int) -> Level:
    """Return how full something is that holds `limit`; a limit of 0 or less is none.

    >>> level_of(849, 1_000).name, level_of(850, 1_000).name, level_of(2, 1).name
    ('NOTICE', 'WARNING', 'CRITICAL')
    """
    if limit <= 0:
        return Level.FINE
    return max(level for level in Level if used * 100 >= level * limit)


def disk_status(space: Space) -> DiskStatus:
    """Return what health says of the disk."""
    journal = level_of(space.journal, space.budget)
    system = level_of(space.used, space.total)
    parts = []
    if journal is not Level.FINE:
        parts.append(f"the journal takes {_percent(space.journal, space.budget)} of its budget")
    if system is not Level.FINE:
        parts.append(f"the file system is {_percent(space.used, space.total)} full")
    why = " and ".join(parts)
    if max(journal, system) is Level.CRITICAL:
        why += ": entries that the hub holds are let go early, oldest first"
    facts: dict[str, str | int | float | bool | None] = {
        "journal_bytes": space.journal,
        "budget_bytes": space.budget,
        "disk_used_bytes": space.used,
        "disk_bytes": space.total,
    }
    return DiskStatus(journal, system, why, facts)


def space_of(directory: Path, budget: int) -> Space:
    """Return the space of a journal's folder, with that of the journals retired in it. Blocking.

    :param budget: bytes that the journal may take, 0 for as much as there is.
    :raises OSError: if the folder cannot be read.
    """
    system = os.statvfs(directory)
    # As `df`: what root alone may take counts as used up, for the gate does not run as root.
    usable = system.f_blocks - system.f_bfree + system.f_bavail
    used = system.f_blocks - system.f_bfree
    return Space(_size(directory), budget, used * system.f_frsize, usable * system.f_frsize)


def _size(directory: Path) -> int:
    total = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    total += _size(Path(entry.path))
                else:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
            except FileNotFoundError:
                continue  # pruned meanwhile
    return total


def _percent(used: int, limit: int) -> str:
    return f"{used * 100 // limit} %"
