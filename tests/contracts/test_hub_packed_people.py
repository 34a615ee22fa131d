"""Protects the way of reading everybody at once from saying anything else than the record does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.identity import Identifier, IdentifierKind, hashed
from admission.standing import CredentialStatus, PersonFacts, Product, TestResult
from cache.errors import LayoutError
from cache.replica.layout import PERSONS_3
from hub.store.packed import pack_people
from hub.store.port import KnownIdentifier, Person, Store
from hub.store.sqlite import open_store, packed

LAST_DAY, LAST_HOUR = date(2042, 6, 4), 700_430
days = st.none() | st.dates(date(2020, 1, 1), LAST_DAY)
hours = st.none() | st.integers(438_288, LAST_HOUR)
facts = st.builds(
    PersonFacts,
    doses=st.integers(0, 15),
    product=st.sampled_from(Product),
    last_dose=days,
    recovered=days,
    born=st.none() | st.dates(date(1870, 1, 1), date(2124, 12, 31)),
    vulnerable=st.booleans(),
    isolation_until=days,
    district=st.integers(0, 16_383),
    tested_h=hours,
    test_result=st.sampled_from(TestResult),
    declared_h=hours,
    symptoms=st.booleans(),
    exposure=st.booleans(),
    identity=st.integers(0, 65_535),
)
values = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
known = st.builds(
    KnownIdentifier,
    st.builds(Identifier, st.sampled_from(IdentifierKind), values),
    st.sampled_from(CredentialStatus),
)
numbers = st.integers(0, 20) | st.integers(0, (1 << 63) - 1)
everybody = st.lists(
    st.tuples(numbers, st.lists(known, max_size=3), facts), max_size=8, unique_by=lambda one: one[0]
)


def different(drawn: Sequence[tuple[int, list[KnownIdentifier], PersonFacts]]) -> list[Person]:
    """Return people none of whom has another's number."""
    taken: set[Identifier] = set()
    people = []
    for number, some, one in sorted(drawn, key=lambda person: person[0]):
        mine = {k.identifier: k for k in some if k.identifier not in taken}
        taken |= mine.keys()
        people.append(Person(number, tuple(mine.values()), one))
    return people


async def columns(store: Store) -> list[tuple[Any, ...]]:
    found = []
    async for chunk in store.packed_people():
        for owner, further, status, one in zip(
            chunk.owners, chunk.further, chunk.statuses, chunk.identifiers, strict=True
        ):
            words = tuple(chunk.words[owner].tolist())
            found.append((one, words, bool(further), int(status)))
    return sorted(found)


def expected(people: list[Person]) -> list[tuple[Any, ...]]:
    said = []
    for person in people:
        record = int.from_bytes(PERSONS_3.pack(person.facts), "little")
        words = (record & (1 << 64) - 1, record >> 64)
        for place, one in enumerate(person.identifiers):
            said.append((hashed(one.identifier), words, place > 0, int(one.status)))
    return sorted(said)


@settings(max_examples=60, deadline=None)
@given(everybody)
async def test_columns_say_what_the_record_says(
    tmp_path_factory: pytest.TempPathFactory, drawn: Any
) -> None:
    people = different(drawn)
    async with open_store(tmp_path_factory.mktemp("store") / "hub.db") as store:
        await store.put_people(people)
        assert await columns(store) == expected(people)


async def test_people_come_in_steps_that_lose_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "pack_people", None)  # which is the slow way
    people = [
        Person(
            number * 3,
            tuple(
                KnownIdentifier(Identifier(IdentifierKind.QID, f"{number}/{place}"))
                for place in range(number % 4)
            ),
            PersonFacts(doses=number % 16),
        )
        for number in range(100)
    ]
    async with open_store(tmp_path / "hub.db") as store:
        await store.put_people(people)
        async with store._connection.transaction(write=False) as raw:
            after, steps = -1, []
            while chunk := await packed.read(raw, after, limit=7):
                steps.append(chunk[0])
                after = chunk[1]
    assert [len(step.words) for step in steps] == [7] * 14 + [2]
    assert sum(len(step.identifiers) for step in steps) == sum(n % 4 for n in range(100))
    whole = pack_people(people)
    assert np.concatenate([step.words for step in steps]).tolist() == whole.words.tolist()


@pytest.mark.parametrize(
    "unfit",
    [
        {"doses": 16},
        {"doses": -1},
        {"district": 16_384},
        {"identity": 65_536},
        {"last_dose": date(2019, 12, 31)},
        {"recovered": LAST_DAY + timedelta(1)},
        {"born": date(1869, 12, 31)},
        {"born": date(2125, 1, 1)},
        {"tested_h": 438_287},
        {"declared_h": LAST_HOUR + 1},
    ],
    ids=str,
)
async def test_what_does_not_fit_is_refused(store: Store, unfit: dict[str, Any]) -> None:
    one = KnownIdentifier(Identifier(IdentifierKind.QID, "1"))
    await store.put_people([Person(1, (one,), PersonFacts(**unfit))])
    with pytest.raises(LayoutError):
        await columns(store)
