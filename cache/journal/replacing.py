"""Replacing a file as a whole: the old one or the new one, whenever power goes."""

from __future__ import annotations

import contextlib
from pathlib import Path

from cache.journal.catalogue import PART_SUFFIX
from cache.journal.medium import Medium, write_whole


def replace_file(medium: Medium, path: Path, data: bytes) -> None:
    """Write a file in place of any old one; once this returns the new one is durable.

    :raises OSError: as the medium does. The file is then the old one or the new one.
    """
    part = path.with_name(path.name + PART_SUFFIX)
    file = medium.create(part)
    try:
        write_whole(medium, file, 0, data)
        medium.sync(file)
        medium.rename(part, path)
    except BaseException:  # whatever ends this, no half-made file may stay
        with contextlib.suppress(OSError):
            medium.remove(part)
        raise
    finally:
        with contextlib.suppress(OSError):
            medium.close(file)
    medium.sync_directory(path.parent)
