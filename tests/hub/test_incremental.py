"""Protects gates from a release that drifts: changes published one by one say what all rows do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.standing import CredentialStatus, Permit, PersonFacts, WatchEntry
from cache.replica.head import Dataset
from cache.replica.keys import hash_key_id
from cache.replica.merge import merge
from cache.replica.names import PERSONS
from cache.replica.recipe import unpack_recipe
from cache.replica.source import FileKind, path_of
from hub.following import FollowingBases
from hub.keys import HubKeys, create_keys
from hub.store.port import KnownIdentifier, Person
from hub.store.registers import PEOPLE, PERMITS, WATCH, Row
from tests.hub.hubs import FIRST, POOL, Hub
from tests.hub.released import table_of

ACTIVE, REVOKED = CredentialStatus
identifiers = st.lists(st.sampled_from(POOL), max_size=3, unique=True)
people = st.builds(
    lambda number, some, status, facts: Person(
        number, tuple(KnownIdentifier(one, status) for one in some), facts
    ),
    st.integers(0, 5),
    identifiers,
    st.sampled_from([ACTIVE, REVOKED]),
    st.builds(
        PersonFacts,
        doses=st.integers(0, 3),
        last_dose=st.sampled_from([None, date(2021, 8, 1)]),
        identity=st.integers(0, 3),
    ),
)
permits = st.builds(
    lambda key, some, hours, places: (
        PERMITS,
        Row(key, tuple(some), Permit(ACTIVE, 460_000, 460_000 + hours, places)),
    ),
    st.sampled_from("abcd"),
    identifiers,
    st.integers(1, 3),
    st.integers(0, 1),
)
watched = st.builds(
    lambda key, some, until: (WATCH, Row(key, tuple(some), WatchEntry(ACTIVE, until))),
    st.sampled_from("ab"),
    identifiers,
    st.just(None),
)
changes = st.one_of(
    st.tuples(st.just("people"), st.lists(people, min_size=1, max_size=3)),
    st.tuples(st.just("people"), st.lists(people, min_size=1, max_size=3)),
    st.tuples(st.just("row"), permits | watched),
    st.tuples(
        st.just("remove"), st.tuples(st.sampled_from([PERMITS, WATCH]), st.sampled_from("abcd"))
    ),
)
seldom = st.one_of(
    st.tuples(st.just("clear"), st.sampled_from([PERMITS, WATCH, PEOPLE])),
    st.tuples(st.just("all"), st.none()),
    st.tuples(st.just("restart"), st.booleans()),
    st.just(("few", None)),
)
waits = st.tuples(st.just("wait"), st.sampled_from([60, 3_700, 3_700, 90_000, 700_000]))
few = st.just(("few", None))
rounds = st.lists(st.tuples(changes, few, waits | changes, few, seldom), min_size=2, max_size=7)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> HubKeys:
    return create_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def few_are_many() -> Iterator[None]:
    """Make deltas and following bases of a handful of rows; leave the medium alone."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("steps", "tables", "files"):
            patch.setattr(f"hub.{module}.SMALL_BYTES", 0)
        patch.setattr("hub.steps.INLINE_BYTES", 60)
        patch.setattr("hub.steps.MAX_HOURS", 2)
        patch.setattr("cache.replica.durable.os.fsync", lambda _: None)
        yield


@settings(max_examples=30, deadline=None)
@given(rounds)
def test_changes_one_by_one_say_what_all_rows_do(
    few_are_many: None, tmp_path_factory: pytest.TempPathFactory, keys: HubKeys, drawn: Any
) -> None:
    async def run() -> None:
        hub = Hub(tmp_path_factory.mktemp("hub"), keys)
        await hub.store.put_people([FIRST])
        await hub.do("all", None)
        for what, with_ in [*chain.from_iterable(drawn), ("few", None), ("all", None)]:
            await hub.do(what, with_)

    asyncio.run(run())


ONE = Person(1, (KnownIdentifier(POOL[0]), KnownIdentifier(POOL[5])), PersonFacts(doses=1))


def changed(**facts: Any) -> Person:
    return msgspec.structs.replace(ONE, facts=msgspec.structs.replace(ONE.facts, **facts))


async def test_changes_become_deltas_deltas_a_day_and_all_of_it_the_next_base(
    few_are_many: None, tmp_path: Path, keys: HubKeys
) -> None:
    hub = Hub(tmp_path, keys)
    await hub.store.put_people([ONE, FIRST])
    await hub.do("all", None)
    first = hub.dataset(PERSONS)
    assert (first.through, first.rows, first.snapshot is not None) == (0, 2, True)
    await hub.put([changed(doses=2)])
    await hub.do("few", None)
    inline = hub.dataset(PERSONS)
    assert (inline.root, inline.through, inline.deltas) == (first.root, 1, ())
    assert len(inline.changes) == 25
    hub.clock.advance(3_700)
    await hub.release.tend(hub.clock.now())
    await hub.check()
    folded = hub.dataset(PERSONS)
    assert (folded.root, folded.through, folded.changes) == (first.root, 1, b"")
    assert [(d.after, d.through) for d in folded.deltas] == [(0, 1)]
    for doses in (3, 4, 5):
        await hub.put(
            [changed(doses=doses), Person(doses, (KnownIdentifier(POOL[doses - 1]),), ONE.facts)]
        )
        await hub.do("few", None)
        hub.clock.advance(3_700)
        # Its base is due, too, after so much: that is left undone here.
        assert PERSONS in await hub.release.tend(hub.clock.now())
        await hub.check()
    many = hub.dataset(PERSONS)
    assert [(d.after, d.through) for d in many.deltas] == [(0, 3), (3, 4)], "three became one"
    hub.clock.advance(90_000)
    await hub.release.tend(hub.clock.now())
    await hub.check()
    day = hub.dataset(PERSONS)
    assert [(d.after, d.through) for d in day.deltas] == [(0, 4)]
    await hub.release.rebase(frozenset({PERSONS}), hub.clock)
    named = hub.dataset(PERSONS)
    assert named.following is not None
    assert (named.root, named.following.through) == (first.root, 4)
    assert a_gate_makes(tmp_path, named, keys) == named.following.root
    for doses in (6, 7, 8, 9):  # until gates have made it, changes go on, and end on its number
        await hub.put([changed(doses=doses)])
        await hub.do("few", None)
        hub.clock.advance(880)
        await hub.release.tend(hub.clock.now())
    assert 4 in {d.through for d in hub.dataset(PERSONS).deltas}
    hub.clock.advance(880)
    await hub.release.tend(hub.clock.now())
    await hub.check()
    switched = hub.dataset(PERSONS)
    assert (switched.root, switched.rows) == (named.following.root, 5)
    assert (switched.following, switched.through, len(switched.changes)) == (None, 1, 25)
    assert switched.snapshot is not None


def a_gate_makes(folder: Path, dataset: Dataset, keys: HubKeys) -> bytes:
    """Return the root of what a gate makes of a base, its deltas and the recipe."""
    following = dataset.following
    assert following is not None
    replica = folder / "replica"
    recipe = unpack_recipe((replica / path_of(FileKind.RECIPE, following.recipe.name)).read_bytes())
    table = table_of(folder, dataset)
    return merge(table, recipe, folder / "next", hash_key_id(keys.hash_key)).root


async def test_a_number_whose_deltas_became_one_meanwhile_is_not_followed(
    few_are_many: None, tmp_path: Path, keys: HubKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(tmp_path, keys)
    await hub.store.put_people([ONE, FIRST])
    await hub.do("all", None)
    making = FollowingBases.made

    async def change_much() -> None:
        for doses in (4, 5, 6):
            await hub.put([changed(doses=doses)])
            await hub.release.publish_changes(hub.clock.now(), limit=10)
            hub.clock.advance(3_700)
            await hub.release.tend(hub.clock.now())

    await hub.put([changed(doses=2)])
    await hub.do("few", None)
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(
        FollowingBases,
        "made",
        lambda self, name, dataset: (
            making(self, name, dataset),
            asyncio.run_coroutine_threadsafe(change_much(), loop).result(10),
        )[0],
    )
    named = await asyncio.to_thread(hub.publisher.follow, PERSONS, hub.clock.now)
    assert not named
    dataset = hub.dataset(PERSONS)
    assert dataset.following is None
    assert 1 not in {d.through for d in dataset.deltas}
    monkeypatch.undo()
    assert await asyncio.to_thread(hub.publisher.follow, PERSONS, hub.clock.now)
    number = hub.dataset(PERSONS).through
    monkeypatch.setattr("hub.steps.SWITCH_NS", 1 << 62)
    await change_much()
    await change_much()
    ends = [d.through for d in hub.dataset(PERSONS).deltas]
    assert number in ends, "from then on, its number stays the end of a delta"
    assert len(ends) < 6
    await hub.check()


class Killed(BaseException):
    """The process is no more."""


async def test_a_publisher_killed_at_any_moment_leaves_the_old_or_the_new(
    few_are_many: None, tmp_path: Path, keys: HubKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(tmp_path, keys)
    await hub.store.put_people([ONE, FIRST])
    await hub.do("all", None)
    seen: set[tuple[bool, str]] = set()
    doses, moment, ended = 1, 0, False
    while not ended:
        for call in ("replace", "fsync"):
            doses, moment = doses % 15 + 1, moment + 1
            before = hub.publisher.published()
            await hub.put([changed(doses=doses, identity=moment)])
            with monkeypatch.context() as patch:
                ended = await killed(hub, patch, call, moment // 2)
            after = hub.publisher.published()
            assert after is not None
            if after == before:
                await hub.check(without={PEOPLE})
            else:
                await hub.check()
            seen.add((after == before, call))
            hub.restart()
            await hub.do("few", None)
            await hub.do("all", None)
            hub.clock.advance(4_000)
    assert seen == {(old, call) for old in (False, True) for call in ("replace", "fsync")}


async def killed(hub: Hub, patch: pytest.MonkeyPatch, call: str, after: int) -> bool:
    """Publish and do what is due, and die at a call of the system; return whether that was late."""
    real, left = getattr(os, call), [after]

    def die(*arguments: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return real(*arguments) if call == "replace" else None

    patch.setattr(f"cache.replica.durable.os.{call}", die)
    try:
        await hub.release.publish(hub.clock.now())
        await hub.release.rebase(await hub.release.tend(hub.clock.now()), hub.clock)
    except Killed:
        return False
    return True
