"""The counts as another process reads them, beside a daemon that goes on."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from pathlib import Path

import msgspec

from cache.journal.errors import LocalStateError
from cache.journal.local.counts import Counted
from cache.journal.local.rows import checked


class Counts(msgspec.Struct, frozen=True):
    """All counts of a gate's journals, and through which entry of the living one they tell."""

    through: int
    counts: Counter[Counted]


def read_counts(database: Path) -> Counts:
    """Return the counts in this file. Blocking; nothing is changed.

    :raises LocalStateError: if the file is not there, cannot be read, or is damaged.
    """
    try:
        uri = f"{database.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as raw:
            raw.execute("BEGIN")  # both tables as of one moment
            standing = raw.execute("SELECT through FROM projection").fetchone()
            rows = [checked(row) for row in raw.execute("SELECT * FROM count")]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        msg = f"{database} cannot be read: {error}"
        raise LocalStateError(
            msg, hint="is it the gate's? It is made, and made anew, by the daemon that runs here"
        ) from error
    if None in rows:
        msg = f"{database} is damaged"
        raise LocalStateError(msg, hint="remove it: the daemon makes it anew from the journal")
    counts: Counter[Counted] = Counter()
    for row in rows:
        if row is not None:
            counts[Counted(*row[1:-1])] += row[-1]
    return Counts(standing[0] if standing else 0, counts)
