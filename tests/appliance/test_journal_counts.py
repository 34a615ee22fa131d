"""Protects the counters: they go on where they were, and say when the index stands still."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from appliance.journal_counts import JournalCounts, index_finding
from cache.journal.local.database import LocalDatabase
from tests.cache.journal.local.history import History, a_passage

ADMITTED = {"lane": "lane-1", "direction": "in", "event": "scan", "what": "admit"}


async def test_counters_outlive_a_restart(tmp_path: Path) -> None:
    history = History()
    for total in (2, 4):
        history.write(a_passage(), a_passage())
        database = await LocalDatabase.open(tmp_path / "journal.sqlite")
        projector = history.projector(database)
        registry = CollectorRegistry()
        registry.register(JournalCounts(projector))
        assert registry.get_sample_value("chot_journal_index_behind_entries") == total
        assert index_finding(projector).facts == {"through": 0, "behind": total}
        await projector.catch_up()
        assert registry.get_sample_value("chot_journal_counted_entries_total", ADMITTED) == total
        assert registry.get_sample_value("chot_journal_index_behind_entries") == 0
        assert index_finding(projector).ok
        await database.close()
