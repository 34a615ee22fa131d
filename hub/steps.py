"""What comes next of one dataset: changes inline, deltas of hours and days, and the next base.

Changes go inline into the head. From `INLINE_BYTES` on, or after an hour, they become a delta
file; the deltas of a day become one; and where many rows have changed, or after a week, the base
with all deltas becomes the following base, which serves an hour after it was named.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from cache.replica.changes import Changes, pack_changes
from cache.replica.delta_write import combine, difference, write_delta
from cache.replica.head import Dataset, DeltaFile
from cache.replica.source import FileKind
from hub.files import SMALL_BYTES, ReplicaFiles
from hub.published import Note
from hub.published_table import PublishedTable

INLINE_BYTES = 16_384
"""Changes of one dataset in the head."""
MAX_HOURS = 24
"""Deltas of one dataset that are no whole day's. One more, and they become one."""
_MINUTE_NS = 60 * 1_000_000_000
HOUR_NS, DAY_NS, WEEK_NS = 60 * _MINUTE_NS, 24 * 60 * _MINUTE_NS, 7 * 24 * 60 * _MINUTE_NS
SWITCH_NS = HOUR_NS
"""How long gates have to make the following base themselves."""
REBASE_PART = 50
"""A base is followed once one in so many of its rows has changed."""


class Due(StrEnum):
    """What time brings about by itself."""

    FOLD = "fold"
    """Inline changes become a delta."""
    COMBINE = "combine"
    """The deltas of a day become one."""
    REBASE = "rebase"
    """The next base is made."""
    SWITCH = "switch"
    """The following base serves."""


class Step(msgspec.Struct, frozen=True):
    """A dataset as the next head names it."""

    dataset: Dataset
    note: Note


def due(dataset: Dataset, note: Note, now_ns: int) -> Due | None:
    """Return what is due of a dataset, the most urgent first."""
    if dataset.following is not None and now_ns - note.following_ns >= SWITCH_NS:
        return Due.SWITCH
    if dataset.changes and now_ns - note.waiting_ns >= HOUR_NS:
        return Due.REBASE if dataset.size < SMALL_BYTES else Due.FOLD
    if len(dataset.deltas) - note.days > 1 and now_ns - note.hours_ns >= DAY_NS:
        return Due.COMBINE
    many = note.changed * REBASE_PART > max(dataset.rows, REBASE_PART)
    old = dataset.through > 0 and now_ns - note.based_ns >= WEEK_NS
    return Due.REBASE if dataset.following is None and (many or old) else None


class Steps:
    """Makes steps, and the files that they name.

    :param max_deltas: of one dataset: a head has room for so many.
    """

    def __init__(self, files: ReplicaFiles, max_deltas: int) -> None:
        self._files = files
        self._max_deltas = max_deltas

    def changed(
        self, table: PublishedTable, changes: Changes, step: Step, room: int, now_ns: int
    ) -> Step | None:
        """Return the step after which these changes are inline, or None if a base is to be built.

        :param step: how the dataset stands.
        :param room: bytes that the head has for them.
        :raises DeltaError: if two keys are matched as one.
        """
        if changes == table.changes:
            return step
        dataset, note = step.dataset, step.note
        through = dataset.through + 1
        packed = pack_changes(changes, table.layout)
        if len(packed) > min(room, INLINE_BYTES):
            return self.folded(table, changes, step, through, now_ns)
        note = msgspec.structs.replace(note, waiting_ns=note.waiting_ns or now_ns)
        return Step(msgspec.structs.replace(dataset, changes=packed, through=through), note)

    def folded(
        self, table: PublishedTable, changes: Changes, step: Step, through: int, now_ns: int
    ) -> Step | None:
        """Return the step after which these changes are a delta, or None if a base is to be built.

        :raises DeltaError: if two keys are matched as one, or they are too many.
        :raises DamagedPage: if a page of the base is damaged.
        """
        dataset, note = step.dataset, step.note
        if dataset.size < SMALL_BYTES:
            return None
        delta = difference(table.table, changes, through=through, base_keys=table.keys)
        blob = self._files.write(FileKind.DELTA, write_delta(delta, dataset.root))
        named = DeltaFile(blob, delta.after, delta.through)
        dataset = msgspec.structs.replace(
            dataset, deltas=(*dataset.deltas, named), changes=b"", through=through
        )
        first = len(dataset.deltas) - 1 == note.days
        note = msgspec.structs.replace(
            note,
            waiting_ns=0,
            hours_ns=now_ns if first else note.hours_ns,
            changed=table.changed_rows + delta.rows,
        )
        step = Step(dataset, note)
        hours = len(dataset.deltas) - note.days
        if hours > MAX_HOURS or len(dataset.deltas) > self._max_deltas:
            step = self.combined(step, 0 if hours == 1 else note.days)
        return step

    def combined(self, step: Step, first: int) -> Step:
        """Return the step after which the deltas from number `first` on are one.

        What a following base ends with stays the end of a delta.
        """
        dataset, note = step.dataset, step.note
        until = 0 if dataset.following is None else dataset.following.through
        first = max([first, *(n + 1 for n, d in enumerate(dataset.deltas) if d.through <= until)])
        some = dataset.deltas[first:]
        if len(some) < 2:
            return step
        delta = combine([self._files.delta(dataset, named) for named in some])
        blob = self._files.write(FileKind.DELTA, write_delta(delta, dataset.root))
        named = DeltaFile(blob, delta.after, delta.through)
        dataset = msgspec.structs.replace(dataset, deltas=(*dataset.deltas[:first], named))
        return Step(dataset, msgspec.structs.replace(note, days=min(note.days, first)))

    def day(self, step: Step) -> Step:
        """Return the step after which the deltas of the day are one day's."""
        step = self.combined(step, step.note.days)
        note = msgspec.structs.replace(step.note, days=len(step.dataset.deltas), hours_ns=0)
        return Step(step.dataset, note)

    def switched(self, table: PublishedTable, step: Step, room: int, now_ns: int) -> Step | None:
        """Return the step after which the following base serves, with what has changed since.

        None if a base is to be built.

        :raises ReplicaError: if a file is damaged.
        """
        following = step.dataset.following
        if following is None:
            return step
        since = [
            self._files.delta(step.dataset, named)
            for named in step.dataset.deltas
            if named.after >= following.through
        ]
        changes: dict[int, bytes | None] = {}
        if since:
            net = combine(since)
            for ranks in (net.ranks, net.removed):
                changes |= {key: table.find(key) for key in table.keys[ranks].tolist()}
            for keys in (net.keys, net.dropped):
                changes |= {key: table.find(key) for key in keys.tolist()}
        changes |= table.changes
        base = Dataset(
            following.root,
            following.size,
            following.rows,
            step.dataset.layout,
            snapshot=step.note.snapshot,
        )
        note = Note(revision=step.note.revision, based_ns=now_ns)
        opened = PublishedTable(self._files, base)
        return self.changed(opened, opened.with_changes(changes), Step(base, note), room, now_ns)
