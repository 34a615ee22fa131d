"""From stored bytes to what may answer: each step refuses what the one before let by.

Downloads end in `download`; here a segment is opened and self-tested, and what has changed since is
read. The caller then writes `CURRENT`, swaps the reference and persists the sequence, in this
order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cache.errors import SegmentError
from cache.replica.changes import unpack_changes
from cache.replica.download import File
from cache.replica.head import Dataset, DeltaFile
from cache.replica.heal import damaged_leaves, stored_leaves
from cache.replica.merkle import merkle_root
from cache.replica.regular import open_regular
from cache.replica.segment import Segment
from cache.replica.source import FileKind
from cache.replica.table import Table

if TYPE_CHECKING:
    from cache.replica.delta import Delta


def open_tested(directory: Path, dataset: Dataset, hash_key_id: bytes) -> Segment:
    """Return a dataset's base, opened, compared with what its head says, and self-tested.

    :raises SegmentError: if it is damaged or not what the head says.
    :raises LayoutError: if its layout is unknown here.
    """
    segment = _opened(directory, dataset, hash_key_id)
    segment.self_test()
    return segment


def open_stored(directory: Path, dataset: Dataset, hash_key_id: bytes) -> Segment:
    """Return a stored base at boot; leaves that are not the signed ones answer nothing.

    Damage at rest costs the look-ups of its own leaf and no others, provided that the leaf hashes
    kept beside the segment still lead to its root.

    :raises SegmentError: if the segment cannot be trusted even so.
    :raises LayoutError: if its layout is unknown here.
    """
    file = File.of(FileKind.SEGMENT, dataset)
    try:
        sound = merkle_root(stored_leaves(directory, file)) == dataset.root
    except OSError as error:
        msg = f"the stored segment cannot be read: {error.strerror}"
        raise SegmentError(msg) from error
    if sound:
        return open_tested(directory, dataset, hash_key_id)
    damaged = damaged_leaves(directory, file)
    if not damaged:
        raise SegmentError("the stored segment is not the one that its head names")
    segment = _opened(directory, dataset, hash_key_id)
    for leaf in damaged:
        segment.distrust(leaf)
    return segment


def table_of(
    directory: Path, dataset: Dataset, known: Table, applied: Sequence[DeltaFile]
) -> Table:
    """Return what a dataset says: its base, the deltas since that lie here, and the changes.

    :param known: a table over the dataset's base, `applied` the deltas that it has taken in: only
        what is new is read, where it joins.
    :raises SegmentError: if a delta is not here, complete and as its head says.
    :raises DeltaError: if a delta is another than its head says, or these do not join.
    """
    changes = unpack_changes(dataset.changes, known.layout)
    count = len(applied)
    if dataset.deltas[:count] != tuple(applied):
        known, count = Table(known.segment), 0
    deltas = _deltas(directory, dataset, known, count)
    if not deltas and changes == known.changes:
        return known
    return known.with_deltas(deltas, changes)


def read_file(directory: Path, file: File) -> bytes | None:
    """Return the bytes of a file that lies here complete, or None: for small ones."""
    try:
        with open_regular(file.within(directory)) as opened:
            data = opened.read(file.size + 1)
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == file.name else None


def _deltas(directory: Path, dataset: Dataset, known: Table, count: int) -> list[Delta]:
    """Return a dataset's deltas but for the first `count`, which the known table took in."""
    if count == len(dataset.deltas):
        return []
    from cache.replica.composition import require_few  # noqa: PLC0415 - loads numpy, as above

    deltas, rows = [], 0 if known.overlay is None else known.overlay.rows
    for named in dataset.deltas[count:]:
        deltas.append(_delta(directory, dataset, named, known))
        rows += deltas[-1].rows
        # A small file may speak of millions of rows, so the next one is not even read.
        require_few(rows)
    return deltas


def _delta(directory: Path, dataset: Dataset, named: DeltaFile, table: Table) -> Delta:
    from cache.replica.delta import read_delta  # noqa: PLC0415 - loads numpy, where there are any

    data = read_file(directory, File.of(FileKind.DELTA, named.file))
    if data is None:
        raise SegmentError("a delta is not the one that its head names")
    return read_delta(
        data,
        base=dataset.root,
        layout=table.layout,
        rows=table.header.rows,
        after=named.after,
        through=named.through,
    )


def _opened(directory: Path, dataset: Dataset, hash_key_id: bytes) -> Segment:
    segment = Segment.open(File.of(FileKind.SEGMENT, dataset).within(directory))
    header = segment.header
    declared = (dataset.size, dataset.rows, dataset.layout, hash_key_id)
    if (header.size, header.rows, header.layout, header.hash_key_id) != declared:
        raise SegmentError("the segment's header contradicts its signed head")
    return segment
