"""Protects the investigator's commands on a real hub's folder: meddled with by hand, and told."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from admission.daily_heads import JournalHead, pack_daily_heads
from admission.instant import ClockTrust, Instant
from admission.wire import Entry
from hub.cli import hub
from hub.errors import HubError
from hub.folder import DataFolder
from hub.intake import Arrival, Intake
from hub.keys import load_keys
from hub.seals import Seals
from hub.store.entries import JournalKey
from hub.store.examined import HeldEntry
from hub.store.sqlite import open_store
from tests.hub.gates import JOURNAL, a_passage
from tests.hub.journals.folders import path_of, write_folder
from tests.hub.sealed import sealed

DAY_NS = 86_400 * 10**9
NOW = Instant(1_632_100_000_000_000_000, 5, "hub-boot", ClockTrust.RTC)
COUNT = 9
"""Entries: the session, and eight passages over two days."""


def told(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(hub, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.stdout


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Entry]]:
    folder = DataFolder(tmp_path_factory.mktemp("journals") / "hub")
    assert told("init", "--data", folder.root)[0] == 0
    keys = load_keys(folder.keys)
    assert keys.seals.present is not None
    passages = [
        msgspec.structs.replace(
            a_passage(number),
            person=number << 2,
            wall_ns=1_632_090_000_000_000_000 - (number < 5) * DAY_NS,
        )
        for number in range(1, COUNT)
    ]
    entries = sealed(passages, keys.seals.present)

    async def take() -> None:
        async with open_store(folder.database) as store:
            arrival = Arrival(JournalKey("gate-1", JOURNAL), entries, {1}, NOW.wall_ns + 10**9)
            await Intake(store, Seals.of(keys)).receive(arrival, NOW)

    asyncio.run(take())
    lists = folder.replica / "journals"
    lists.mkdir()
    head = JournalHead("gate-1", JOURNAL, 6, entries[5].chain_hash)
    (lists / "2021-09-19").write_bytes(pack_daily_heads("2021-09-19", 0, [head], keys.head))
    return folder.root, entries


@pytest.fixture
def folder(original: tuple[Path, list[Entry]], tmp_path: Path) -> DataFolder:
    shutil.copytree(original[0], tmp_path / "hub")
    return DataFolder(tmp_path / "hub")


def verified(folder: DataFolder, *options: object) -> tuple[int, list[dict[str, Any]]]:
    code, output = told("journals", "verify", "--data", folder.root, "--json", *options)
    return code, [json.loads(line) for line in output.splitlines()]


def findings(folder: DataFolder, *options: object) -> list[tuple[str, int, int]]:
    code, lines = verified(folder, *options)
    found = [(one["kind"], one["first"], one["last"]) for line in lines for one in line["findings"]]
    assert code == bool(found)
    return found


def meddle(folder: DataFolder, file: str, statement: str, *values: object) -> None:
    with sqlite3.connect(folder.root / file) as raw:
        assert raw.execute(statement, values).rowcount > 0
    raw.close()


YESTERDAY, TODAY = "entries/2021-09-18.db", "entries/2021-09-19.db"


def test_what_nobody_touched_is_sound(folder: DataFolder) -> None:
    code, (line,) = verified(folder)
    assert code == 0
    assert {name: line[name] for name in ("entries", "listed", "through", "findings")} == {
        "entries": COUNT,
        "listed": 1,
        "through": COUNT,
        "findings": [],
    }
    code, output = told("journals", "verify", "--data", folder.root)
    assert (code, "gate-1 " + JOURNAL.hex() + ": sound; 9 entries" in output) == (0, True)


@pytest.mark.parametrize(
    ("file", "statement", "expected"),
    [
        (YESTERDAY, "UPDATE entry SET packed = X'C0' WHERE sequence = 3", [("altered", 3, 3)]),
        (YESTERDAY, "UPDATE entry SET person = 4 WHERE sequence = 3", [("columns", 3, 3)]),
        (TODAY, "UPDATE entry SET wall_ns = 1 WHERE sequence = 7", [("columns", 7, 7)]),
        (
            TODAY,
            "UPDATE entry SET chain_hash = zeroblob(32) WHERE sequence = 6",
            [("altered", 6, 7), ("list", 6, 6)],
        ),
        (TODAY, "DELETE FROM entry WHERE sequence = 6", [("deleted", 6, 6)]),
        (YESTERDAY, "DELETE FROM entry", [("deleted", 1, 5)]),
        ("entries.db", "UPDATE journal SET chain_hash = zeroblob(32)", [("mark", COUNT, COUNT)]),
    ],
)
def test_what_was_done_to_a_file_of_a_day_is_found(
    folder: DataFolder, file: str, statement: str, expected: list[tuple[str, int, int]]
) -> None:
    meddle(folder, file, statement)
    assert findings(folder) == expected
    code, output = told("journals", "verify", "--data", folder.root)
    assert code == 1
    assert "NOT SOUND" in output


def test_a_file_of_a_day_that_is_gone_is_missed(folder: DataFolder) -> None:
    (folder.root / YESTERDAY).unlink()
    assert findings(folder) == [("deleted", 1, 5)]


def test_a_row_that_was_slipped_in_is_seen(folder: DataFolder) -> None:
    meddle(
        folder,
        TODAY,
        "INSERT INTO entry SELECT journal, 99, chain_hash, packed, site, wall_ns, person, outcome,"
        " received_ns FROM entry WHERE sequence = 7",
    )
    code, output = told("journals", "verify", "--data", folder.root)
    assert code == 1
    assert "2021-09-19" in output


def test_what_was_offered_beside_is_listed_and_no_fault(
    folder: DataFolder, original: tuple[Path, list[Entry]]
) -> None:
    other = Entry(4, bytes(32), original[1][4].packed)

    async def offer() -> None:
        async with open_store(folder.database) as store:
            await Intake(store).receive(Arrival(JournalKey("gate-1", JOURNAL), [other], {4}), NOW)

    asyncio.run(offer())
    code, output = told("journals", "verify", "--data", folder.root)
    assert (code, "1 conflicts" in output) == (0, True)
    assert "conflict           4: offered 2021-09-20 08:06:40" in output


def test_a_list_that_was_exchanged_is_said(folder: DataFolder) -> None:
    (folder.replica / "journals" / "2021-09-20").write_bytes(
        (folder.replica / "journals" / "2021-09-19").read_bytes()
    )
    code, _ = told("journals", "verify", "--data", folder.root)
    assert code == 1


def test_a_folder_that_was_brought_in_is_compared(
    folder: DataFolder, original: tuple[Path, list[Entry]], tmp_path: Path
) -> None:
    there = tmp_path / "journal"
    entries = [HeldEntry(e.sequence, e.chain_hash, e.packed, 0, None) for e in original[1]]
    write_folder(there, JOURNAL, entries)
    code, (line,) = verified(folder, "--folder", there)
    assert (code, line["same"], line["findings"]) == (0, COUNT, [])
    path_of(there, 1).unlink()
    assert findings(folder, "--folder", there) == [("not_in_folder", 1, 5)]
    entries[7] = msgspec.structs.replace(entries[7], packed=entries[6].packed)
    write_folder(there, JOURNAL, entries)
    assert findings(folder, "--folder", there) == [("different", 8, 8)]
    result = CliRunner().invoke(
        hub,
        ["journals", "verify", "--data", str(folder.root), "--device", "gate-2"],
    )
    assert (type(result.exception), str(result.exception)) == (
        HubError,
        "the hub holds no journal of gate-2",
    )
    code, output = told("journals", "verify", "--data", folder.root, "--folder", there)
    assert "the folder was altered" in output


def test_journals_are_listed_with_what_is_remarked_on_them(folder: DataFolder) -> None:
    _, output = told("journals", "list", "--data", folder.root, "--json")
    (line,) = [json.loads(one) for one in output.splitlines()]
    assert line == {
        "device": "gate-1",
        "journal": JOURNAL.hex(),
        "through": COUNT,
        "last_contact": "2021-09-20T08:06:40+07:00",
        "clock_off_s": 1.0,
        "set_aside": 0,
        "flags": 0,
    }
    code, output = told("journals", "list", "--data", folder.root, "--device", "gate-1")
    assert (code, "+1 s" in output) == (0, True)
