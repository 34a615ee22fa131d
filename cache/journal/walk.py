"""Walking over every entry of a journal's folder, oldest first, without an index."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from cache.journal.catalogue import read_file, require_files
from cache.journal.errors import JournalDamaged
from cache.journal.frame import HEADER_BYTES, Frame, unpack_header
from cache.journal.medium import Medium, PosixMedium
from cache.journal.scan import scan


def every_frame(
    directory: Path,
    medium: Medium | None = None,
    *,
    read: Callable[[int], None] | None = None,
) -> Iterator[Frame]:
    """Yield the entries that count, ascending. What cannot be read is left out.

    Works beside a running daemon. A file is in memory while its entries are yielded, no other.

    :param read: is told of every file that was passed, with its length.
    :raises JournalUnavailable: if the directory cannot be read.
    """
    medium = medium or PosixMedium()
    files = require_files(medium, directory)
    for place, file in enumerate(files):
        following = files[place + 1].first_sequence if place + 1 < len(files) else None
        try:
            data = read_file(medium, file)
        except (JournalDamaged, OSError):
            continue  # verification tells of it
        for finding in scan(data, file.first_sequence):
            if isinstance(finding, Frame) and (following is None or finding.sequence < following):
                yield finding
        if read is not None:
            read(len(data))


def journal_of(directory: Path, medium: Medium | None = None) -> bytes | None:
    """Return the id of the journal in a folder, None if no header tells it.

    :raises JournalUnavailable: if the directory cannot be read.
    """
    medium = medium or PosixMedium()
    for file in reversed(require_files(medium, directory)):
        with contextlib.suppress(OSError):
            header = unpack_header(medium.read(file.path, 0, HEADER_BYTES))
            if header is not None:
                return header.journal
    return None
