"""Keeping up who is barred since when, from the store's change log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

import msgspec

from admission.instant import Instant
from cache.replica.alias import person_of
from hub.examination.blocks import VIETNAM, Bar, KeyOf, bars_of
from hub.examination.notebook import Notebook
from hub.store.changes import ChangeLogStore
from hub.store.port import PersonStore
from hub.store.registers import PEOPLE

MAX_TOUCHED = 5_000
"""Identifiers whose changes are looked at one by one; of more, everybody is."""


class Published(msgspec.Struct, frozen=True):
    """What gates are told: the newest release, and the people's revision that it says."""

    release: int
    revision: int


class PeopleStore(PersonStore, ChangeLogStore, Protocol):
    """What is asked of the store here."""

    async def revisions(self) -> Mapping[str, int]:
        """Return the revisions of what was ever written."""
        ...


class Followed:
    """Follows the people on record.

    A bar counts from the moment it is seen here, which is within a second of the change where the
    hub runs. Whoever looks at everybody (at the first start, and after a large import) yields to
    the intake after each chunk.
    """

    def __init__(
        self,
        store: PeopleStore,
        notebook: Notebook,
        key_of: KeyOf,
        published: Callable[[], Published | None],
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._notebook = notebook
        self._key_of = key_of
        self._published = published
        self._pause = pause
        self._untold = True

    async def follow(self, now: Instant) -> None:
        """Note what has changed since the last time.

        :raises HubError: if the store failed, or the published head cannot be read.
        """
        revision = (await self._store.revisions()).get(PEOPLE, 0)
        followed = await self._notebook.followed(PEOPLE)
        if revision != followed:
            changed = None
            if followed is not None:
                changed = await self._store.changed_people(followed, limit=MAX_TOUCHED)
            if changed is None:
                await self._everybody(revision, now)
            else:
                touched = {self._key_of(identifier) for identifier in changed.touched}
                keys: set[int] = {*touched, *(person_of(key) for key in touched)}
                bars = {bar for one in changed.people for bar in bars_of(one, self._key_of)}
                # Whoever has one of the numbers now has others, too, which nobody touched.
                keys |= {bar.person for bar in bars}
                before = await self._standing(keys)
                await self._note(changed.revision, now, bars, before)
        if self._untold:
            await self._tell()

    async def _everybody(self, revision: int, now: Instant) -> None:
        bars: set[Bar] = set()
        async for chunk in self._store.people():
            for person in chunk:
                bars.update(bars_of(person, self._key_of))
            await self._pause()
        await self._note(revision, now, bars, await self._notebook.standing_bars())

    async def _standing(self, keys: Iterable[int]) -> set[Bar]:
        blocks = await self._notebook.blocks(list(keys))
        return {one.bar for some in blocks.values() for one in some if one.lifted_ns is None}

    async def _note(self, revision: int, now: Instant, bars: set[Bar], before: set[Bar]) -> None:
        today = now.date_in(VIETNAM)
        bars = {bar for bar in bars if bar.last_day is None or bar.last_day >= today}
        await self._notebook.follow(PEOPLE, revision, now.wall_ns, bars - before, before - bars)
        self._untold = True

    async def _tell(self) -> None:
        published = await asyncio.to_thread(self._published)
        followed = await self._notebook.followed(PEOPLE)
        if published is not None and followed is not None and published.revision >= followed:
            await self._notebook.told(published.release)
            self._untold = False
