"""The examiner: reads behind the intake what was taken in, and flags what a person should see.

It rejects nothing and holds nobody up. Each step is small, and its cursor moves only once its flags
are durable: stopped anywhere, it goes on there, and what it does twice changes nothing.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from admission.instant import Instant
from hub.access import log
from hub.errors import HubError
from hub.examination.duplicates import WINDOW_MS
from hub.examination.following import Followed
from hub.examination.notebook import Cursor, Notebook
from hub.examination.people import PeopleJudge
from hub.examination.seen import see
from hub.examination.telling import sent_off, told_by
from hub.store.entries import Flag, FlagKind, JournalKey
from hub.store.examined import FlaggingStore, JournalStanding

BATCH = 200
"""Entries of one step: some 10 ms of the loop."""
SLACK_MS = 5 * 60 * 1000
"""How far two clocks of one device's journals may be apart."""
MEMORY_NS = 90 * 24 * 3600 * 1_000_000_000
"""How long it is remembered what has stood against somebody, and which entries were taken back."""

Pause = Callable[[], Awaitable[None]]


async def breathe() -> None:
    """Let everything else have its turn."""
    await asyncio.sleep(0.005)


class Examiner:
    """Examines all journals.

    :param followed: keeps up who is barred; None where that is not looked at.
    :param pause: waited for after each step, so that whatever waits for the store comes first.
    """

    def __init__(
        self,
        store: FlaggingStore,
        notebook: Notebook,
        followed: Followed | None = None,
        *,
        window_ms: int = WINDOW_MS,
        pause: Pause = breathe,
        batch: int = BATCH,
    ) -> None:
        self._store = store
        self._notebook = notebook
        self._followed = followed
        self._judge = PeopleJudge(store, notebook, window_ms)
        self._pause = pause
        self._batch = batch
        self._cursors: dict[JournalKey, Cursor] | None = None
        self.stuck: dict[JournalKey, str] = {}
        """Journals that met a fault of the examiner's own, and its kind."""
        self._told_revived: set[JournalKey] = set()
        self._looked: Instant | None = None
        self._whole_ns = 0

    async def round(self, now: Instant) -> int:
        """Examine what has come since the last round; return how many entries that was.

        :raises HubError: if the store failed; the next round goes on where this one ended.
        """
        if self._followed is not None:
            # First: what happens after a bar is known is judged by it.
            await self._followed.follow(now)
        cursors = self._cursors
        if cursors is None:
            cursors = self._cursors = await self._notebook.cursors()
        since_ns = self._since_ns(now)
        if not since_ns:
            await self._notebook.forget_before(now.wall_ns - MEMORY_NS)
        examined = 0
        moved: set[str] = set()
        for standing in await self._store.journals(since_ns=since_ns):
            before = cursors.get(standing.key, Cursor())
            try:
                after = await self._journal(standing, before, cursors, now.wall_ns)
            except HubError:
                raise
            except Exception as error:  # noqa: BLE001 what a gate wrote has met a fault of ours:
                # it must not take down the intake, nor keep other journals from being examined.
                if standing.key not in self.stuck:
                    log.exception({"event": "not examined", "device": standing.key.device})
                self.stuck[standing.key] = type(error).__name__
                continue
            self.stuck.pop(standing.key, None)
            examined += after.through - before.through
            if after is not before:
                moved.add(standing.key.device)
        of_moved = {key: c for key, c in cursors.items() if key.device in moved}
        await self._revived(of_moved, now.wall_ns)
        return examined

    def _since_ns(self, now: Instant) -> int:
        """Return since when a journal has to be looked at: since just before the last round.

        Once in a while all are, whatever the hub's clock did meanwhile.
        """
        before = self._looked
        if before is None or now.monotonic_ns - self._whole_ns >= _WHOLE_NS:
            self._looked, self._whole_ns = now, now.monotonic_ns
            return 0
        self._looked = now
        return before.wall_ns - _OVERLAP_NS

    def tallies(self) -> Mapping[str, int]:
        """Return how often what has happened, over all journals."""
        total: dict[str, int] = defaultdict(int)
        for cursor in (self._cursors or {}).values():
            for name, count in cursor.tallies.items():
                total[name] += count
        return total

    async def _journal(
        self,
        standing: JournalStanding,
        cursor: Cursor,
        cursors: dict[JournalKey, Cursor],
        now_ns: int,
    ) -> Cursor:
        while cursor.through < standing.through:
            cursor = cursors[standing.key] = await self._step(standing, cursor, now_ns)
            await self._pause()
        told, flags = sent_off(cursor, standing)
        if told is not cursor:
            await self._store.raise_flags(standing.key, flags, now_ns)
            await self._notebook.move(standing.key, told, now_ns)
            cursor = cursors[standing.key] = told
        return cursor

    async def _step(self, standing: JournalStanding, cursor: Cursor, now_ns: int) -> Cursor:
        key = standing.key
        held = await self._store.entries(key, cursor.through, limit=self._batch)
        entries = [see(key, one) for one in held if one.sequence <= standing.through]
        after, flags = told_by(cursor, entries)
        if not entries:  # whatever there was, its days were dropped
            after = msgspec.structs.replace(cursor, through=standing.through)
        if flags:
            await self._store.raise_flags(key, flags, now_ns)
        annulled = await self._judge.judge(key, entries, now_ns)
        await self._notebook.move(key, after, now_ns, annulled)
        return after

    async def _revived(self, cursors: Mapping[JournalKey, Cursor], now_ns: int) -> None:
        """Flag journals that went on after another one of their device had begun."""
        begun: dict[str, list[int]] = defaultdict(list)
        for key, cursor in cursors.items():
            if cursor.begun_ms is not None:
                begun[key.device].append(cursor.begun_ms)
        for moments in begun.values():
            moments.sort()
        for key, cursor in cursors.items():
            if cursor.begun_ms is None or cursor.ended_ms is None or key in self._told_revived:
                continue
            later = begun[key.device]
            place = bisect_right(later, cursor.begun_ms)
            if place < len(later) and cursor.ended_ms > later[place] + SLACK_MS:
                await self._store.raise_flags(key, [Flag(1, FlagKind.REVIVED)], now_ns)
                self._told_revived.add(key)


_WHOLE_NS = 60 * 1_000_000_000
_OVERLAP_NS = 10 * 1_000_000_000
