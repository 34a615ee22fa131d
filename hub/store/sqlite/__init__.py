"""The embedded store: SQLite files, WAL, durable at each commit.

What is on record lies in one file, through aiosqlite. Entries lie in files of their days.
"""

from __future__ import annotations

from hub.store.sqlite.store import SqliteStore, open_store

__all__ = ["SqliteStore", "open_store"]
