"""What a gate makes of a published head: its files, opened as tables."""

from __future__ import annotations

from pathlib import Path

from cache.replica.changes import unpack_changes
from cache.replica.delta import read_delta
from cache.replica.head import Dataset, Head
from cache.replica.layout import layout_of
from cache.replica.segment import Segment
from cache.replica.source import FileKind, path_of
from cache.replica.table import Table


def table_of(folder: Path, dataset: Dataset) -> Table:
    """Return one dataset as a head names it; `folder` is the one that is served."""
    replica, layout = folder / "replica", layout_of(dataset.layout)
    segment = Segment.open(replica / path_of(FileKind.SEGMENT, dataset.name))
    deltas = [
        read_delta(
            (replica / path_of(FileKind.DELTA, named.file.name)).read_bytes(),
            base=dataset.root,
            layout=layout,
            rows=dataset.rows,
            after=named.after,
            through=named.through,
        )
        for named in dataset.deltas
    ]
    return Table(segment, deltas, unpack_changes(dataset.changes, layout))


def tables_of(folder: Path, head: Head) -> dict[str, Table | None]:
    """Return all datasets of a head."""
    return {name: table_of(folder, dataset) for name, dataset in head.datasets.items()}
