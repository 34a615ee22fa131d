"""Protects what the replica's book adds to the port: swaps, and quick answers that are right."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import Credential, CredentialKind, Holder
from admission.identity import identity_digester
from admission.standing import CredentialStatus, Lookup, PersonFacts, Release, Standing, WatchEntry
from cache.replica.alias import person_of
from cache.replica.book import ReplicaBook
from cache.replica.entries import longest
from cache.replica.layout import PERSONS_1, PERSONS_2, PERSONS_3, Layout
from cache.replica.names import ALIASES, CREDENTIALS, OFFICERS, PERMITS, PERSONS, ROSTER, WATCH
from cache.replica.segment import Segment
from cache.replica.table import Table
from tests.cache.replica.books import (
    ACTIVE,
    NOW,
    REVOKED,
    a_book,
    a_whole_book,
    a_whole_release,
    shown,
    shown_pass,
)
from tests.cache.replica.releases import HASH_KEY, document, facts_of, key_of, write
from tests.cache.replica.releases import Release as SmallRelease


def test_a_swap_changes_every_answer_after_it(tmp_path: Path) -> None:
    old, new = SmallRelease(tmp_path, 100), SmallRelease(tmp_path, 130)
    book = a_book(old)
    assert book.standing_of(shown(document(120)), NOW).lookup is Lookup.NOT_FOUND
    book.swap({PERSONS: Table(Segment.open(new.path))}, new.head(2))
    head = new.head(2)
    assert book.standing_of(shown(document(120)), NOW) == Standing(
        Lookup.FOUND,
        person_of(key_of(120)),
        PERSONS_1.unpack(PERSONS_1.pack(facts_of(120))),
        Release(2, head.issued_ns, head.expires_ns),
    )
    assert book.rows == 130


def test_a_withdrawal_known_from_elsewhere_counts(tmp_path: Path) -> None:
    book = a_whole_book(tmp_path)
    book.also_withdrawn = lambda credential, now: now == NOW
    assert book.standing_of(shown_pass(), NOW).withdrawn
    assert not book.standing_of(shown(document(1)), NOW).withdrawn, "unsigned: nothing to withdraw"
    empty = ReplicaBook(HASH_KEY)
    empty.also_withdrawn = lambda credential, now: True
    assert empty.standing_of(shown_pass(), NOW).withdrawn


BORN, NAME = date(1980, 9, 30), "NGUYEN VAN AN"


@pytest.mark.parametrize(
    ("layout", "holder", "born"),
    [
        (PERSONS_3, Holder(NAME, BORN), BORN),
        (PERSONS_3, Holder("Nguyễn Văn An", BORN), BORN),
        (PERSONS_3, None, date(1980, 1, 1)),
        (PERSONS_3, Holder(NAME, None), date(1980, 1, 1)),
        (PERSONS_3, Holder(NAME, date(1980, 9, 29)), date(1980, 1, 1)),
        (PERSONS_3, Holder("NGUYEN V** AN", BORN), date(1980, 1, 1)),
        (PERSONS_2, Holder(NAME, BORN), BORN),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_the_declared_birth_date_counts_where_it_is_the_one_on_record(
    tmp_path: Path, layout: Layout[PersonFacts], holder: Holder | None, born: date
) -> None:
    digest = identity_digester(HASH_KEY)(NAME, BORN)
    record = layout.pack(PersonFacts(born=BORN, identity=digest))
    release = SmallRelease(tmp_path, 1)
    write(release.path, {key_of(0): record}, layout)
    credential = Credential(CredentialKind.PERSONAL_QR, (document(0),), holder)
    facts = a_book(release).standing_of(credential, NOW).facts
    assert facts == PersonFacts(born=born, identity=digest)


def test_a_birth_date_in_another_year_is_not_taken_over(tmp_path: Path) -> None:
    digest = identity_digester(HASH_KEY)(NAME, BORN)
    release = SmallRelease(tmp_path, 1)
    record = PERSONS_3.pack(PersonFacts(born=date(1999, 1, 1), identity=digest))
    write(release.path, {key_of(0): record}, PERSONS_3)
    credential = Credential(CredentialKind.PERSONAL_QR, (document(0),), Holder(NAME, BORN))
    standing = a_book(release).standing_of(credential, NOW)
    assert standing.facts == PersonFacts(born=date(1999, 1, 1), identity=digest)


def test_rows_are_counted_by_kind(tmp_path: Path) -> None:
    assert set(ReplicaBook(HASH_KEY).rows_by_kind.values()) == {0}
    rows = a_whole_book(tmp_path, WATCH, lost=True).rows_by_kind
    assert rows == {
        **dict.fromkeys((PERSONS, ALIASES, PERMITS, ROSTER, OFFICERS, CREDENTIALS), 300),
        WATCH: 0,
    }


@given(
    st.lists(st.sampled_from([ACTIVE, REVOKED]), max_size=3),
    st.lists(st.none() | st.dates(), min_size=3, max_size=3),
)
def test_of_several_watch_entries_the_one_in_force_for_longest_counts(
    statuses: list[CredentialStatus], until: list[date | None]
) -> None:
    entries = [WatchEntry(s, u) for s, u in zip(statuses, until, strict=False)]
    if not entries:
        return
    picked = longest(entries)
    active = [e for e in entries if e.status is ACTIVE]
    assert picked in (active or entries)
    if active:
        assert all(
            picked.until is None or (e.until is not None and e.until <= picked.until)
            for e in active
        )


@pytest.mark.parametrize("layout", [PERSONS_1, PERSONS_3])
def test_the_ordinary_look_up_says_what_the_careful_one_says(
    tmp_path: Path, layout: Layout[PersonFacts]
) -> None:
    book = a_whole_book(tmp_path)
    assert book._open is not None
    digest = identity_digester(HASH_KEY)(NAME, BORN)
    people = {n: PersonFacts(born=BORN, district=n, identity=digest) for n in range(300)}
    write(tmp_path / "people", {key_of(n): layout.pack(f) for n, f in people.items()}, layout)
    persons = Table(Segment.open(tmp_path / "people"))
    several = {**book._open.tables, PERSONS: persons}
    for tables in (several, {PERSONS: persons}):
        book.swap(tables, a_whole_release(tmp_path).head())
        for number in (0, 7, 299, 300, 599, 600, 4_711):
            for holder in (None, Holder(NAME, BORN), Holder("LE THI BA", BORN)):
                for permits in (True, False):
                    one = Credential(CredentialKind.TYPED_CODE, (document(number),), holder)
                    careful = book._carefully(book._open, one, NOW, permits)
                    assert book.standing_of(one, NOW, permits=permits) == careful
                    assert book._open.ordinary(one, permits) == careful
