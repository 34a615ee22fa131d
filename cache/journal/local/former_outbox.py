"""The file in which earlier versions kept the watermarks: read once, then removed."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from admission.passage import JOURNAL_ID_BYTES
from cache.journal.errors import LocalStateError

_ALL = "SELECT journal, acknowledged_through FROM watermark"


def former_watermarks(path: Path) -> dict[bytes, int]:
    """Return through which sequence the hub acknowledged each journal, by id; {} if damaged.

    :raises LocalStateError: if the file cannot be read now (locked, not permitted).
    """
    try:
        with contextlib.closing(sqlite3.connect(path)) as database:
            rows = database.execute(_ALL).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error) or "no such column" in str(error):
            return {}
        msg = f"{path} cannot be read: {error}"
        raise LocalStateError(
            msg, hint="its watermarks are to be taken over; without it everything is sent again"
        ) from error
    except sqlite3.DatabaseError:
        return {}
    return {journal: through for journal, through in rows if _is_watermark(journal, through)}


def forget_former(path: Path) -> None:
    """Remove the file.

    :raises OSError: as the file system does.
    """
    for suffix in ("-wal", "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _is_watermark(journal: object, through: object) -> bool:
    whose = isinstance(journal, bytes) and len(journal) == JOURNAL_ID_BYTES
    return whose and isinstance(through, int) and through >= 0
