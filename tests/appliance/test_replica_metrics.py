"""Protects what Prometheus reads of the replica: one series per kind of dataset, always."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from appliance.replica_metrics import ReplicaMetrics
from cache.replica.names import RECORDS
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
