"""The ordinary look-up: an unsigned code with one number, and nothing that cannot be read.

Says what `ReplicaBook` says of it number by number and dataset by dataset, in two thirds of the
time. What fails here is asked again there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from admission.credential import Credential
from admission.identity import Identifier, PersonKey
from admission.standing import (
    Lookup,
    Permit,
    Release,
    RosterEntry,
    Standing,
    WatchEntry,
)
from cache.replica.alias import PERSON_MASK
from cache.replica.entries import longest, strictest
from cache.replica.people import Compared, FactsOf, PeopleReader
from cache.replica.reading import Reader

Ordinary = Callable[[Credential, bool], Standing | None]
"""From a credential, and whether permits are asked for, to its standing. None = not ordinary."""


class Sources(msgspec.Struct, frozen=True):
    """What of one release look-ups ask. None = the release has no such dataset.

    `aliased` says whether people may be found by `people` who have no record under the key itself.
    """

    release: Release
    key_of: Callable[[Identifier], PersonKey]
    facts_of: FactsOf
    people: PeopleReader
    aliased: bool
    compared: Compared
    permits: Reader | None
    roster: Reader | None
    watch: Reader | None
    rostered: bool


def ordinary_reader(sources: Sources) -> Ordinary:
    """Return the look-up. It raises where anything that it asks cannot be read."""
    release, key_of, facts_of = sources.release, sources.key_of, sources.facts_of
    others = sources.people if sources.aliased else None
    compared, rostered = sources.compared, sources.rostered
    beside = _beside(sources) if sources.permits or sources.roster or sources.watch else None
    found, not_found, mask = Lookup.FOUND, Lookup.NOT_FOUND, PERSON_MASK

    def standing_of(credential: Credential, permits: bool) -> Standing | None:
        identifiers = credential.identifiers
        if len(identifiers) != 1 or credential.proof is not None or credential.granted is not None:
            return None
        key = person = key_of(identifiers[0])
        facts, differs = facts_of(key), False
        if facts is not None:
            person = key & mask  # type: ignore[assignment]  # a call of the type would be felt
        elif others is not None:
            people = others((key,))
            if people is not None:
                _, person, facts, _ = people
        if facts is not None and credential.holder is not None and facts.identity:
            facts, differs = compared(facts, credential.holder)
        lookup = not_found if facts is None else found
        if beside is None:
            return Standing(lookup, person, facts, release, False, differs)
        held, entry, watched = beside((key,), permits)
        return Standing(
            lookup,
            person,
            facts,
            release,
            False,
            differs,
            False,
            held,
            entry,
            rostered,
            watched,
        )

    return standing_of


def _beside(
    sources: Sources,
) -> Callable[
    [Sequence[PersonKey], bool], tuple[tuple[Permit, ...], RosterEntry | None, WatchEntry | None]
]:
    """Return the look-up in all datasets but people's."""
    permits_of, roster_of, watch_of = sources.permits, sources.roster, sources.watch

    def read(
        keys: Sequence[PersonKey], permits: bool
    ) -> tuple[tuple[Permit, ...], RosterEntry | None, WatchEntry | None]:
        held: Sequence[Any] = permits_of(keys) if permits and permits_of is not None else ()
        listed: Sequence[Any] = roster_of(keys) if roster_of is not None else ()
        watched: Sequence[Any] = watch_of(keys) if watch_of is not None else ()
        return (
            tuple(held) if held else (),
            strictest(listed) if listed else None,
            longest(watched) if watched else None,
        )

    return read
