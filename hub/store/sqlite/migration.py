"""Numbered scripts that bring a database's tables up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib import resources

from hub.errors import StoreError


def scripts(folder: str) -> list[str]:
    """Return a folder's scripts in order: file n brings version n-1 to n.

    A released one is never edited.

    :raises StoreError: if a number is missing.
    """
    place = resources.files("hub.store.sqlite") / folder
    names = sorted(item.name for item in place.iterdir() if item.name.endswith(".sql"))
    for number, name in enumerate(names, start=1):
        if not name.startswith(f"{number:04d}_"):
            msg = f"the hub's migrations skip number {number}"
            raise StoreError(msg, hint="install chot again")
    return [(place / name).read_text(encoding="utf-8") for name in names]


def statements(script: str) -> Iterator[str]:
    """Split a script, because `executescript` would commit the transaction that holds it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def is_up_to_date(raw: sqlite3.Connection, folder: str) -> bool:
    """Return whether a database lacks no script, and has none that is not known."""
    (version,) = raw.execute("PRAGMA user_version").fetchone()
    return bool(version == len(scripts(folder)))


def bring_up_to_date(raw: sqlite3.Connection, folder: str, path: object) -> None:
    """Run the scripts that a database lacks, within the transaction that is open.

    :raises StoreError: if the database is of a newer version.
    """
    known = scripts(folder)
    (version,) = raw.execute("PRAGMA user_version").fetchone()
    if version > len(known):
        msg = f"{path} is of version {version}, this hub knows {len(known)}"
        raise StoreError(msg, hint="update chot on this machine")
    for number, script in enumerate(known[version:], start=version + 1):
        for statement in statements(script):
            raw.execute(statement)
        raw.execute(f"PRAGMA user_version = {number}")
