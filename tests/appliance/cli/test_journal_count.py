"""`chot journal count`: what was counted, for people and for scripts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from admission.journal_record import FollowupKind
from admission.passage import Event
from admission.verdict import Outcome
from appliance.cli.journal import journal
from appliance.cli.main import main
from cache.journal.local.database import LocalDatabase
from tests.cache.journal.local.history import HOUR_NS, History, a_followup, a_passage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the journal's folder of a gate that has counted two days."""
    history = History()
    history.write(
        a_passage(),
        a_followup(1, FollowupKind.PASSED),
        a_passage(outcome=Outcome.REFUSE, lane="way out"),
        a_passage(event=Event.OVERRIDE, about=3, wall_ns=30 * HOUR_NS),
        a_followup(1, FollowupKind.TAILGATED),
        a_passage(event=Event.FORCED, outcome=Outcome.REFER, wall_ns=30 * HOUR_NS),
    )
    asyncio.run(_counted(history, tmp_path / "journal.sqlite"))
    folder = tmp_path / "journal"
    folder.mkdir()
    (folder / f"{1:019d}.journal").touch()
    return folder


async def _counted(history: History, path: Path) -> None:
    database = await LocalDatabase.open(path)
    await history.projector(database).catch_up()
    await database.close()


def called(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(journal, ["count", *map(str, arguments)])
    return result.exit_code, result.stdout


def test_people_get_a_table_by_day_and_lane(folder: Path) -> None:
    code, output = called(folder)
    assert code == 0
    assert [line.split() for line in output.splitlines()] == [
        ["day", "lane", "way", "admit", "refuse", "acts", "passed", "tailgated", "forced"],
        ["2021-09-11", "lane-1", "in", "1", "0", "0", "1", "1", "0"],
        ["2021-09-11", "way", "out", "in", "0", "1", "0", "0", "0", "0"],
        ["2021-09-12", "lane-1", "in", "0", "0", "1", "0", "0", "1"],
    ]


def test_scripts_get_every_count(folder: Path) -> None:
    code, output = called(folder, "--json", "--since", "2021-09-12")
    assert code == 0
    assert [json.loads(line) for line in output.splitlines()] == [
        {
            "day": "2021-09-12",
            "lane": "lane-1",
            "direction": "in",
            "event": event,
            "what": what,
            "entries": 1,
        }
        for event, what in (("forced", "refer"), ("override", "admit"))
    ]


def test_days_without_entries_are_a_failure(folder: Path) -> None:
    assert called(folder, "--until", "2021-09-11") == (1, "")


def test_without_the_daemons_file_it_says_whose_it_is(folder: Path) -> None:
    (folder.parent / "journal.sqlite").unlink()
    result = CliRunner().invoke(main, ["journal", "count", str(folder)])
    assert result.exit_code == 1
    assert "made anew" in result.stderr
