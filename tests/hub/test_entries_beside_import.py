"""Protects uploads from whoever else writes into the hub's database for long."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from hub.store.devices import Device
from hub.store.entries import Offer
from hub.store.sqlite import connection, open_store, opening
from tests.contracts.test_hub_entries import KEY, record

IMPORTING = """
import sqlite3, sys
raw = sqlite3.connect(sys.argv[1], isolation_level=None)
raw.execute("BEGIN IMMEDIATE")
raw.execute("INSERT INTO revision (name, number, live) VALUES ('watch', 1, 1)")
print("writing", flush=True)
sys.stdin.read()
raw.execute("COMMIT")
"""


async def test_an_import_in_another_process_holds_up_no_upload(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    bound_s = min(connection.BUSY_TIMEOUT_S, opening.BUSY_TIMEOUT_S) / 2
    async with open_store(path) as store:
        await store.put_device(Device(name="gate-1", enrolled_ns=1))
        await store.settle_entries()
        other = subprocess.Popen(  # noqa: ASYNC220 it has answered before anything is awaited
            [sys.executable, "-c", IMPORTING, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with other:
            assert other.stdin is not None
            assert other.stdout is not None
            assert other.stdout.readline() == b"writing\n"
            async with asyncio.timeout(bound_s):
                assert await store.device_by_name("gate-1") is not None
                for sequence in range(1, 4):
                    (added,) = await store.add_entries([Offer(KEY, [record(sequence)])])
                    assert added.watermark.through == sequence
            other.stdin.close()
            assert other.wait() == 0
        assert "watch" in await store.revisions()
