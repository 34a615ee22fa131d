"""Recovery: where the chain continues after whatever ended the last run.

Nothing is cut or rewritten. A file's torn tail stays where it is; the next file's header says from
which sequence on the chain continues, and thereby that the tail never counted. A file in which
nothing is readable is set aside under another name.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from admission.passage import genesis
from cache.journal.catalogue import DAMAGED_SUFFIX, PART_SUFFIX, JournalFile, list_files, read_file
from cache.journal.errors import JournalDamaged
from cache.journal.frame import HEADER_BYTES, Frame, Header, unpack_header
from cache.journal.medium import Medium
from cache.journal.scan import Damage, Tail, scan


class Position(msgspec.Struct, frozen=True):
    """Where a journal stands: its id, its last durable entry (0 = none), that entry's hash."""

    journal: bytes
    last_sequence: int
    chain_hash: bytes


class Recovery(msgspec.Struct, frozen=True):
    """What was found at opening. `damages` and `torn_bytes` tell of the newest file only."""

    position: Position
    damages: tuple[Damage, ...] = ()
    torn_bytes: int = 0


class _Reading(msgspec.Struct):
    """What one file says of the journal's position."""

    header: Header | None = None
    last: Frame | None = None
    damages: list[Damage] = msgspec.field(default_factory=list)
    torn_bytes: int = 0


def recover(medium: Medium, directory: Path, new_journal: bytes) -> Recovery:
    """Return where the journal in `directory` continues.

    Entries of a process that died count once they have been made durable here, so that nothing
    follows on an entry which a power cut could still take away.

    :param new_journal: 16 bytes, the id of the journal if there is none yet.
    :raises JournalDamaged: if no header that is left tells which journal this is.
    :raises OSError: as the medium does.
    """
    for name in medium.names(directory):
        if name.endswith(PART_SUFFIX):
            medium.remove(directory / name)
    files = list_files(medium, directory)
    while files:
        medium.settle(files[-1].path)
        newest = _read(medium, files[-1])
        if newest.header is not None or newest.last is not None:
            medium.sync_directory(directory)
            return _continued(medium, files, newest)
        # Nothing in it can be believed, not even that it is ours: as evidence it is worth keeping.
        damaged = files.pop().path
        medium.rename(damaged, damaged.with_suffix(DAMAGED_SUFFIX))
    medium.sync_directory(directory)
    return Recovery(Position(new_journal, 0, genesis(new_journal)))


def _continued(medium: Medium, files: list[JournalFile], newest: _Reading) -> Recovery:
    journal = newest.header.journal if newest.header else _journal_of(medium, files[:-1])
    if newest.last is not None:
        position = Position(journal, newest.last.sequence, newest.last.chain_hash)
    else:
        assert newest.header is not None  # noqa: S101 - one of both was asked for
        before = newest.header
        position = Position(journal, before.first_sequence - 1, before.chain_before)
    return Recovery(position, tuple(newest.damages), newest.torn_bytes)


def _journal_of(medium: Medium, files: list[JournalFile]) -> bytes:
    """Return the journal's id from the newest of these files whose header is intact."""
    for file in reversed(files):
        header = unpack_header(medium.read(file.path, 0, HEADER_BYTES))
        if header is not None:
            return header.journal
    raise JournalDamaged(
        "no file of the journal has an intact header",
        hint="run `chot journal verify`, keep the folder and start with an empty one",
    )


def _read(medium: Medium, file: JournalFile) -> _Reading:
    reading = _Reading()
    for finding in scan(read_file(medium, file), file.first_sequence):
        match finding:
            case Header():
                reading.header = finding
            case Frame():
                reading.last = finding
            case Damage():
                reading.damages.append(finding)
            case Tail():
                reading.torn_bytes = finding.length
    return reading
