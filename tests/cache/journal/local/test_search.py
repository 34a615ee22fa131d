"""Protects the search: the index spares reading, and never hides what is there."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from admission.journal_record import FollowupKind
from admission.verdict import Outcome
from cache.journal.local.blocks import BLOCK_ENTRIES
from cache.journal.local.database import LocalDatabase
from cache.journal.local.names import MAX_NAMES, Names
from cache.journal.local.search import Criteria, search
from tests.cache.journal.local.history import FOLDER, History, a_followup, a_passage

RARE = Criteria(outcomes=frozenset({Outcome.REFUSE}))
COUNT = 3 * BLOCK_ENTRIES + 100
PLACES = [5, BLOCK_ENTRIES + 700, COUNT]


@pytest.fixture(scope="module")
def history() -> History:
    """Return a journal of more than three blocks, with an odd entry in the outer ones."""
    history = History(rotate_bytes=1 << 18)
    refused = a_passage(outcome=Outcome.REFUSE)
    history.write_all([refused if n in PLACES else a_passage() for n in range(1, COUNT + 1)])
    return history


async def indexed(history: History, path: Path) -> Path:
    database = await LocalDatabase.open(path)
    try:
        await history.projector(database).catch_up()
    finally:
        await database.close()
    return path


def change(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


def found(history: History, path: Path, criteria: Criteria = RARE) -> list[int]:
    return [n for n, _ in search(FOLDER, path, criteria, medium=history.disk)]


async def test_only_where_something_may_be_found_is_read(history: History, tmp_path: Path) -> None:
    path = await indexed(history, tmp_path / "journal.sqlite")
    absent = tmp_path / "absent"

    def bytes_read(database: Path, criteria: Criteria, expected: list[int]) -> int:
        before = history.bytes_read
        assert found(history, database, criteria) == expected
        return history.bytes_read - before

    nowhere = Criteria(lanes=frozenset({"lane-9"}))
    least, whole = bytes_read(path, nowhere, []), bytes_read(absent, nowhere, [])
    assert least < bytes_read(path, RARE, PLACES) < bytes_read(absent, RARE, PLACES) == whole
    assert least < whole / 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE block SET place = place + 9",
        "UPDATE block SET outcomes = zeroblob(16)",
        "UPDATE name SET name = 'other'",
        "UPDATE projection SET through = 1000000",
        "UPDATE projection SET journal = zeroblob(16)",
        "DELETE FROM block WHERE first = 1025",
        "DELETE FROM projection",
        "DROP TABLE block",
    ],
)
async def test_an_index_that_is_damaged_hides_nothing(
    history: History, tmp_path: Path, statement: str
) -> None:
    path = await indexed(history, tmp_path / "journal.sqlite")
    change(path, statement)
    assert found(history, path) == PLACES


async def test_places_that_do_not_hold_any_more_are_found_again(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await indexed(history, tmp_path / "journal.sqlite")
    monkeypatch.setattr("cache.journal.local.search.Place", wrong_place)
    assert found(history, path) == PLACES


def wrong_place(file: int, offset: int, sequence: int) -> object:
    from cache.journal.reader import Place  # noqa: PLC0415 - the real one

    return Place(file, offset + 3, sequence)


async def test_what_is_newer_than_the_index_is_found(tmp_path: Path) -> None:
    history = History()
    history.write(a_passage(), a_passage(outcome=Outcome.REFUSE))
    path = await indexed(history, tmp_path / "journal.sqlite")
    history.write(a_passage(outcome=Outcome.REFUSE))
    assert found(history, path) == [2, 3]


async def test_what_followed_is_told_with_it_also_from_another_block(tmp_path: Path) -> None:
    history = History(rotate_bytes=1 << 18)
    refused = a_passage(outcome=Outcome.REFUSE)
    history.write_all([a_passage()] * (BLOCK_ENTRIES - 1) + [refused] + [a_passage()] * 500)
    history.write(
        a_followup(BLOCK_ENTRIES - 1), a_followup(BLOCK_ENTRIES, FollowupKind.NOT_ACTUATED)
    )
    history.write_all([a_passage()] * BLOCK_ENTRIES)
    path = await indexed(history, tmp_path / "journal.sqlite")
    told = search(FOLDER, path, RARE, followups=True, medium=history.disk)
    assert [n for n, _ in told] == [BLOCK_ENTRIES, BLOCK_ENTRIES + 502]


def test_names_beyond_the_bound_share_a_bit_and_hide_nothing() -> None:
    names = Names()
    bits = [names.bit("lane", f"lane-{n}") for n in range(MAX_NAMES + 9)]
    assert len(set(bits)) == MAX_NAMES + 1
    for n, bit in enumerate(bits):
        assert names.mask("lane", {f"lane-{n}"}) & bit
    assert not names.mask("lane", {"lane-1"}) & bits[2]
    again = Names(names.take_fresh())
    assert [again.bit("lane", f"lane-{n}") for n in range(MAX_NAMES + 9)] == bits
    assert again.take_fresh() == []
