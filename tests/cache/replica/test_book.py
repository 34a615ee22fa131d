"""What the replica's book adds to the Book port: damage refers, and releases are swapped."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from admission.credential import Credential, CredentialKind
from admission.identity import Identifier
from admission.standing import Lookup, Release, Standing
from cache.replica.book import ReplicaBook
from cache.replica.geometry import PAGE_BYTES
from cache.replica.layout import PERSONS_1
from cache.replica.names import PERSONS
from cache.replica.segment import Segment
from tests.cache.replica.releases import HASH_KEY, document, facts_of, key_of, write
from tests.cache.replica.releases import Release as SmallRelease
from tests.worlds import ManualClock

NOW = ManualClock().now()


def shown(*identifiers: Identifier) -> Credential:
    return Credential(CredentialKind.CITIZEN_CARD, identifiers)


def a_book(release: SmallRelease, sequence: int = 1) -> ReplicaBook:
    book = ReplicaBook(HASH_KEY)
    book.swap({PERSONS: Segment.open(release.path)}, release.head(sequence))
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
    book._open = msgspec.structs.replace(book._open, persons=lambda keys: 1 // 0)
    assert book.standing_of(shown(document(1)), NOW).lookup is Lookup.UNREADABLE


def test_a_swap_changes_every_answer_after_it(tmp_path: Path) -> None:
    old, new = SmallRelease(tmp_path, 100), SmallRelease(tmp_path, 130)
    book = a_book(old)
    assert book.standing_of(shown(document(120)), NOW).lookup is Lookup.NOT_FOUND
    book.swap({PERSONS: Segment.open(new.path)}, new.head(2))
    head = new.head(2)
    assert book.standing_of(shown(document(120)), NOW) == Standing(
        Lookup.FOUND,
        key_of(120),
        PERSONS_1.unpack(PERSONS_1.pack(facts_of(120))),
        Release(2, head.issued_ns, head.expires_ns),
    )
    assert book.rows == 130
