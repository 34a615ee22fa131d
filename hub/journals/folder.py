"""A journal's folder that was brought in from a gate, read for comparison. Changes nothing there.

The one place where the hub reads a gate's files: what an investigator holds against what the hub
took in. The code that writes journals is not imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from cache.journal.anchor import Anchor, read_anchor
from cache.journal.catalogue import JournalFile, list_files, read_file
from cache.journal.errors import AnchorError, JournalError
from cache.journal.frame import Frame, Header
from cache.journal.medium import PosixMedium
from cache.journal.retired import retired_names
from cache.journal.scan import Damage, DamageKind, PrunedRun, scan
from hub.errors import DataFolderError


class Place(msgspec.Struct, frozen=True):
    """What a folder has under one sequence. `misplaced`: it stands there a second time."""

    sequence: int
    chain_hash: bytes
    packed: bytes
    misplaced: bool = False


class Gap(msgspec.Struct, frozen=True):
    """Sequences that a folder says it does not have: pruned, or not to be read."""

    first: int
    last: int
    pruned: bool


class FolderJournal(msgspec.Struct, frozen=True):
    """One journal in a folder, living or retired.

    `first` is where its files begin: what is before was pruned file by file, or removed. `anchor`
    is what some key signed of it: whether that is the gate's is for the caller to compare.
    """

    directory: Path
    journal: bytes
    first: int
    files: int
    anchor: Anchor | None = None
    anchor_damaged: bool = False

    def places(self) -> Iterator[Place | Gap]:
        """Yield what is there, by sequence.

        :raises DataFolderError: if a file cannot be read.
        """
        files = _listed(self.directory)
        for number, file in enumerate(files):
            following = files[number + 1].first_sequence if number + 1 < len(files) else None
            for one in _of_file(file):
                # A later file wins: what a failed write left behind never counted.
                at = one.sequence if isinstance(one, Place) else one.first
                if following is None or at < following:
                    yield one


def journals_in(folder: Path) -> list[FolderJournal]:
    """Return the journals of a gate's journal folder: the living one, and the retired ones in it.

    :raises DataFolderError: if there is none, or the folder cannot be read.
    """
    found = [journal for place in _places(folder) if (journal := _journal(place)) is not None]
    if not found:
        msg = f"no journal is in {folder}"
        raise DataFolderError(msg, hint="name the folder with the .journal files in it")
    return found


def _places(folder: Path) -> list[Path]:
    try:
        return [folder, *(folder / name for name in retired_names(PosixMedium().names(folder)))]
    except OSError as error:
        raise _unreadable(folder, error) from error


def _journal(directory: Path) -> FolderJournal | None:
    files = _listed(directory)
    for file in files:
        header = next(iter(_scanned(file)), None)
        if isinstance(header, Header):
            found = FolderJournal(directory, header.journal, files[0].first_sequence, len(files))
            return _anchored(found)
    return None


def _anchored(found: FolderJournal) -> FolderJournal:
    try:
        anchor = read_anchor(PosixMedium(), found.directory)
    except AnchorError:
        return msgspec.structs.replace(found, anchor_damaged=True)
    if anchor is None or anchor.journal != found.journal:
        return msgspec.structs.replace(found, anchor_damaged=anchor is not None)
    return msgspec.structs.replace(found, anchor=anchor)


def _of_file(file: JournalFile) -> Iterator[Place | Gap]:
    misplaced: int | None = None
    for finding in _scanned(file):
        match finding:
            case Frame():
                yield Place(finding.sequence, finding.chain_hash, finding.packed)
            case PrunedRun():
                yield Gap(finding.first, finding.last, pruned=True)
            case Damage() if finding.kind is DamageKind.OUT_OF_ORDER:
                misplaced = finding.sequence
                yield Place(misplaced, b"", b"", misplaced=True)
            case Damage() if finding.lost:
                yield Gap(finding.sequence, finding.sequence + finding.lost - 1, pruned=False)
            case _:
                continue


def _scanned(file: JournalFile) -> Iterator[object]:
    try:
        return scan(read_file(PosixMedium(), file), file.first_sequence)
    except OSError as error:
        raise _unreadable(file.path, error) from error
    except JournalError as error:
        raise DataFolderError(str(error), hint=error.hint) from error


def _listed(directory: Path) -> list[JournalFile]:
    try:
        return list_files(PosixMedium(), directory)
    except OSError as error:
        raise _unreadable(directory, error) from error


def _unreadable(path: Path, error: OSError) -> DataFolderError:
    msg = f"{path} cannot be read: {error.strerror or type(error).__name__}"
    return DataFolderError(msg, hint="copy the folder from the medium first, and name the copy")
