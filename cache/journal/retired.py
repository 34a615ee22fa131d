"""Retired journals: ended because nobody knows their true end, and from then on only read.

Where the newest file is gone or unreadable, entries may have been acknowledged that are not seen
here any more. To continue would give their sequences out a second time. So the journal ends, its
files go to a folder named by its id, and a new journal with an id of its own begins in their place.
The folder's name is the mark of the end: it is durable before the first file moves, so that no
power cut in between, and no file put back later, brings the journal to life again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from cache.journal.anchor import ANCHOR_NAME
from cache.journal.catalogue import DAMAGED_SUFFIX, JournalFile, list_files, read_file
from cache.journal.errors import JournalDamaged
from cache.journal.frame import Frame, Header
from cache.journal.medium import Medium, PosixMedium
from cache.journal.scan import PrunedRun, scan

_NAME = re.compile(r"[0-9a-f]{32}")


class RetiredJournal(msgspec.Struct, frozen=True):
    """What is left of one retired journal, for an upload beside the living one's.

    :ivar last_sequence: the last entry that can still be read, 0 if there is none.
    """

    directory: Path
    journal_id: bytes
    last_sequence: int

    async def wait_beyond(self, sequence: int) -> None:
        """Return at once if there is an entry after `sequence`; otherwise never: none will come."""
        if self.last_sequence <= sequence:
            await asyncio.Event().wait()


def retired_directory(directory: Path, journal: bytes) -> Path:
    """Return the folder of a retired journal, whether or not it exists."""
    return directory / journal.hex()


def is_retired(medium: Medium, directory: Path, journal: bytes) -> bool:
    """Return whether the journal has been ended here.

    :raises OSError: as the medium does.
    """
    return journal.hex() in medium.names(directory)


def retired_names(names: Sequence[str]) -> list[str]:
    """Return those of a journal folder's names that are folders of retired journals, sorted."""
    return sorted(name for name in names if _NAME.fullmatch(name))


def retire(
    medium: Medium,
    directory: Path,
    journal: bytes,
    readable: Sequence[JournalFile],
    unreadable: Sequence[JournalFile],
) -> None:
    """End a journal: move its files to its folder, the unreadable ones marked as such.

    :raises OSError: as the medium does; called again at the next start, it completes the rest.
    """
    folder = retired_directory(directory, journal)
    medium.make_directory(folder)
    taken = set(medium.names(folder))
    for file in readable:
        medium.rename(file.path, folder / _free(file.path.name, taken))
    for file in unreadable:
        name = file.path.with_suffix(DAMAGED_SUFFIX).name
        medium.rename(file.path, folder / _free(name, taken))
    medium.sync_directory(folder)
    medium.sync_directory(directory)


def retire_anchor(medium: Medium, directory: Path, journal: bytes) -> None:
    """Move the anchor of a journal that ended to its folder: it says where the journal stood.

    :raises OSError: as the medium does; called again at the next start, it completes the rest.
    """
    folder = retired_directory(directory, journal)
    medium.make_directory(folder)
    target = folder / _free(ANCHOR_NAME, set(medium.names(folder)))
    medium.rename(directory / ANCHOR_NAME, target)
    medium.sync_directory(folder)
    medium.sync_directory(directory)


def _free(name: str, taken: set[str]) -> str:
    """Return a name that replaces nothing: a file put back later never displaces the first."""
    free, number = name, 1
    while free in taken:
        free, number = f"{name}.{number}{DAMAGED_SUFFIX}", number + 1
    taken.add(free)
    return free


def retired_journals(directory: Path, medium: Medium | None = None) -> list[RetiredJournal]:
    """Return the retired journals of a journal's folder. Blocking: reads each one's newest file.

    :raises OSError: as the medium does.
    """
    medium = medium or PosixMedium()
    return [
        RetiredJournal(directory / name, bytes.fromhex(name), _last(medium, directory / name))
        for name in retired_names(medium.names(directory))
    ]


def _last(medium: Medium, folder: Path) -> int:
    """Return the last sequence that the newest readable file tells of."""
    try:
        files = list_files(medium, folder)
    except NotADirectoryError:
        return 0
    for file in reversed(files):
        last = 0
        try:
            findings = scan(read_file(medium, file), file.first_sequence)
        except (JournalDamaged, OSError):
            continue  # its entries are lost; those before it are not
        for finding in findings:
            match finding:
                case Header():
                    last = finding.first_sequence - 1
                case Frame():
                    last = finding.sequence
                case PrunedRun():
                    last = finding.last
        if last:
            return last
    return 0
