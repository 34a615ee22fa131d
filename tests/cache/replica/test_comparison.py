"""Comparing two states protects that what a release changed is counted, whatever its bases are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.standing import CredentialStatus, PersonFacts, WatchEntry
from cache.errors import LayoutError
from cache.replica.build import RowSet, write_segment
from cache.replica.comparison import compare
from cache.replica.layout import PERSONS_3, WATCH_1, Layout
from cache.replica.segment import Segment
from cache.replica.table import Table

KEYS = st.integers(0, 40).map(lambda n: n * 0x0616_1616_1616_1616 % (1 << 64))
FACTS = st.builds(PersonFacts, doses=st.integers(0, 2), identity=st.integers(0, 1))
STATES = st.dictionaries(KEYS, FACTS, max_size=30)


def table(folder: Path, name: str, rows: Mapping[int, Any], layout: Layout[Any]) -> Table:
    gathered = RowSet(layout)
    for key, facts in rows.items():
        gathered.add(key, layout.pack(facts))  # type: ignore[arg-type]
    write_segment(folder / name, gathered, bytes(8))
    return Table(Segment.open(folder / name))


@settings(max_examples=40)
@given(old=STATES, new=STATES, late=STATES)
def test_it_counts_what_a_dictionary_would(
    old: dict[int, PersonFacts], new: dict[int, PersonFacts], late: dict[int, PersonFacts]
) -> None:
    with TemporaryDirectory() as name:
        before = table(Path(name), "a", old, PERSONS_3)
        after = table(Path(name), "b", new, PERSONS_3)
        after = after.with_changes({key: PERSONS_3.pack(facts) for key, facts in late.items()})
        told: list[int] = []
        found = compare(before, after, told.append)
    now = new | late
    both = old.keys() & now.keys()
    changed = [key for key in both if old[key] != now[key]]
    assert (found.added, found.removed) == (len(now.keys() - both), len(old.keys() - both))
    assert (found.changed, found.same) == (len(changed), len(both) - len(changed))
    assert sum(told) == len(now)
    doses = sum(old[key].doses != now[key].doses for key in changed)
    identity = sum(old[key].identity != now[key].identity for key in changed)
    assert found.by_group["doses, product, last_dose"] == doses
    assert found.by_group["identity"] == identity


def test_rows_that_say_different_things_are_not_compared(tmp_path: Path) -> None:
    people = table(tmp_path, "a", {}, PERSONS_3)
    watched = table(tmp_path, "b", {1: WatchEntry(CredentialStatus.ACTIVE)}, WATCH_1)
    with pytest.raises(LayoutError, match="cannot be compared"):
        compare(people, watched, lambda rows: None)
