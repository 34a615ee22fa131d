"""Protects the fast reading of people's rows: it says what their layout says, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from admission.standing import PersonFacts
from cache.errors import LayoutError
from cache.replica.alias import led_to
from cache.replica.layout import ALIASES_1, PERSONS_3
from cache.replica.person_row import record_reader
from tests.cache.replica import records

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
