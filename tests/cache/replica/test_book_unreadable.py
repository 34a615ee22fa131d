"""Protects that what cannot be read decides nothing that it could have decided, and is named."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest

from admission.credential import Credential, CredentialKind, Proof, Signature
from admission.standing import Lookup
from cache.errors import SegmentError
from cache.replica.alias import Alias
from cache.replica.book import ReplicaBook
from cache.replica.geometry import PAGE_BYTES
from cache.replica.layout import ALIASES_1
from cache.replica.names import (
    ALIASES,
    CREDENTIALS,
    OFFICERS,
    PERMITS,
    PERSONS,
    ROSTER,
    WATCH,
    kind_of,
)
from cache.replica.segment import Segment
from cache.replica.table import Table
from tests.cache.replica.books import (
    ACTIVE,
    NOW,
    a_book,
    a_whole_book,
    a_whole_release,
    by_key,
    shown,
    shown_pass,
)
from tests.cache.replica.releases import HASH_KEY, document, key_of, write
from tests.cache.replica.releases import Release as SmallRelease


@pytest.fixture
def damaged(tmp_path: Path) -> ReplicaBook:
    """A book whose first row page (about the lower 270 of 300 keys) is damaged."""
    release = SmallRelease(tmp_path, 300)
    data = bytearray(release.bytes)
    data[PAGE_BYTES + 100] ^= 4
    release.path.write_bytes(data)
    return a_book(release)


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
