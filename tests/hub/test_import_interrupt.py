"""Protects the records from an import that is broken off: Ctrl-C leaves them as they were."""

from __future__ import annotations

import asyncio
import io
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from hub.cli import hub
from hub.desks import PeopleDesk
from hub.imports import Import
from hub.people_form import people_form
from hub.table import Table
from tests.hub.memory_store import MemoryStore
from tests.worlds import ROOT

# A shell that runs the tests in the background has Ctrl-C ignored, and processes inherit that.
MAIN = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from hub.__main__ import main; main()"
)


def is_locked(database: Path) -> bool:
    with closing(sqlite3.connect(database, timeout=0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        return False


def test_ctrl_c_in_the_middle_of_a_file_leaves_the_records_as_they_were(tmp_path: Path) -> None:
    root, file = tmp_path / "hub", tmp_path / "people.csv"
    for arguments in (["init"], ["synthesize", "--people", "10"]):
        assert CliRunner().invoke(hub, [*arguments, "--data", str(root)]).exit_code == 0
    file.write_text("document\n" + "".join(f"{n:012}\n" for n in range(100_000)))
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "import", "persons", "--data", root, "--replace", file],
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    while not is_locked(root / "hub.db"):
        assert process.poll() is None, "the file was taken before anybody could break it off"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.strip()) == (1, b"Aborted!")
    with closing(sqlite3.connect(root / "hub.db")) as database:
        assert database.execute("SELECT count(*) FROM person").fetchone() == (10,)


async def test_ctrl_c_during_the_commit_comes_too_late(tmp_path: Path) -> None:
    store = MemoryStore()
    committing, go_on = asyncio.Event(), asyncio.Event()

    class SlowStore:
        @asynccontextmanager
        async def change(self) -> AsyncIterator[Any]:
            async with store.change() as change:
                yield change
                committing.set()
                await go_on.wait()

    table = Table(io.BytesIO(b"document\n000190000001\n"))
    desk = PeopleDesk(lambda _name, _born: 1)
    work = Import(table, people_form(table.columns), desk, tmp_path / "rejects.csv")
    task = asyncio.create_task(work.run(SlowStore()))
    await committing.wait()
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    assert (await task).rows == 1
    assert await store.people_count() == 1
