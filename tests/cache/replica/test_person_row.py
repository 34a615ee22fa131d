"""Protects the fast reading of people's rows: it says what their layout says, and no more."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.standing import PersonFacts
from cache.errors import DamagedPage, LayoutError
from cache.replica.alias import led_to
from cache.replica.layout import ALIASES_1, PERSONS_3
from cache.replica.lookup import DAMAGED
from cache.replica.person_row import facts_finder, record_reader
from cache.replica.table import Table
from tests.cache.replica import records
from tests.cache.replica.tables import delta_file, read, segment_of

READ = record_reader()


def told(read: Callable[[bytes], Any], record: bytes) -> Any:
    """Return what a record says, or None where it says nothing."""
    try:
        return read(record)
    except (LayoutError, LookupError):
        return None


@given(records.facts_2)
def test_a_record_says_the_same_at_first_and_once_its_values_were_met(facts: PersonFacts) -> None:
    record = PERSONS_3.pack(facts)
    assert READ(record) == READ(record) == PERSONS_3.unpack(record)


@given(st.binary(min_size=16, max_size=16))
def test_what_means_nothing_in_the_layout_means_nothing_here(record: bytes) -> None:
    assert told(READ, record) == told(READ, record) == told(PERSONS_3.unpack, record)


@given(st.binary(min_size=8, max_size=8))
def test_an_alias_leads_where_its_layout_says(record: bytes) -> None:
    alias = told(ALIASES_1.unpack, record)
    assert told(led_to, record) == (None if alias is None else (alias.key, alias.status))


KEYS = [n * 0x9E37_79B9_7F4A_7C15 % 2**64 for n in range(1, 40)]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_the_quick_look_up_says_what_the_table_says(data: st.DataObject) -> None:
    records_of = st.builds(PERSONS_3.pack, records.facts_2)
    base = data.draw(st.dictionaries(st.sampled_from(KEYS), records_of, max_size=30))
    said = data.draw(st.dictionaries(st.sampled_from(KEYS), st.none() | records_of, max_size=9))
    latest = data.draw(st.dictionaries(st.sampled_from(KEYS), st.none() | records_of, max_size=4))
    with tempfile.TemporaryDirectory() as folder:
        segment = segment_of(Path(folder), base, PERSONS_3)
    plain = Table(segment)
    delta = read(delta_file(plain, said, 10, sorted(base)), plain, 10)
    for table in (plain, plain.with_deltas([delta], {}), plain.with_deltas([delta], latest)):
        facts_of = facts_finder(table)
        for key in KEYS * 3:
            record = table.find(key)
            assert facts_of(key) == (None if record is None else PERSONS_3.unpack(record))


@given(st.lists(st.builds(PERSONS_3.pack, records.facts_2), min_size=2, max_size=9))
def test_a_damaged_page_is_unreadable_until_the_end(packed: list[bytes]) -> None:
    keys = KEYS[: len(packed)]
    with tempfile.TemporaryDirectory() as folder:
        segment = segment_of(Path(folder), dict(zip(keys, packed, strict=True)), PERSONS_3)
    facts_of = facts_finder(Table(segment))
    assert [facts_of(key) for key in keys] == [PERSONS_3.unpack(record) for record in packed]
    segment.mapped.pages[0] = DAMAGED
    segment.forget_checks()
    for key in keys:
        with pytest.raises(DamagedPage):
            facts_of(key)
