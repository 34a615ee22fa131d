"""The published datasets, each held open for as long as it is the one that the head names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cache.errors import ReplicaError
from cache.replica.changes import Changes
from cache.replica.head import MAX_DELTAS, Dataset
from cache.replica.layout import Layout
from hub.files import SMALL_BYTES, ReplicaFiles
from hub.published import Note
from hub.published_table import PublishedTable
from hub.rows import Rows
from hub.steps import Due, Step, Steps, due

FEW_ROWS = 20_000
"""So many may always differ before all rows make a new base; of larger datasets, one in `PART`."""
PART = 20
HEAD_CHANGES_BYTES = 20_480
"""Changes of all datasets in one head."""
HEAD_DELTAS = 192
"""Deltas of all datasets in one head: some 70 bytes each."""


class Tables:
    """Makes the next step of each dataset. Used by one thread at a time for one dataset."""

    def __init__(self, files: ReplicaFiles) -> None:
        self._files = files
        self._open: dict[str, PublishedTable] = {}

    def changed(
        self,
        name: str,
        standing: Mapping[str, Step],
        layout: Layout[Any],
        wanted: Changes,
        now_ns: int,
    ) -> Step | None:
        """Return the step after which a dataset says of some keys what is wanted.

        None where that takes all its rows: it is not published in this layout, so much has changed
        that a base is to be built, or what is published of it cannot be read.

        :param standing: how all datasets stand.
        """
        step = standing.get(name)
        if step is None or step.dataset.layout != layout.id:
            return None
        try:
            table = self._opened(name, step.dataset)
            changes = table.with_changes(wanted)
            return self._steps(standing).changed(
                table, changes, step, _room(name, standing), now_ns
            )
        except (ReplicaError, OSError):
            return None

    def said(self, name: str, standing: Mapping[str, Step], rows: Rows, now_ns: int) -> Step:
        """Return the step after which a dataset says exactly these rows.

        :raises BuildError: if they do not become a segment.
        :raises OSError: if a file cannot be written.
        """
        return self._compared(name, standing, rows, now_ns) or self._based(name, rows, now_ns)

    def _compared(
        self, name: str, standing: Mapping[str, Step], rows: Rows, now_ns: int
    ) -> Step | None:
        step = standing.get(name)
        if step is None or step.dataset.layout != rows.layout.id:
            return None
        limit = max(FEW_ROWS, step.dataset.rows // PART)
        try:
            table = self._opened(name, step.dataset)
            changes = table.with_rows(rows, limit)
            if changes is None:
                return None
            return self._steps(standing).changed(
                table, changes, step, _room(name, standing), now_ns
            )
        except (ReplicaError, OSError):
            return None

    def _based(self, name: str, rows: Rows, now_ns: int) -> Step:
        self._open.pop(name, None)
        return Step(self._files.build(name, rows), Note(based_ns=now_ns))

    def ready(self, name: str, standing: Mapping[str, Step], now_ns: int) -> Step | None:
        """Return the step after which a dataset can be followed: all changes are in deltas.

        None if it is followed already, or is none that is: small, unchanged or unreadable.
        """
        step = standing.get(name)
        if step is None or step.dataset.following is not None or step.dataset.size < SMALL_BYTES:
            return None
        try:
            if step.dataset.changes:
                table = self._opened(name, step.dataset)
                through = step.dataset.through
                return self._steps(standing).folded(table, table.changes, step, through, now_ns)
        except (ReplicaError, OSError):
            return None
        return step if step.dataset.deltas else None

    def tended(self, name: str, standing: Mapping[str, Step], now_ns: int) -> Step | None:
        """Return the step that is due of a dataset, None where that takes all its rows."""
        step, steps = standing[name], self._steps(standing)
        try:
            what = due(step.dataset, step.note, now_ns)
            if what is Due.COMBINE:
                return steps.day(step)
            if what is Due.FOLD:
                table = self._opened(name, step.dataset)
                return steps.folded(table, table.changes, step, step.dataset.through, now_ns)
            if what is Due.SWITCH:
                table = self._opened(name, step.dataset)
                return steps.switched(table, step, _room(name, standing), now_ns)
        except (ReplicaError, OSError):
            return None
        return step

    def _steps(self, standing: Mapping[str, Step]) -> Steps:
        return Steps(self._files, min(MAX_DELTAS, max(2, HEAD_DELTAS // max(1, len(standing)))))

    def _opened(self, name: str, dataset: Dataset) -> PublishedTable:
        before = self._open.pop(name, None)
        if before is None or before.dataset != dataset:
            before = PublishedTable(self._files, dataset, before)
        self._open[name] = before
        return before


def _room(name: str, standing: Mapping[str, Step]) -> int:
    """Return how many bytes of a dataset's changes the head has room for."""
    others = sum(len(s.dataset.changes) for other, s in standing.items() if other != name)
    return HEAD_CHANGES_BYTES - others
