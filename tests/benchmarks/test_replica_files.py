"""Protects what the replica's figures are of: files that say what the population's day says."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import replica_files
from benchmarks.replica_alone import open_table
from benchmarks.replica_files import a_days_delta, build_base, overlay_delta
from benchmarks.replica_stage import set_stage

PEOPLE = 20_000


@pytest.mark.parametrize("most", [1 << 21, 200])
def test_deltas_of_a_day_say_what_is_on_record_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(replica_files, "MAX_DELTA_ROWS", most)
    stage = set_stage(tmp_path, PEOPLE, lambda share: None)
    base = build_base(stage)
    day = a_days_delta(stage, base)
    assert len(day.places) == (1 if most > PEOPLE else 4)
    table = open_table(base.path, day.places)
    keys, words = day.churn.after(stage.keys, stage.words)
    records = [record.astype("<u8").tobytes() for record in words]
    assert [table.find(int(key)) for key in keys] == records
    assert [table.find(int(key)) for key in stage.keys[day.churn.removed]] == [None, None]
    assert table.rows == PEOPLE + day.churn.growth


def test_who_is_looked_up_is_on_record_under_the_hash_of_a_number(tmp_path: Path) -> None:
    stage = set_stage(tmp_path, PEOPLE, lambda share: None)
    table = open_table(build_base(stage).path)
    assert len(set(stage.known)) == len(stage.known_keys) == PEOPLE
    assert all(table.find(key) is not None for key in stage.known_keys)
    assert not set(stage.strangers) & set(stage.known)


def test_of_few_people_every_tenth_change_lies_over_the_base(tmp_path: Path) -> None:
    stage = set_stage(tmp_path, PEOPLE, lambda share: None)
    overlay = overlay_delta(stage, build_base(stage))
    assert 1_990 <= len(overlay.churn) <= 2_000
