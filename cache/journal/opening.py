"""Opening a journal's folder: this process alone, and where it continues. Blocking."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cache.journal.catalogue import LOCK_NAME
from cache.journal.errors import JournalLocked
from cache.journal.medium import Medium
from cache.journal.recovery import Recovery, recover
from cache.journal.segment_file import unavailable


def locked(
    medium: Medium, directory: Path, new_journal: bytes, acknowledged: Mapping[bytes, int]
) -> tuple[int, Recovery]:
    """Return the open lock of the folder, which is created where it is missing, and what is there.

    :param new_journal: the id of the journal if there is none that may be continued.
    :param acknowledged: as for `recovery.recover`.
    :raises JournalLocked: if another process has the directory open.
    :raises JournalDamaged: if what is there cannot be continued.
    :raises JournalUnavailable: if the medium does not let it be read or locked.
    """
    try:
        medium.make_directory(directory)
        lock = medium.lock(directory / LOCK_NAME)
    except BlockingIOError as error:
        msg = f"another process has the journal in {directory} open"
        raise JournalLocked(
            msg, hint="stop the other daemon, or give each its own folder"
        ) from error
    except OSError as error:
        raise unavailable(error) from error
    try:
        return lock, recover(medium, directory, new_journal, acknowledged)
    except OSError as error:
        medium.close(lock)
        raise unavailable(error) from error
    except BaseException:  # whatever ends this, the directory must not stay locked
        medium.close(lock)
        raise
