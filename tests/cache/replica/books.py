"""Books over small releases, of which a page or a whole dataset may be lost."""

from __future__ import annotations

from pathlib import Path

from admission.credential import Credential, CredentialKind, Pass, PassKind, Proof, Signature
from admission.identity import Identifier
from admission.standing import (
    CredentialStatus,
    Officer,
    Permit,
    RosterEntry,
    WatchEntry,
    Withdrawal,
)
from cache.replica.alias import Alias
from cache.replica.book import ReplicaBook
from cache.replica.geometry import PAGE_BYTES
from cache.replica.layout import ALIASES_1, CREDENTIALS_1, OFFICERS_1, PERMITS_1, ROSTER_1, WATCH_1
from cache.replica.names import ALIASES, CREDENTIALS, OFFICERS, PERMITS, PERSONS, WATCH, roster_name
from cache.replica.segment import Segment
from cache.replica.table import Table
from tests.cache.replica.releases import HASH_KEY, document, key_of
from tests.cache.replica.releases import Release as SmallRelease
from tests.worlds import ManualClock

NOW = ManualClock().now()
ACTIVE, REVOKED = CredentialStatus.ACTIVE, CredentialStatus.REVOKED
ROSTER_NAME = roster_name("gate-7")
A_PERMIT = Permit(ACTIVE, 453_300, 453_372)


def shown(*identifiers: Identifier) -> Credential:
    return Credential(CredentialKind.CITIZEN_CARD, identifiers)


def a_book(release: SmallRelease, sequence: int = 1) -> ReplicaBook:
    """Return a book over the people of a release."""
    book = ReplicaBook(HASH_KEY)
    book.swap({PERSONS: Table(Segment.open(release.path))}, release.head(sequence))
    return book


def by_key(low: bool) -> int:
    """Return the number, below 300, of the person whose key is the lowest or the highest."""
    pick = min if low else max
    return pick(range(300), key=key_of)


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
