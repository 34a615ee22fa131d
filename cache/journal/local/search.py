"""Searching the journal: the index says where something may be found, the journal what is there.

What the index does not tell of is read as it is: entries newer than it, and all of them where it is
missing or damaged. So it makes a search quicker, and never other.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from admission.errors import WireError
from admission.journal_record import Followup, PassageRecord, Record, unpack_record
from admission.logged_passage import LoggedPassage
from admission.passage import Event
from admission.verdict import Outcome, Reason
from cache.journal.catalogue import list_files
from cache.journal.errors import JournalUnavailable
from cache.journal.frame import Frame, unpack_header
from cache.journal.local.blocks import EVENT, LANE, OUTCOME, REASON, Block, block_of
from cache.journal.local.names import Names
from cache.journal.local.rows import checked
from cache.journal.medium import Medium, PosixMedium
from cache.journal.reader import JournalReader, Place
from cache.journal.scan import MAX_FILE_BYTES, scan

_STEP_ENTRIES = 1_024
_STEP_BYTES = 1 << 20
_NS_PER_MS = 1_000_000


class Criteria(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched for: passages for which all that is stated holds. Empty = does not matter.

    Of reasons, one is enough. `since_ns` is inside, `until_ns` outside: the entries' own wall time,
    to the millisecond. `first` and `last` are sequences.
    """

    outcomes: frozenset[Outcome] = frozenset()
    events: frozenset[Event] = frozenset()
    lanes: frozenset[str] = frozenset()
    reasons: frozenset[Reason] = frozenset()
    token: int | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    first: int = 1
    last: int | None = None

    def match(self, passage: LoggedPassage) -> bool:
        """Return whether a passage is one of those."""
        wall_ns = passage.wall_ns
        return (
            (not self.outcomes or passage.outcome in self.outcomes)
            and (not self.events or passage.event in self.events)
            and (not self.lanes or passage.lane in self.lanes)
            and (not self.reasons or not self.reasons.isdisjoint(passage.reasons))
            and (self.token is None or passage.token == self.token)
            and (self.since_ns is None or wall_ns >= self.since_ns)
            and (self.until_ns is None or wall_ns < self.until_ns)
        )


class _Stretch(msgspec.Struct, frozen=True):
    """A run of entries: whether passages may be found in it, and what followed on which.

    `about` is the first entry of which something in it may have followed.
    """

    first: int
    last: int
    passages: bool = True
    about: int = 1
    place: Place | None = None


class _Index:
    """The blocks of one journal, and the names that their sets are of."""

    def __init__(self, through: int, names: Names, blocks: list[Block]) -> None:
        self.through = through
        self._names = names
        self._blocks = blocks

    def stretches(self, criteria: Criteria, end: int) -> Iterator[_Stretch]:
        """Yield the whole journal, ascending.

        :param end: the journal's last sequence.
        """
        expected = 1
        for block in self._blocks:
            if block.first > expected:
                yield _Stretch(expected, block.first - 1)  # the index lacks it
            place = Place(block.file, block.place, block.first) if block.place else None
            holds = self._may_hold(block, criteria)
            yield _Stretch(block.first, block.last, holds, block.about, place)
            expected = block.last + 1
        yield _Stretch(expected, end)

    def _may_hold(self, block: Block, criteria: Criteria) -> bool:
        sets = (
            (OUTCOME, criteria.outcomes, block.outcomes),
            (EVENT, criteria.events, block.events),
            (LANE, criteria.lanes, block.lanes),
            (REASON, criteria.reasons, block.reasons),
        )
        if any(names and not self._names.mask(kind, names) & bits for kind, names, bits in sets):
            return False
        if criteria.since_ns is not None and block.latest_ms * _NS_PER_MS < criteria.since_ns:
            return False
        return criteria.until_ns is None or block.earliest_ms * _NS_PER_MS < criteria.until_ns


def search(
    folder: Path,
    database: Path,
    criteria: Criteria,
    *,
    followups: bool = False,
    medium: Medium | None = None,
) -> Iterator[tuple[int, PassageRecord | Followup]]:
    """Yield the sequence and the record of each passage that the criteria name, ascending.

    Beside a daemon that writes on; nothing is changed. What cannot be read is passed over.

    :param folder: the journal's folder.
    :param database: the file of the local database, whether or not it is there.
    :param followups: whether what followed on those passages is yielded, too.
    :raises JournalUnavailable: if the medium cannot be read.
    """
    medium = medium or PosixMedium()
    journal, first, end = _extent(medium, folder)
    reader = JournalReader(folder, medium)
    found: set[int] = set()
    newest = 0
    for stretch in _stretches(database, journal, criteria, end):
        if not stretch.passages and not (followups and stretch.about <= newest):
            continue
        for sequence, record in _records(reader, stretch, max(first, criteria.first)):
            if isinstance(record, Followup):
                if followups and record.about in found:
                    yield sequence, record
            elif criteria.last is not None and sequence > criteria.last:
                if not followups:
                    return
            elif criteria.match(record.passage):
                newest = sequence
                if followups:
                    found.add(sequence)
                yield sequence, record


def _records(
    reader: JournalReader, stretch: _Stretch, first: int
) -> Iterator[tuple[int, PassageRecord | Followup]]:
    after = max(stretch.first, first) - 1
    if after + 1 == stretch.first and stretch.place is not None:
        reader.place = stretch.place
    while after < stretch.last:
        entries = reader.read_now(
            after, stretch.last, max_entries=_STEP_ENTRIES, max_bytes=_STEP_BYTES
        )
        for entry in entries:
            record = _unpacked(entry.packed)
            if isinstance(record, PassageRecord | Followup):
                yield entry.sequence, record
        after = entries[-1].sequence


def _stretches(database: Path, journal: bytes, criteria: Criteria, end: int) -> Iterator[_Stretch]:
    index = _index(database, journal)
    if index is None or index.through > end:
        yield _Stretch(1, end)  # none, or one of a journal that was put back to an older state
    else:
        yield from index.stretches(criteria, end)


def _extent(medium: Medium, folder: Path) -> tuple[bytes, int, int]:
    """Return the journal's id and its first and last sequences, as far as they can be read."""
    try:
        files = list_files(medium, folder)
        for file in reversed(files):
            data = medium.read(file.path, 0, MAX_FILE_BYTES)
            header = unpack_header(data)
            last = file.first_sequence - 1
            for finding in scan(data, file.first_sequence):
                if isinstance(finding, Frame):
                    last = finding.sequence
            if header is not None:
                return header.journal, files[0].first_sequence, last
    except OSError as error:
        msg = f"the journal cannot be read: {error.strerror or type(error).__name__}"
        raise JournalUnavailable(msg, hint="check the medium (dmesg)") from error
    return b"", 1, 0


def _index(path: Path, journal: bytes) -> _Index | None:
    """Return the index of this journal, None if it cannot be used."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        ) as raw:
            raw.execute("BEGIN")  # all tables as of one moment
            standing = [checked(row) for row in raw.execute(_STANDING)]
            names = [checked(row) for row in raw.execute("SELECT * FROM name")]
            rows = [checked(row) for row in raw.execute("SELECT * FROM block ORDER BY first")]
    except (sqlite3.Error, UnicodeDecodeError):
        return None
    if not standing or standing[0] is None or standing[0][0] != journal:
        return None
    if None in names:
        return None
    blocks = [block_of(row) if row is not None else None for row in rows]
    return _Index(
        standing[0][1],
        Names(name for name in names if name is not None),
        [block for block in blocks if block is not None],
    )


_STANDING = "SELECT journal, through, zone, whole, ordinal, last_dated, crc FROM projection"


def _unpacked(packed: bytes) -> Record | None:
    try:
        return unpack_record(packed) if packed else None
    except WireError:
        return None
