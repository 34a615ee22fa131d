"""Protects what the replica's book adds to the port: damage refers, and releases are swapped."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import (
    Credential,
    CredentialKind,
    Holder,
    Pass,
    PassKind,
    Proof,
    Signature,
)
from admission.identity import Identifier, identity_digester
from admission.standing import (
    CredentialStatus,
    Lookup,
    Officer,
    Permit,
    PersonFacts,
    Release,
    RosterEntry,
    Standing,
    WatchEntry,
    Withdrawal,
)
from cache.errors import SegmentError
from cache.replica.alias import Alias, person_of
from cache.replica.book import ReplicaBook
from cache.replica.entries import longest
from cache.replica.geometry import PAGE_BYTES
from cache.replica.layout import (
    ALIASES_1,
    CREDENTIALS_1,
    OFFICERS_1,
    PERMITS_1,
    PERSONS_1,
    PERSONS_2,
    PERSONS_3,
    ROSTER_1,
    WATCH_1,
    Layout,
)
from cache.replica.names import (
    ALIASES,
    CREDENTIALS,
    OFFICERS,
    PERMITS,
    PERSONS,
    ROSTER,
    WATCH,
    kind_of,
    roster_name,
)
from cache.replica.segment import Segment
from cache.replica.table import Table
from tests.cache.replica.releases import HASH_KEY, document, facts_of, key_of, write
from tests.cache.replica.releases import Release as SmallRelease
from tests.worlds import ManualClock

NOW = ManualClock().now()
ACTIVE, REVOKED = CredentialStatus.ACTIVE, CredentialStatus.REVOKED
ROSTER_NAME = roster_name("gate-7")
A_PERMIT = Permit(ACTIVE, 453_300, 453_372)


def shown(*identifiers: Identifier) -> Credential:
    return Credential(CredentialKind.CITIZEN_CARD, identifiers)


def a_book(release: SmallRelease, sequence: int = 1) -> ReplicaBook:
    book = ReplicaBook(HASH_KEY)
    book.swap({PERSONS: Table(Segment.open(release.path))}, release.head(sequence))
    return book


@pytest.fixture
def damaged(tmp_path: Path) -> ReplicaBook:
    """A book whose first row page (about the lower 270 of 300 keys) is damaged."""
    release = SmallRelease(tmp_path, 300)
    data = bytearray(release.bytes)
    data[PAGE_BYTES + 100] ^= 4
    release.path.write_bytes(data)
    return a_book(release)


def by_key(low: bool) -> int:
    pick = min if low else max
    return pick(range(300), key=key_of)


def test_a_damaged_page_cannot_decide_and_is_counted(damaged: ReplicaBook) -> None:
    standing = damaged.standing_of(shown(document(by_key(low=True))), NOW)
    assert standing.lookup is Lookup.UNREADABLE
    assert standing.person == key_of(by_key(low=True))
    assert standing.facts is None
    assert standing.release is not None
    assert (damaged.damaged_pages, damaged.unreadable_lookups) == (1, 1)
    assert damaged.standing_of(shown(document(by_key(low=False))), NOW).lookup is Lookup.FOUND


def test_a_later_identifier_does_not_answer_for_an_unreadable_one(damaged: ReplicaBook) -> None:
    # The revocation of the first might be what the damaged page holds.
    both = shown(document(by_key(low=True)), document(by_key(low=False)))
    assert damaged.standing_of(both, NOW).lookup is Lookup.UNREADABLE


def test_a_record_without_a_meaning_cannot_decide(tmp_path: Path) -> None:
    release = SmallRelease(tmp_path, 1)
    write(release.path, {key_of(0): (3).to_bytes(10, "little")})
    assert a_book(release).standing_of(shown(document(0)), NOW).lookup is Lookup.UNREADABLE


def test_even_a_broken_segment_does_not_make_it_raise(tmp_path: Path) -> None:
    book = a_book(SmallRelease(tmp_path, 10))
    assert book._open is not None
    broken = msgspec.structs.replace(book._open.sources, people=lambda keys: 1 // 0)
    book._open = msgspec.structs.replace(
        book._open, sources=broken, ordinary=lambda shown, permits: 1 // 0
    )
    assert book.standing_of(shown(document(1)), NOW).lookup is Lookup.UNREADABLE


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


def a_whole_release(tmp_path: Path) -> SmallRelease:
    """All datasets over the same 300 people; each has the number 300 higher too."""
    others = {
        PERMITS: (PERMITS_1, dict.fromkeys(range(300), A_PERMIT)),
        ROSTER_NAME: (ROSTER_1, dict.fromkeys(range(300), RosterEntry(ACTIVE))),
        WATCH: (WATCH_1, dict.fromkeys(range(300), WatchEntry(ACTIVE))),
        OFFICERS: (OFFICERS_1, dict.fromkeys(range(300), Officer(ACTIVE, 7))),
        CREDENTIALS: (CREDENTIALS_1, dict.fromkeys(range(300), Withdrawal(ACTIVE))),
        ALIASES: (ALIASES_1, {300 + n: Alias(ACTIVE, key_of(n) >> 2) for n in range(300)}),
    }
    return SmallRelease(tmp_path, 300, others=others)


def a_whole_book(tmp_path: Path, harmed: str = "", *, lost: bool = False) -> ReplicaBook:
    """Return a book over all of it; of one dataset a page, or everything, is lost."""
    release = a_whole_release(tmp_path)
    tables: dict[str, Table | None] = {}
    for name, dataset in release.datasets.items():
        data = bytearray(release.files[dataset.name])
        if name.startswith(harmed or "?"):
            data[PAGE_BYTES + 100] ^= 4
        path = tmp_path / dataset.name
        path.write_bytes(data)
        tables[name] = None if lost and name.startswith(harmed) else Table(Segment.open(path))
    book = ReplicaBook(HASH_KEY)
    book.swap(tables, release.head())
    return book


def shown_pass() -> Credential:
    """A pass whose holder, serial and account all stand on the damaged page."""
    number = document(by_key(low=True))
    proof = Proof(Signature.VALID, withdrawn_as=(number,))
    granted = Pass(PassKind.OFFICER, b"1")
    return Credential(CredentialKind.CHOT_PASS, (number,), proof=proof, granted=granted)


@pytest.mark.parametrize("lost", [False, True], ids=["damaged", "lost"])
@pytest.mark.parametrize("kind", [PERSONS, WATCH, CREDENTIALS])
def test_without_what_could_block_nothing_is_decided(tmp_path: Path, kind: str, lost: bool) -> None:
    book = a_whole_book(tmp_path, kind, lost=lost)
    standing = book.standing_of(shown_pass(), NOW)
    assert (standing.lookup, standing.unreadable) == (Lookup.UNREADABLE, (kind,))
    assert standing.facts is None
    assert standing.roster is not None, "what could be read is told"
    assert book.unreadable_lookups == 1
    assert book.damaged_pages == (0 if lost else 1)


@pytest.mark.parametrize("lost", [False, True], ids=["damaged", "lost"])
@pytest.mark.parametrize("kind", [PERMITS, ROSTER, OFFICERS])
def test_other_datasets_that_cannot_be_read_are_named(
    tmp_path: Path, kind: str, lost: bool
) -> None:
    standing = a_whole_book(tmp_path, kind, lost=lost).standing_of(shown_pass(), NOW)
    assert (standing.lookup, standing.unreadable) == (Lookup.FOUND, (kind,))
    missing = {PERMITS: standing.permits, ROSTER: standing.roster, OFFICERS: standing.officer}
    assert [name for name, value in missing.items() if not value] == [kind]
    assert standing.rostered


def test_a_certificate_that_names_nobody_is_unreadable_with_the_withdrawals(tmp_path: Path) -> None:
    proof = Proof(Signature.VALID, withdrawn_as=(document(by_key(low=True)),))
    nameless = Credential(CredentialKind.DCC, proof=proof)
    standing = a_whole_book(tmp_path, CREDENTIALS).standing_of(nameless, NOW)
    assert (standing.lookup, standing.unreadable) == (Lookup.UNREADABLE, (CREDENTIALS,))
    sound = a_whole_book(tmp_path).standing_of(nameless, NOW)
    assert (sound.lookup, sound.unreadable) == (Lookup.NOTHING_TO_LOOK_UP, ())


def test_a_withdrawal_known_from_elsewhere_counts(tmp_path: Path) -> None:
    book = a_whole_book(tmp_path)
    book.also_withdrawn = lambda credential, now: now == NOW
    assert book.standing_of(shown_pass(), NOW).withdrawn
    assert not book.standing_of(shown(document(1)), NOW).withdrawn, "unsigned: nothing to withdraw"
    empty = ReplicaBook(HASH_KEY)
    empty.also_withdrawn = lambda credential, now: True
    assert empty.standing_of(shown_pass(), NOW).withdrawn


def test_a_defect_in_what_knows_it_decides_nothing(tmp_path: Path) -> None:
    for book in (a_whole_book(tmp_path), ReplicaBook(HASH_KEY)):
        book.also_withdrawn = lambda credential, now: bool(1 // 0)
        assert book.standing_of(shown_pass(), NOW).lookup is Lookup.UNREADABLE


@pytest.mark.parametrize("lost", [False, True], ids=["damaged", "lost"])
def test_an_alias_that_cannot_be_read_is_never_not_on_record(tmp_path: Path, lost: bool) -> None:
    book = a_whole_book(tmp_path, ALIASES, lost=lost)
    number = min(range(300, 600), key=key_of)
    standing = book.standing_of(shown(document(number)), NOW)
    assert (standing.lookup, standing.unreadable) == (Lookup.UNREADABLE, (ALIASES,))
    assert (standing.person, standing.facts) == (key_of(number), None)
    own = book.standing_of(shown(document(number - 300)), NOW)
    assert (own.lookup, own.unreadable) == (Lookup.FOUND, ()), "it needs no alias"


@pytest.mark.parametrize(
    "record",
    [
        ALIASES_1.pack(Alias(ACTIVE, key_of(9) >> 2)),
        (key_of(1) >> 2 << 2 | 2).to_bytes(8, "little"),
    ],
    ids=["nobody", "status without a meaning"],
)
def test_an_alias_that_leads_nowhere_decides_nothing(tmp_path: Path, record: bytes) -> None:
    release = SmallRelease(tmp_path, 5)
    write(tmp_path / "aliases", {key_of(7): record}, ALIASES_1)
    book = ReplicaBook(HASH_KEY)
    tables = {
        PERSONS: Table(Segment.open(release.path)),
        ALIASES: Table(Segment.open(tmp_path / "aliases")),
    }
    book.swap(tables, release.head())
    for numbers in ((7,), (1, 7), (7, 1)):
        standing = book.standing_of(shown(*map(document, numbers)), NOW)
        assert (standing.lookup, standing.unreadable) == (Lookup.UNREADABLE, (ALIASES,))
        assert standing.facts is None


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


def opened(path: Path, data: bytes) -> Table | None:
    """Return the segment of these bytes, or None: what the store makes of one it cannot open."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    try:
        return Table(Segment.open(path))
    except SegmentError:
        return None


def test_no_flipped_bit_in_any_dataset_gives_a_wrong_answer(tmp_path: Path) -> None:
    release, draw = a_whole_release(tmp_path), random.Random(7)
    files = {name: release.files[dataset.name] for name, dataset in release.datasets.items()}
    sound = {name: opened(tmp_path / "sound", data) for name, data in files.items()}
    people = [shown_pass(), shown(document(11)), shown(document(4_711), document(550))]
    book = ReplicaBook(HASH_KEY)
    book.swap(sound, release.head())
    expected = [book.standing_of(person, NOW) for person in people]
    unreadable = 0
    for name, data in files.items():
        for at in [draw.randrange(len(data)) for _ in range(20)]:
            flipped = bytearray(data)
            flipped[at] ^= 1 << draw.randrange(8)
            book.swap({**sound, name: opened(tmp_path / "flipped", flipped)}, release.head())
            for person, answer in zip(people, expected, strict=True):
                standing = book.standing_of(person, NOW)
                assert standing == answer or standing.unreadable == (kind_of(name),)
                unreadable += bool(standing.unreadable)
    assert unreadable > 100
