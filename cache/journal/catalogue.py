"""The files of one journal directory: their names, their order, and how each is read."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from cache.journal.errors import JournalDamaged, JournalUnavailable
from cache.journal.medium import Medium, NotAFile
from cache.journal.scan import MAX_FILE_BYTES

LOCK_NAME = "journal.lock"
PART_SUFFIX = ".part"
DAMAGED_SUFFIX = ".damaged"
_NAME = re.compile(r"([0-9]{19})\.journal")


class JournalFile(msgspec.Struct, frozen=True, order=True):
    """One file, named by the sequence of its first entry."""

    first_sequence: int
    path: Path


def file_at(directory: Path, first_sequence: int) -> JournalFile:
    """Return the file that begins with this sequence, whether or not it exists."""
    return JournalFile(first_sequence, directory / f"{first_sequence:019d}.journal")


def list_files(medium: Medium, directory: Path) -> list[JournalFile]:
    """Return the directory's journal files, ascending. Whatever else lies there is passed over.

    :raises OSError: as the medium does.
    """
    matches = (_NAME.fullmatch(name) for name in medium.names(directory))
    return sorted(JournalFile(int(match[1]), directory / match[0]) for match in matches if match)


def require_files(medium: Medium, directory: Path) -> list[JournalFile]:
    """Return the directory's journal files, for whoever a person has told where they are.

    :raises JournalUnavailable: if the directory cannot be read.
    """
    try:
        return list_files(medium, directory)
    except OSError as error:
        raise unreadable(directory, error) from error


def unreadable(directory: Path, error: OSError) -> JournalUnavailable:
    """Return what is to be said of a directory that cannot be read."""
    msg = f"{directory} cannot be read: {error.strerror or type(error).__name__}"
    return JournalUnavailable(msg, hint="name the journal's folder")


def read_file(medium: Medium, file: JournalFile) -> bytes:
    """Return the file's bytes.

    :raises JournalDamaged: if it is longer than any file that the journal writes, or no file.
    :raises OSError: as the medium does.
    """
    try:
        data = medium.read(file.path, 0, MAX_FILE_BYTES + 1)
    except NotAFile as error:
        msg = f"{file.path.name} is {error.strerror}"
        raise JournalDamaged(msg, hint="the journal did not make it: move it away") from error
    if len(data) > MAX_FILE_BYTES:
        msg = f"{file.path.name} is longer than {MAX_FILE_BYTES} bytes"
        raise JournalDamaged(msg, hint="it was not written by this journal: move it away")
    return data
