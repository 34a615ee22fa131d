"""Verification of a whole journal directory, read-only: CRCs, sequences, chain, joins of files."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from admission.passage import genesis
from cache.journal.catalogue import DAMAGED_SUFFIX, JournalFile, list_files, read_file
from cache.journal.errors import JournalDamaged, JournalUnavailable
from cache.journal.frame import Frame, Header
from cache.journal.medium import Medium, PosixMedium
from cache.journal.retired import retired_names
from cache.journal.scan import Damage, Finding, PrunedRun, Tail, scan


class FaultKind(StrEnum):
    """What is wrong with a journal. Those of one file's bytes are as in `scan.DamageKind`."""

    HEADER = "header"
    UNREADABLE = "unreadable"
    MISSING = "missing"
    OUT_OF_ORDER = "out_of_order"
    CHAIN = "chain"
    FILE = "file"
    """The file as a whole cannot be read, or opening found nothing readable in it. Also stands for
    the folder of a retired journal, whose end is not known (`cache.journal.retired`)."""
    OTHER_JOURNAL = "other_journal"
    """The file belongs to another journal than the ones before it."""


class Fault(msgspec.Struct, frozen=True):
    """One fault: where it is (`offset` in `file`), and which sequences it cost (`lost` of them)."""

    kind: FaultKind
    file: str
    offset: int
    sequence: int
    lost: int = 0


class Report(msgspec.Struct):
    """What a journal holds. `unfinished_bytes` are tails of writes that power or a fault cut short.

    Such bytes were never acknowledged to a gate: they are no fault. Neither are `superseded`
    entries, which a failed write left behind and a later file replaced.
    """

    journal: bytes | None = None
    first_sequence: int | None = None
    last_sequence: int = 0
    entries: int = 0
    files: int = 0
    unfinished_bytes: int = 0
    superseded: int = 0
    faults: list[Fault] = msgspec.field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether no fault was found."""
        return not self.faults


def verify(directory: Path, medium: Medium | None = None) -> Report:
    """Return the report on a journal; works beside a running daemon, and changes nothing.

    :raises JournalUnavailable: if the directory cannot be read.
    """
    medium = medium or PosixMedium()
    files = _listed(medium, directory)
    walk = _Walk()
    for place, file in enumerate(files):
        following = files[place + 1].first_sequence if place + 1 < len(files) else None
        walk.file(medium, file, following)
    for name in sorted(_names(medium, directory)):
        if name.endswith(DAMAGED_SUFFIX):
            walk.report.faults.append(Fault(FaultKind.FILE, name, 0, 0))
    for name in retired_names(_names(medium, directory)):
        walk.report.faults += _of_retired(name, verify(directory / name, medium))
    return walk.report


def _of_retired(name: str, report: Report) -> list[Fault]:
    """Return a retired journal's faults: that its end is missing, and those of its files."""
    end = Fault(FaultKind.FILE, name, 0, report.last_sequence + 1)
    own = [msgspec.structs.replace(fault, file=f"{name}/{fault.file}") for fault in report.faults]
    return [end, *own]


def entries_of(directory: Path, count: int, medium: Medium | None = None) -> list[Frame]:
    """Return the last `count` intact entries, ascending.

    :raises JournalUnavailable: if the directory cannot be read.
    """
    medium = medium or PosixMedium()
    newest: list[Frame] = []
    superseded_from: int | None = None
    for file in reversed(_listed(medium, directory)):
        frames = [
            finding
            for finding in _findings(medium, file)
            if isinstance(finding, Frame)
            and (superseded_from is None or finding.sequence < superseded_from)
        ]
        newest = frames[-(count - len(newest)) :] + newest
        if len(newest) >= count:
            break
        superseded_from = file.first_sequence
    return newest


class _Walk:
    """The walk over the files of one journal, with what the next file has to join on to."""

    def __init__(self) -> None:
        self.report = Report()
        self._expected: int | None = None
        self._chain_hash: bytes | None = None

    def file(self, medium: Medium, file: JournalFile, following: int | None) -> None:
        """Walk one file; entries from `following` on are superseded by the next file."""
        self.report.files += 1
        self._join(file)
        try:
            for finding in _findings(medium, file):
                self._take(file, finding, following)
        except JournalDamaged:
            self._fault(FaultKind.FILE, file, 0, file.first_sequence)
        if following is not None and self._expected is not None and self._expected < following:
            lost = following - self._expected
            self._fault(FaultKind.MISSING, file, 0, self._expected, lost)
            self._expected, self._chain_hash = following, None

    def _join(self, file: JournalFile) -> None:
        if self._expected is None:
            self._expected = self.report.first_sequence = file.first_sequence
        self.report.last_sequence = max(self.report.last_sequence, file.first_sequence - 1)

    def _take(self, file: JournalFile, finding: Finding, following: int | None) -> None:
        match finding:
            case Header():
                self._header(file, finding)
            case Frame() if following is not None and finding.sequence >= following:
                self.report.superseded += 1
            case Frame():
                self.report.entries += 1
                self.report.last_sequence = finding.sequence
                self._expected, self._chain_hash = finding.sequence + 1, finding.chain_hash
            case PrunedRun():
                self.report.last_sequence = finding.last
                self._expected, self._chain_hash = finding.last + 1, finding.chain_hash
            case Damage() if following is not None and finding.sequence >= following:
                self.report.unfinished_bytes += finding.length
            case Damage():
                kind = FaultKind(finding.kind.value)
                self._fault(kind, file, finding.offset, finding.sequence, finding.lost)
            case Tail():
                self.report.unfinished_bytes += finding.length

    def _header(self, file: JournalFile, header: Header) -> None:
        if self.report.journal is None:
            self.report.journal = header.journal
            if header.first_sequence == 1:
                self._chain_hash = genesis(header.journal)
        if header.journal != self.report.journal:
            self._fault(FaultKind.OTHER_JOURNAL, file, 0, header.first_sequence)
        elif self._chain_hash is not None and header.chain_before != self._chain_hash:
            self._fault(FaultKind.CHAIN, file, 0, header.first_sequence)

    def _fault(
        self, kind: FaultKind, file: JournalFile, offset: int, sequence: int, lost: int = 0
    ) -> None:
        self.report.faults.append(Fault(kind, file.path.name, offset, sequence, lost))


def _listed(medium: Medium, directory: Path) -> list[JournalFile]:
    try:
        return list_files(medium, directory)
    except OSError as error:
        raise _unreadable(directory, error) from error


def _names(medium: Medium, directory: Path) -> list[str]:
    try:
        return medium.names(directory)
    except OSError as error:
        raise _unreadable(directory, error) from error


def _unreadable(directory: Path, error: OSError) -> JournalUnavailable:
    msg = f"{directory} cannot be read: {error.strerror or type(error).__name__}"
    return JournalUnavailable(msg, hint="name the journal's folder")


def _findings(medium: Medium, file: JournalFile) -> Iterator[Finding]:
    try:
        data = read_file(medium, file)
    except OSError as error:
        msg = f"{file.path.name} cannot be read: {error.strerror or type(error).__name__}"
        raise JournalDamaged(msg, hint="check the medium (dmesg)") from error
    return scan(data, file.first_sequence)
