"""Verification of a whole journal directory, read-only: bytes, chain, joins, what was signed."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from admission.passage import genesis
from cache.journal.anchor import ANCHOR_NAME, Anchor, read_anchor
from cache.journal.catalogue import (
    DAMAGED_SUFFIX,
    JournalFile,
    read_file,
    require_files,
    unreadable,
)
from cache.journal.errors import AnchorError, JournalDamaged, JournalUnavailable
from cache.journal.fault import Fault, FaultKind
from cache.journal.frame import Frame, Header
from cache.journal.medium import Medium, PosixMedium
from cache.journal.retired import retired_names
from cache.journal.scan import Damage, Finding, PrunedRun, scan
from cache.journal.witness import Keys, Witness

__all__ = ["Fault", "FaultKind", "Keys", "Report", "entries_of", "verify"]

_ATTEMPTS = 5


class Report(msgspec.Struct):
    """What a journal holds. `unfinished_bytes` are tails of writes that power or a fault cut short.

    Such bytes were never acknowledged to a gate: they are no fault. Neither are `superseded`
    entries, which a failed write left behind and a later file replaced, nor `pruned` ones.

    :ivar anchored: through which entry the device's anchor vouches, None without one.
    :ivar found_through: the anchor says of entries through this one only how they were found.
    :ivar held: through which entry the hub said that it holds them, None if that is not known.
    """

    journal: bytes | None = None
    first_sequence: int | None = None
    last_sequence: int = 0
    entries: int = 0
    files: int = 0
    unfinished_bytes: int = 0
    superseded: int = 0
    pruned: int = 0
    anchored: int | None = None
    found_through: int = 0
    held: int | None = None
    faults: list[Fault] = msgspec.field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether no fault was found."""
        return not self.faults


def verify(directory: Path, medium: Medium | None = None, *, keys: Keys | None = None) -> Report:
    """Return the report on a journal; works beside a running daemon, and changes nothing.

    :param keys: who may have signed. With a device's key, a missing anchor is a fault.
    :raises JournalUnavailable: if the directory cannot be read.
    """
    medium, keys = medium or PosixMedium(), keys or Keys()
    report = _of_folder(directory, medium, keys)
    if report.anchored is None and keys.device is not None and report.entries:
        missing = Fault(FaultKind.ANCHOR, ANCHOR_NAME, 0, 0)
        report.faults += [] if missing in report.faults else [missing]
    for name in retired_names(_names(medium, directory)):
        own = msgspec.structs.replace(keys, published={})  # those tell of the living journal
        try:
            found = _of_folder(directory / name, medium, own)
        except JournalUnavailable:  # no folder: the rest is to be told all the same
            report.faults.append(Fault(FaultKind.FILE, name, 0, 0))
        else:
            report.faults += _of_retired(name, found)
    return report


def _of_folder(directory: Path, medium: Medium, keys: Keys) -> Report:
    report = _walked(directory, medium, keys)
    for name in sorted(_names(medium, directory)):
        if name.endswith(DAMAGED_SUFFIX):
            report.faults.append(Fault(FaultKind.FILE, name, 0, 0))
    return report


def _walked(directory: Path, medium: Medium, keys: Keys) -> Report:
    """Return the report on the folder's own files, walked again where pruning went on meanwhile."""
    for _ in range(_ATTEMPTS):
        # Read before the files: those are then at least as new as what it states.
        anchor, faults = _anchor(directory, medium)
        walk = _Walk(Witness(anchor, keys))
        files = require_files(medium, directory)
        for place, file in enumerate(files):
            following = files[place + 1].first_sequence if place + 1 < len(files) else None
            walk.file(medium, file, following)
        report = walk.end(files)
        report.faults += faults
        after, _ = _anchor(directory, medium)
        pruned = anchor is not None and after is not None and after.pruned != anchor.pruned
        if not pruned and set(files) <= set(require_files(medium, directory)):
            break
    return report


def _anchor(directory: Path, medium: Medium) -> tuple[Anchor | None, list[Fault]]:
    try:
        return read_anchor(medium, directory), []
    except AnchorError:
        return None, [Fault(FaultKind.ANCHOR, ANCHOR_NAME, 0, 0)]


def _of_retired(name: str, report: Report) -> list[Fault]:
    """Return a retired journal's faults: that its end is missing, and those of its files."""
    end = Fault(FaultKind.FILE, name, 0, report.last_sequence + 1)
    own = [msgspec.structs.replace(fault, file=f"{name}/{fault.file}") for fault in report.faults]
    return [end, *own]


def entries_of(directory: Path, count: int, medium: Medium | None = None) -> list[Frame]:
    """Return the last `count` intact entries, ascending. What cannot be read is left out.

    :raises JournalUnavailable: if the directory cannot be read.
    """
    medium = medium or PosixMedium()
    newest: list[Frame] = []
    superseded_from: int | None = None
    for file in reversed(require_files(medium, directory)):
        frames: list[Frame] = []
        with contextlib.suppress(JournalDamaged):
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

    def __init__(self, witness: Witness) -> None:
        self._report = Report()
        self._witness = witness
        self._expected: int | None = None
        self._chain_hash: bytes | None = None

    def file(self, medium: Medium, file: JournalFile, following: int | None) -> None:
        """Walk one file; entries from `following` on are superseded by the next file."""
        self._report.files += 1
        self._join(file)
        try:
            data = _read(medium, file)
            if self._is_pruned(file.first_sequence):
                self._witness.file(file.first_sequence, hashlib.sha256(data).digest())
            for finding in scan(data, file.first_sequence):
                self._take(file, finding, following)
        except JournalDamaged:
            self._fault(FaultKind.FILE, file, 0, file.first_sequence)
        if following is not None and self._expected is not None and self._expected < following:
            if not self._is_pruned(following - 1):
                first = max(self._expected, (self._witness.pruned_through or 0) + 1)
                self._fault(FaultKind.MISSING, file, 0, first, following - first)
            self._expected, self._chain_hash = following, None

    def end(self, files: list[JournalFile]) -> Report:
        """Return the report, with what the witness says of the whole."""
        report, witness = self._report, self._witness
        name = files[-1].path.name if files else ANCHOR_NAME
        witness.end(report.last_sequence, name)
        report.faults += witness.faults
        report.anchored, report.found_through = witness.anchored, witness.found_through
        report.held = witness.mark.through if witness.mark else None
        return report

    def _is_pruned(self, sequence: int) -> bool:
        through = self._witness.pruned_through
        return through is not None and sequence <= through

    def _join(self, file: JournalFile) -> None:
        report, through = self._report, self._witness.pruned_through
        if self._expected is None:
            self._expected = report.first_sequence = file.first_sequence
            if through is not None and file.first_sequence > through + 1:
                lost = file.first_sequence - through - 1
                self._fault(FaultKind.MISSING, file, 0, through + 1, lost)
        report.last_sequence = max(report.last_sequence, file.first_sequence - 1)

    def _take(self, file: JournalFile, finding: Finding, following: int | None) -> None:
        report = self._report
        match finding:
            case Header():
                self._header(file, finding)
            case Frame() if following is not None and finding.sequence >= following:
                report.superseded += 1
            case Frame():
                report.entries += 1
                report.last_sequence = finding.sequence
                self._expected, self._chain_hash = finding.sequence + 1, finding.chain_hash
                self._witness.entry(file.path.name, finding.sequence, finding.chain_hash)
            case PrunedRun():
                self._run(file, finding)
            case Damage() if following is not None and finding.sequence >= following:
                report.unfinished_bytes += finding.length
            case Damage():
                kind = FaultKind(finding.kind.value)
                self._fault(kind, file, finding.offset, finding.sequence, finding.lost)
            case _:
                report.unfinished_bytes += finding.length

    def _run(self, file: JournalFile, run: PrunedRun) -> None:
        lost = run.last - run.first + 1
        if self._witness.pruned_through is not None and not self._is_pruned(run.last):
            self._fault(FaultKind.PRUNED, file, run.offset, run.first, lost)
        self._report.pruned += lost
        self._report.last_sequence = run.last
        self._expected, self._chain_hash = run.last + 1, run.chain_hash
        self._witness.entry(file.path.name, run.last, run.chain_hash)

    def _header(self, file: JournalFile, header: Header) -> None:
        if self._report.journal is None:
            self._report.journal = header.journal
            if header.first_sequence == 1:
                self._chain_hash = genesis(header.journal)
        if header.journal != self._report.journal:
            self._fault(FaultKind.OTHER_JOURNAL, file, 0, header.first_sequence)
        elif self._chain_hash is not None and header.chain_before != self._chain_hash:
            self._fault(FaultKind.CHAIN, file, 0, header.first_sequence)
        self._witness.header(file.path.name, header)

    def _fault(
        self, kind: FaultKind, file: JournalFile, offset: int, sequence: int, lost: int = 0
    ) -> None:
        self._report.faults.append(Fault(kind, file.path.name, offset, sequence, lost))


def _names(medium: Medium, directory: Path) -> list[str]:
    try:
        return medium.names(directory)
    except OSError as error:
        raise unreadable(directory, error) from error


def _read(medium: Medium, file: JournalFile) -> bytes:
    try:
        return read_file(medium, file)
    except OSError as error:
        msg = f"{file.path.name} cannot be read: {error.strerror or type(error).__name__}"
        raise JournalDamaged(msg, hint="check the medium (dmesg)") from error


def _findings(medium: Medium, file: JournalFile) -> Iterator[Finding]:
    return scan(_read(medium, file), file.first_sequence)
