"""Strategies for what each layout's records say: every value that has a place there."""

from __future__ import annotations

from datetime import date

import msgspec
from hypothesis import strategies as st

from admission.hours import EVERY_DAY, Hours
from admission.standing import (
    CredentialStatus,
    Officer,
    Permit,
    PersonFacts,
    Product,
    RosterEntry,
    TestResult,
    WatchEntry,
    Withdrawal,
)
from cache.replica.alias import Alias

FIRST_H, LAST_H = 438_288, 438_287 + (1 << 18) - 1
"""2020-01-01T00Z and 2049-11-26T14Z."""

statuses = st.sampled_from(CredentialStatus)
dates = st.dates(date(2020, 1, 1), date(2042, 6, 4))
some_hour = st.integers(FIRST_H, LAST_H)
districts = st.integers(0, 16_383)
hours = st.builds(Hours, st.integers(0, 1_439), st.integers(0, 1_440), st.integers(1, EVERY_DAY))

facts_1 = st.builds(
    PersonFacts,
    status=statuses,
    doses=st.integers(0, 15),
    product=st.sampled_from(Product),
    last_dose=st.none() | dates,
    recovered=st.none() | dates,
    born=st.none() | st.dates(date(1900, 1, 1), date(2079, 6, 6)),
    vulnerable=st.booleans(),
    isolation_until=st.none() | dates,
    district=districts,
)
facts_2 = st.builds(
    lambda first, rest: PersonFacts(
        *[getattr(first, n) for n in first.__struct_fields__[:9]], *rest
    ),
    facts_1,
    st.tuples(
        st.none() | some_hour,
        st.sampled_from(TestResult),
        st.none() | some_hour,
        st.booleans(),
        st.booleans(),
        st.integers(0, 65_535),
    ),
)
facts_3 = st.builds(
    lambda facts, year: msgspec.structs.replace(
        facts, born=None if year is None else date(year, 1, 1)
    ),
    facts_2,
    st.none() | st.integers(1870, 2124),
)
aliases = st.builds(Alias, statuses, st.integers(0, (1 << 62) - 1))
withdrawals = st.builds(Withdrawal, statuses, st.none() | some_hour)
permits = st.builds(
    Permit,
    statuses,
    some_hour,
    some_hour,
    st.integers(0, 32_767),
    districts,
    st.none() | hours,
)
roster_entries = st.builds(
    RosterEntry, statuses, st.none() | dates, st.none() | dates, st.none() | hours
)
watch_entries = st.builds(WatchEntry, statuses, st.none() | dates)
officers = st.builds(Officer, statuses, st.integers(0, (1 << 27) - 1), st.none() | dates, districts)
