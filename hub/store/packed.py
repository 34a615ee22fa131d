"""People as columns: what the publisher reads when it reads everybody. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from admission.identity import hashed
from admission.standing import CredentialStatus
from cache.replica.layout import PERSONS_3

if TYPE_CHECKING:
    from hub.store.port import Person

WORDS = PERSONS_3.record_bytes // 8
_AT_ONCE = 8_192


class PackedPeople(msgspec.Struct, frozen=True):
    """Some people, by number, and their identifiers, each person's in their order.

    `words` are the records in layout `PERSONS_3`, two words each, with the status left zero: the
    state belongs to each identifier. `identifiers` are in the form of `identity.hashed`; `owners`
    are whose they are, as a row of `words`; `further` is false for a person's first identifier.
    """

    words: NDArray[np.uint64]
    identifiers: Sequence[bytes]
    owners: NDArray[np.int64]
    further: NDArray[np.bool_]
    statuses: NDArray[np.uint8]


def pack_people(people: Sequence[Person]) -> PackedPeople:
    """Return these people as columns.

    :raises LayoutError: if somebody's facts do not fit the layout.
    """
    records = b"".join(
        PERSONS_3.pack(msgspec.structs.replace(p.facts, status=CredentialStatus.ACTIVE))
        for p in people
    )
    known = [
        (owner, place > 0, one)
        for owner, person in enumerate(people)
        for place, one in enumerate(person.identifiers)
    ]
    return PackedPeople(
        np.frombuffer(records, "<u8").astype(np.uint64).reshape(-1, WORDS),
        [hashed(one.identifier) for _, _, one in known],
        np.array([owner for owner, _, _ in known], np.int64),
        np.array([further for _, further, _ in known], np.bool_),
        np.array([int(one.status) for _, _, one in known], np.uint8),
    )


def pack_all(people: Iterable[Person]) -> Iterator[PackedPeople]:
    """Yield people as columns, thousands at a time.

    Drawing raises `LayoutError` as `pack_people` does.
    """
    rest = iter(people)
    while some := list(islice(rest, _AT_ONCE)):
        yield pack_people(some)
