"""Recovery: where the chain continues after whatever ended the last run.

Nothing is cut or rewritten. A file's torn tail stays where it is; the next file's header says from
which sequence on the chain continues, and thereby that the tail never counted.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from admission.passage import genesis
from cache.journal.catalogue import PART_SUFFIX, JournalFile, list_files, read_file
from cache.journal.errors import JournalDamaged
from cache.journal.frame import Frame, Header
from cache.journal.medium import Medium
from cache.journal.scan import Damage, Tail, scan


class Position(msgspec.Struct, frozen=True):
    """Where a journal stands: its id, its last durable entry (0 = none), that entry's hash."""

    journal: bytes
    last_sequence: int
    chain_hash: bytes


class Recovery(msgspec.Struct, frozen=True):
    """What was found at opening. `damages` and `torn_bytes` tell of the newest files only."""

    position: Position
    files: tuple[JournalFile, ...]
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
    if not files:
        return Recovery(Position(new_journal, 0, genesis(new_journal)), ())
    medium.settle(files[-1].path)
    medium.sync_directory(directory)
    return _continued(medium, files)


def _continued(medium: Medium, files: list[JournalFile]) -> Recovery:
    newest = _read(medium, files[-1], files[-1].first_sequence + (1 << 62))
    damages, torn_bytes = tuple(newest.damages), newest.torn_bytes
    journal = newest.header.journal if newest.header else None
    last_sequence, chain_hash = files[-1].first_sequence - 1, None
    if newest.last is not None:
        last_sequence, chain_hash = newest.last.sequence, newest.last.chain_hash
    elif newest.header is not None:
        chain_hash = newest.header.chain_before
    for older, newer in zip(files[-2::-1], files[:0:-1], strict=True):
        if journal is not None and chain_hash is not None:
            break
        reading = _read(medium, older, newer.first_sequence)
        damages = (*reading.damages, *damages)
        journal = journal or (reading.header.journal if reading.header else None)
        if chain_hash is None and reading.last is not None:
            chain_hash = reading.last.chain_hash
    if journal is None:
        msg = f"no file in {files[-1].path.parent} has an intact header"
        raise JournalDamaged(
            msg, hint="run `chot journal verify`, keep the folder and start with an empty one"
        )
    position = Position(journal, last_sequence, chain_hash or genesis(journal))
    return Recovery(position, tuple(files), damages, torn_bytes)


def _read(medium: Medium, file: JournalFile, superseded_from: int) -> _Reading:
    reading = _Reading()
    for finding in scan(read_file(medium, file), file.first_sequence):
        match finding:
            case Header():
                reading.header = finding
            case Frame() if finding.sequence < superseded_from:
                reading.last = finding
            case Damage():
                reading.damages.append(finding)
            case Tail():
                reading.torn_bytes = finding.length
            case _:
                pass
    return reading
