"""The embedded store: one SQLite file through aiosqlite, WAL, durable at each commit."""

from __future__ import annotations

from hub.store.sqlite.store import SqliteStore, open_store

__all__ = ["SqliteStore", "open_store"]
