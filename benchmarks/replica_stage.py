"""What the replica's benchmark plays on: a population in files, real numbers among it, its day.

The people lie in two mapped files of the scratch folder, so that a hundred million of them take
address space and not memory. Only the people who are looked up have real identifiers: their keys
are those of hashed numbers, everybody else's are drawn as if they were.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from admission.credential import Credential, CredentialKind, Holder
from admission.identity import Identifier, IdentifierKind, person_keyer
from admission.instant import ClockTrust, Instant
from benchmarks.errors import NoRoomError
from benchmarks.population import FULL_BITS, KEPT_BITS, Keys, Population, Words
from cache.replica.head import Head
from cache.replica.keys import hash_key_id

HASH_KEY = bytes(range(32))
KEY_ID = hash_key_id(HASH_KEY)
NOW = Instant(1_631_116_800_000_000_000, 1, "bench", ClockTrust.SYNCHRONISED)
"""The population's evening, 23:00 in Vietnam."""
HEAD = Head(1, NOW.wall_ns, NOW.wall_ns + 1, 2, KEY_ID, {}, {})
PEER_CHUNK = 500_000
SAMPLED = 100_000
"""People who are looked up, at most."""
_SPARE = FULL_BITS - KEPT_BITS
_OURS_BYTES, _PEERS_BYTES = 90, 70
"""Of the scratch folder, a person: population, two bases, one rebuilt, a snapshot; SQLite, LMDB."""


class Stage(msgspec.Struct, frozen=True):
    """People by key, and those who are looked up, in the order in which they are."""

    folder: Path
    people: int
    keys: Keys
    words: Words
    known: list[Identifier]
    known_keys: list[int]
    strangers: list[Identifier]

    def chunks(self, progress: Callable[[float], None]) -> Iterator[tuple[Keys, Words]]:
        """Yield everybody, half a million at a time."""
        for at in range(0, self.people, PEER_CHUNK):
            yield self.keys[at : at + PEER_CHUNK], self.words[at : at + PEER_CHUNK]
            progress(min(1.0, (at + PEER_CHUNK) / self.people))


def require_room(folder: Path, people: int, *, peers: bool) -> None:
    """Refuse a run that would fill the medium.

    :raises NoRoomError: if its scratch files may not fit.
    """
    needed = people * (_OURS_BYTES + _PEERS_BYTES * peers) + (64 << 20)
    free = shutil.disk_usage(folder).free
    if free < needed:
        msg = f"{folder} has {free / 1e9:.1f} GB free, the run writes up to {needed / 1e9:.1f} GB"
        raise NoRoomError(msg, hint="name another folder with --folder, or measure with --no-peers")


def set_stage(folder: Path, people: int, progress: Callable[[float], None]) -> Stage:
    """Draw the population into files of `folder`.

    :param progress: called with the share that is done.
    """
    known, known_keys = _numbered(min(people, SAMPLED))
    keys = np.memmap(folder / "keys", np.uint64, "w+", shape=(people,))
    words = np.memmap(folder / "words", np.uint64, "w+", shape=(people, 2))
    at = 0
    for some, facts in Population(people, planted=tuple(known_keys)).chunks():
        keys[at : at + len(some)], words[at : at + len(some)] = some, facts
        at += len(some)
        progress(at / people)
    strangers = [_number(SAMPLED * 10 + number) for number in range(len(known))]
    return Stage(folder, people, keys, words, known, known_keys, strangers)


def card(identifier: Identifier, holder: Holder | None = None) -> Credential:
    """Return an unsigned code with one number: a citizen card's."""
    return Credential(CredentialKind.CITIZEN_CARD, (identifier,), holder)


def _numbered(count: int) -> tuple[list[Identifier], list[int]]:
    key_of, taken = person_keyer(HASH_KEY), dict[int, tuple[Identifier, int]]()
    number = 0
    while len(taken) < count:
        identifier = _number(number)
        key = key_of(identifier)
        taken.setdefault(key >> _SPARE, (identifier, key))
        number += 1
    return [identifier for identifier, _ in taken.values()], [key for _, key in taken.values()]


def _number(number: int) -> Identifier:
    return Identifier(IdentifierKind.DOCUMENT, f"079{number:09d}")
