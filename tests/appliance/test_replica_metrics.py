"""Protects what Prometheus reads of the replica: one series per kind of dataset, always."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from appliance.replica_metrics import ReplicaMetrics
from cache.replica.merging import MergeOutcome
from cache.replica.names import RECORDS
from tests.cache.replica.changing import Changing
from tests.cache.replica.gates import Gate
from tests.cache.replica.releases import MemorySource, Release


async def test_rows_documents_and_missing_files(tmp_path: Path) -> None:
    source = MemorySource(Release(tmp_path, 30, documents={"orders": b"none"}))
    gate = Gate(tmp_path, source)
    registry = CollectorRegistry()
    registry.register(ReplicaMetrics(gate.replicator.status))
    rows = {kind: {"dataset": kind} for kind in RECORDS}
    assert {registry.get_sample_value("chot_replica_rows", rows[k]) for k in RECORDS} == {0}
    await gate.replicator.once()
    assert registry.get_sample_value("chot_replica_rows", rows["persons"]) == 30
    assert registry.get_sample_value("chot_replica_rows", rows["roster"]) == 0
    assert registry.get_sample_value("chot_replica_documents") == 1
    assert registry.get_sample_value("chot_replica_missing_files") == 0


async def test_changes_bytes_pages_and_merges(tmp_path: Path) -> None:
    source = MemorySource()
    hub, gate = Changing(tmp_path, source), Gate(tmp_path, source)
    hub.change({7: 9})
    delta = hub.delta()
    hub.follow()
    hub.change({7: 10})
    hub.publish()
    await gate.replicator.once()
    await gate.merged()
    registry = CollectorRegistry()
    registry.register(ReplicaMetrics(gate.replicator.status))

    def said(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"chot_replica_{name}", labels)

    assert said("change_number", dataset="persons") == 2
    assert said("change_number", dataset="watch") == 0
    assert said("deltas_applied_total") == 1
    assert said("healed_pages_total") == 0
    assert said("fetched_bytes_total", kind="segment") == hub.dataset.size
    assert said("fetched_bytes_total", kind="delta") == delta.file.size
    assert said("fetched_bytes_total", kind="snapshot") == 0
    merges = [said("merges_total", outcome=each) for each in MergeOutcome]
    assert merges == [1, 0, 0]
