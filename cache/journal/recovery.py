"""Recovery: where the chain continues after whatever ended the last run.

No written byte is cut or rewritten. A file's torn tail stays where it is; the next file's header
says from which sequence on the chain continues, and thereby that the tail never counted. Only space
that was set aside for the newest file, and never written to, is given back.

A sequence is never given out twice under one journal id. Where it cannot be proved that the last
entry found is the last one that ever counted, the journal is retired (`cache.journal.retired`) and
a new one begins: if nothing is readable in the newest file, if no header tells whose it is, and if
the hub acknowledged, or the device's anchor states, more than is found, or another entry. An anchor
is written after what it states is durable: an honest medium never has one that is ahead of the
files, or contradicts them. To go on would replace it, and so vouch for what contradicts it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from admission.passage import genesis
from cache.journal.anchor import Anchor, intact_anchor
from cache.journal.catalogue import DAMAGED_SUFFIX, PART_SUFFIX, JournalFile, list_files, read_file
from cache.journal.errors import JournalDamaged
from cache.journal.frame import FRAME_HEAD_BYTES, HEADER_BYTES, Frame, Header, unpack_header
from cache.journal.medium import Medium, NotAFile
from cache.journal.retired import is_retired, retire, retire_anchor, retired_names
from cache.journal.scan import Damage, PrunedRun, Tail, scan


class Position(msgspec.Struct, frozen=True):
    """Where a journal stands: its id, its last durable entry (0 = none), that entry's hash."""

    journal: bytes
    last_sequence: int
    chain_hash: bytes


class Recovery(msgspec.Struct, frozen=True):
    """What was found at opening. `damages` and `torn_bytes` tell of the newest file only.

    `damaged_files` were set aside, or are older ones without an intact header: chot journal verify
    tells more. `retired_journals` lie in folders of their own. `used_bytes` take all these files.
    """

    position: Position
    damages: tuple[Damage, ...] = ()
    torn_bytes: int = 0
    damaged_files: int = 0
    retired_journals: int = 0
    used_bytes: int = 0


class _Reading(msgspec.Struct):
    """What one file says of the journal's position: `last` is its last entry's place and hash.

    `asked` is the hash of the one entry that was asked for, None if it does not stand here.
    """

    header: Header | None = None
    asked: bytes | None = None
    last: tuple[int, bytes] | None = None
    damages: list[Damage] = msgspec.field(default_factory=list)
    torn_bytes: int = 0
    used_bytes: int = HEADER_BYTES


def recover(
    medium: Medium,
    directory: Path,
    new_journal: bytes,
    acknowledged: Mapping[bytes, int] | None = None,
) -> Recovery:
    """Return where the journal in `directory` continues, or where a new one begins.

    Entries of a process that died count once they have been made durable here, so that nothing
    follows on an entry which a power cut could still take away.

    :param new_journal: 16 bytes, the id of the journal if there is none that may be continued.
    :param acknowledged: through which sequence the hub acknowledged each journal, by its id.
    :raises OSError: as the medium does.
    """
    for name in medium.names(directory):
        if name.endswith(PART_SUFFIX):
            medium.remove(directory / name)
    files = list_files(medium, directory)
    anchor = intact_anchor(medium, directory)
    certain = _certain(acknowledged or {}, anchor)
    unreadable: list[JournalFile] = []
    while files:
        newest = _settled(medium, files[-1], anchor.head if anchor is not None else 0)
        if newest.header is not None or newest.last is not None:
            journal = newest.header.journal if newest.header else _journal_of(medium, files[:-1])
            if journal is None:
                break
            recovery = _continued(journal, newest)
            end = recovery.position
            exchanged = anchor is not None and _contradicts(anchor, end, newest, medium, files)
            proven = end.last_sequence >= certain.get(end.journal, 0) and not exchanged
            if not unreadable and proven and not is_retired(medium, directory, end.journal):
                _trim(medium, files[-1], newest)
                return _counted(medium, directory, files[:-1], recovery)
            retire(medium, directory, end.journal, files, unreadable)
            files, unreadable = [], []
            break
        # Nothing in it can be believed, not even that it is ours: as evidence it is worth keeping.
        unreadable.append(files.pop())
    if files and anchor is not None:
        retire(medium, directory, anchor.journal, files, unreadable)
    else:
        for file in (*files, *unreadable):
            damaged = f"{file.path.stem}.{new_journal.hex()}{DAMAGED_SUFFIX}"
            medium.rename(file.path, directory / damaged)
    if anchor is not None and anchor.head:
        retire_anchor(medium, directory, anchor.journal)
    return _counted(medium, directory, [], Recovery(Position(new_journal, 0, genesis(new_journal))))


def _certain(acknowledged: Mapping[bytes, int], anchor: Anchor | None) -> dict[bytes, int]:
    """Return through which sequence each journal is known to have come, by its id."""
    certain = dict(acknowledged)
    if anchor is not None:
        certain[anchor.journal] = max(anchor.head, certain.get(anchor.journal, 0))
    return certain


def _counted(
    medium: Medium, directory: Path, older: list[JournalFile], recovery: Recovery
) -> Recovery:
    """Return the recovery with what else is wrong in the directory, whose names are made durable.

    Of older files the header alone is read: there may be weeks of them, and lanes are waiting.
    """
    medium.sync_directory(directory)
    names = medium.names(directory)
    retired = retired_names(names)
    paths = [directory / name for name in names if name not in retired]
    for folder in retired:
        with contextlib.suppress(NotADirectoryError):
            paths += [directory / folder / name for name in medium.names(directory / folder)]
    aside = sum(path.suffix == DAMAGED_SUFFIX for path in paths)
    unsound = sum(not _has_header(medium, file) for file in older)
    return msgspec.structs.replace(
        recovery,
        damaged_files=aside + unsound,
        retired_journals=len(retired),
        used_bytes=sum(_size(medium, path) for path in paths),
    )


def _trim(medium: Medium, file: JournalFile, reading: _Reading) -> None:
    """Give back what was set aside for a file that its writer did not leave in order."""
    with contextlib.suppress(OSError):  # it costs space, nothing else
        if medium.size(file.path) > reading.used_bytes:
            medium.trim(file.path, reading.used_bytes)


def _size(medium: Medium, path: Path) -> int:
    try:
        return medium.size(path)
    except OSError:
        return 0


def _has_header(medium: Medium, file: JournalFile) -> bool:
    try:
        return unpack_header(medium.read(file.path, 0, HEADER_BYTES)) is not None
    except OSError:
        return False  # an old file that the medium cannot read stops no gate, but is shown


def _continued(journal: bytes, newest: _Reading) -> Recovery:
    if newest.last is not None:
        position = Position(journal, *newest.last)
    else:
        assert newest.header is not None  # noqa: S101 - one of both was asked for
        before = newest.header
        position = Position(journal, before.first_sequence - 1, before.chain_before)
    return Recovery(position, tuple(newest.damages), newest.torn_bytes)


def _journal_of(medium: Medium, files: list[JournalFile]) -> bytes | None:
    """Return the journal's id from the newest of these files whose header is intact, if one is."""
    for file in reversed(files):
        with contextlib.suppress(NotAFile):
            header = unpack_header(medium.read(file.path, 0, HEADER_BYTES))
            if header is not None:
                return header.journal
    return None


def _settled(medium: Medium, file: JournalFile, asked: int) -> _Reading:
    """Return what a file says, once it is durable as it stands."""
    try:
        medium.settle(file.path)
    except NotAFile:
        return _Reading()  # nothing of ours: a gate must start all the same
    return _read(medium, file, asked)


def _contradicts(
    anchor: Anchor, end: Position, newest: _Reading, medium: Medium, files: list[JournalFile]
) -> bool:
    """Return whether the anchor is another journal's, or states another entry than stands here."""
    if anchor.journal != end.journal:
        return True
    asked = newest.asked
    if asked is None:  # written within the anchor's last interval, in more than one file
        older = [file for file in files[:-1] if file.first_sequence <= anchor.head]
        with contextlib.suppress(OSError):  # an old file, as where headers are counted
            asked = _read(medium, older[-1], anchor.head).asked if older else None
    return asked is not None and asked != anchor.head_hash


def _read(medium: Medium, file: JournalFile, asked: int) -> _Reading:
    reading = _Reading()
    try:
        data = read_file(medium, file)
    except JournalDamaged:
        return reading  # no file of ours: a gate must start all the same
    for finding in scan(data, file.first_sequence):
        match finding:
            case Header():
                reading.header = finding
                if finding.first_sequence == asked + 1:
                    reading.asked = finding.chain_before
            case Frame():
                reading.last = (finding.sequence, finding.chain_hash)
                if finding.sequence == asked:
                    reading.asked = finding.chain_hash
                reading.used_bytes = finding.end
            case PrunedRun():
                reading.last = (finding.last, finding.chain_hash)
                reading.used_bytes = finding.offset + FRAME_HEAD_BYTES
            case Damage():
                reading.damages.append(finding)
            case Tail():
                reading.torn_bytes = finding.length
                reading.used_bytes = finding.offset + finding.length
    return reading
