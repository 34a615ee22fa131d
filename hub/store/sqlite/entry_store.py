"""The entries' part of the store port: entries.db, and one SQLite file a day.

What writes has a thread and connections of its own, and so has what reads: a search over days holds
up no upload. Neither touches hub.db, so that a long import holds up none either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from hub.errors import StoreError
from hub.store.entries import (
    Added,
    Day,
    Decoded,
    EntryCount,
    Flag,
    FlagKind,
    Held,
    JournalKey,
    Offer,
    Watermark,
)
from hub.store.examined import (
    Conflict,
    HeldEntry,
    HeldSpan,
    JournalStanding,
    PlacedEntry,
    RaisedFlag,
)
from hub.store.marks import MarkedEntry, MarkKind
from hub.store.sqlite import adding, dropping, flagging, looking, moving, opening
from hub.store.sqlite.entries_file import Entries, EntriesThread


class SqliteEntryStore:
    """Stands behind `hub.store.entries.EntryStore`, `MarkStore` and `ExaminedStore`.

    :param database: hub.db. The entries lie beside it; those of an earlier version, in it.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._writer = EntriesThread(database.parent, write=True)
        self._reader = EntriesThread(database.parent, write=False)
        self._settling = asyncio.Lock()
        self._settled = False

    async def close_entries(self) -> None:
        """Let go of the files and threads."""
        await self._reader.close()
        await self._writer.close()

    async def settle_entries(self) -> None:
        """Move what an earlier version has left, before anything else is done. Safe to repeat.

        What a crash has interrupted is brought to its end, too: who only reads sees it as well.

        :raises StoreError: if that failed; what was there stays.
        """
        async with self._settling:
            if not self._settled:
                await self._writer.work(self._settle)
                self._settled = True

    def _settle(self, entries: Entries) -> None:
        moving.move(entries, self._database)
        with entries.writing():
            pass

    async def add_entries(self, offers: Sequence[Offer]) -> Sequence[Added]:
        """Keep entries; see the port."""
        return await (await self._write()).write(adding.add_all, offers)

    async def watermark(self, key: JournalKey) -> Watermark:
        """Return how far a journal is held."""
        return await (await self._write()).read(looking.watermark, key)

    async def session_before(self, key: JournalKey, sequence: int) -> tuple[int, bytes] | None:
        """Return the last held session record before a sequence; see the port."""
        return await (await self._write()).read(looking.session_before, key, sequence)

    async def held(self, key: JournalKey, sequences: Collection[int]) -> Mapping[int, Held]:
        """Return what is held under some of the sequences."""
        return await (await self._read()).read(looking.held, key, sequences)

    async def raise_flags(self, key: JournalKey, flags: Iterable[Flag], raised_ns: int) -> None:
        """Keep flags; see the port."""
        await (await self._write()).write(flagging.raise_flags, key, list(flags), raised_ns)

    async def lower_flags(self, key: JournalKey, flags: Collection[tuple[int, FlagKind]]) -> None:
        """Take back flags, as far as they are raised."""
        await (await self._write()).write(flagging.lower_flags, key, flags)

    async def flags(self, key: JournalKey) -> Sequence[Flag]:
        """Return a journal's flags in order."""
        return await (await self._read()).read(flagging.flags, key)

    async def flags_at(self, key: JournalKey, sequences: Collection[int]) -> Sequence[Flag]:
        """Return the flags of a few entries."""
        return await (await self._read()).read(flagging.flags_at, key, sequences)

    async def all_flags(
        self,
        *,
        kind: FlagKind | None = None,
        device: str | None = None,
        since_ns: int = 0,
        limit: int,
    ) -> Sequence[RaisedFlag]:
        """Return flags of all journals, the last raised first."""
        reader = await self._read()
        return await reader.read(
            flagging.all_flags, kind=kind, device=device, since_ns=since_ns, limit=limit
        )

    async def flag_counts(self) -> Mapping[FlagKind, int]:
        """Return how many flags are raised, by kind."""
        return await (await self._read()).read(flagging.flag_counts)

    async def conflicts(self, key: JournalKey, after: int, *, limit: int) -> Sequence[Conflict]:
        """Return what was offered beside held entries after a sequence, ascending."""
        return await (await self._read()).read(flagging.conflicts, key, after, limit=limit)

    async def count(self, device: str) -> EntryCount:
        """Return how much of one device is held."""
        return await (await self._read()).read(looking.count, device)

    async def marked(
        self, kind: MarkKind, *, since_ns: int = 0, site: str | None = None, limit: int
    ) -> Sequence[MarkedEntry]:
        """Return the newest entries with this mark; see the port."""
        reader = await self._read()
        return await reader.read(looking.marked, kind, since_ns=since_ns, site=site, limit=limit)

    async def journals(self, *, since_ns: int = 0) -> Sequence[JournalStanding]:
        """Return the journals that were heard of since."""
        return await (await self._read()).read(looking.journals, since_ns)

    async def entries(self, key: JournalKey, after: int, *, limit: int) -> Sequence[HeldEntry]:
        """Return a journal's next held entries after a sequence, by its spans; see the port."""
        return await (await self._read()).read(looking.entries, key, after, limit=limit)

    async def spans(self, key: JournalKey, after: int, *, limit: int) -> Sequence[HeldSpan]:
        """Return a journal's spans that end after a sequence, ascending."""
        return await (await self._read()).read(looking.held_spans, key, after, limit=limit)

    async def lying(self, day: int) -> Mapping[JournalKey, int]:
        """Return how many entries of whom lie in a day, noted in spans or not."""
        return await (await self._read()).read(looking.lying, day)

    async def passages_of(
        self, people: Collection[int], from_ns: int, until_ns: int, *, limit: int
    ) -> Sequence[PlacedEntry]:
        """Return entries of these people; see the port.

        Looked for in the days of the window and those beside it: an entry whose own time was not
        believed lies in the day of its receipt.
        """
        reader = await self._read()
        return await reader.read(looking.passages_of, people, from_ns, until_ns, limit=limit)

    async def redecode(self, key: JournalKey, decoded: Sequence[tuple[int, Decoded]]) -> None:
        """Fill the columns and marks of held entries that were read again."""
        await (await self._write()).write(looking.redecode, key, decoded)

    async def days(self) -> Sequence[Day]:
        """Return the days that hold entries, ascending."""
        return await (await self._read()).read(dropping.listed)

    async def drop_days(self, before: int) -> Sequence[Day]:
        """Drop every day before this one; see the port."""
        writer = await self._write()
        try:
            dropped = await writer.write(dropping.mark, before)
        except StoreError as error:
            if not opening.is_full(error):
                raise
            # Not even the decision can be noted. The files can go before it: they are due, and what
            # is known of them goes as soon as there is room, now or at the next turn.
            due = [day.day for day in await self.days() if day.day < before]
            await self._reader.work(lambda entries: entries.days.close())  # or they keep their room
            await writer.work(partial(_remove_files, due))
            dropped = await writer.write(dropping.mark, before)
        if dropped:
            await writer.write(dropping.finish)
        return dropped

    async def _write(self) -> EntriesThread:
        if not self._settled:
            await self.settle_entries()
        return self._writer

    async def _read(self) -> EntriesThread:
        if not self._settled:
            await self.settle_entries()
        return self._reader


def _remove_files(days: Iterable[int], entries: Entries) -> None:
    for day in days:
        entries.days.drop(day)
