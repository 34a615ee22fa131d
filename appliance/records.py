"""What happened here, put together: the journal, its watermark, and the way up to the hub."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from appliance.clock import SystemClock
from appliance.journal_keeping import JournalKeeping, kept_in_order
from appliance.uplink import Uplink
from appliance.uplink_ports import Answer, DurableEntries, Transport
from appliance.uplink_report import UplinkStatus
from appliance.upload_pace import Pace
from cache.journal.file_journal import FileJournal, JournalSettings
from cache.journal.local.database import LocalDatabase
from cache.journal.local.projection import ZonePlan
from cache.journal.local.projector import Projector
from cache.journal.outbox import Outbox, watermarks
from cache.journal.reader import JournalReader
from cache.journal.retention import Keeping
from cache.journal.retired import retired_journals

JOURNAL = "journal"
"""The journal's folder in the state folder."""
DATABASE = "journal.sqlite"
"""What can be rebuilt of the journal, beside it."""
FORMER_OUTBOX = "outbox.sqlite"
"""Where earlier versions kept the watermarks."""


class _OneAtATime:
    """A transport that several uplinks share: the hub takes few uploads of one device at a time."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._turn = asyncio.Lock()

    async def post_entries(self, body: bytes) -> Answer:
        """Return the hub's answer; see `Transport`."""
        async with self._turn:
            return await self._transport.post_entries(body)


class Records:
    """One appliance's journal with its uplink, and those of journals that were ended here before.

    A journal whose true end is not known any more is ended, and a new one begun: no sequence is
    ever used twice. What is readable of the old one still goes up, by an uplink of its own.
    """

    def __init__(
        self,
        journal: FileJournal,
        outbox: Outbox,
        uplink: Uplink,
        reader: JournalReader,
        retired: tuple[tuple[Outbox, Uplink], ...],
        *,
        pace: Pace,
        projector: Projector,
        keeping: JournalKeeping,
    ) -> None:
        self.projector = projector
        self.keeping = keeping
        self.journal = journal
        self.outbox = outbox
        self.uplink = uplink
        self.pace = pace
        self._reader = reader
        self._retired = retired

    @property
    def uplinks(self) -> tuple[Uplink, ...]:
        """All that have to run."""
        return (self.uplink, *(uplink for _, uplink in self._retired))

    def upload_statuses(self) -> list[UplinkStatus]:
        """Return how all uploads stand, the living journal's first."""
        return [uplink.status() for uplink in self.uplinks]

    @property
    def pending(self) -> int:
        """Entries of all journals here that the hub has not acknowledged."""
        return self.outbox.pending + sum(outbox.pending for outbox, _ in self._retired)

    @property
    def damage(self) -> str:
        """What is known to be damaged in the journal's folder, in words; empty if nothing is."""
        statistics = self.journal.statistics()
        found = (
            (statistics.damaged_files, "damaged journal files"),
            (statistics.retired_journals, "journals ended early"),
            (self._reader.lost_entries, "entries that cannot be read"),
        )
        return ", ".join(f"{count} {what}" for count, what in found if count)

    async def wait_acknowledged(self) -> None:
        """Return once the hub has acknowledged everything that happened here until now."""
        await self.journal.flush()
        await self.outbox.wait_acknowledged(self.journal.last_sequence)


@asynccontextmanager
async def open_database(state: Path) -> AsyncIterator[LocalDatabase]:
    """Open what can be rebuilt of the journal in `state`, for the length of a context.

    :raises cache.errors.CacheError: if it can be neither used nor replaced.
    """
    database = await LocalDatabase.open(state / DATABASE, former_outbox=state / FORMER_OUTBOX)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def open_records(
    state: Path,
    transport: Transport,
    *,
    device: str,
    key: Ed25519PrivateKey,
    head_keys: Callable[[], Iterable[Ed25519PublicKey]],
    clock: SystemClock,
    rng: random.Random,
    settings: JournalSettings,
    kept: Keeping,
    recipient: Callable[[], X25519PublicKey | None],
    zone: ZonePlan,
) -> AsyncIterator[Records]:
    """Open the records in `state`; they are closed, the database last, when the block ends.

    :param key: this device's, which signs what goes up.
    :param head_keys: returns the hub's keys that may sign marks at this moment.
    :param kept: how long what the hub holds stays here.
    :param recipient: as for `FileJournal.open`.
    :param zone: for which zone its records are kept.
    :raises cache.errors.CacheError: if the journal or its local database cannot be used.
    """
    folder = state / JOURNAL

    def uplink(
        journal: DurableEntries, reader: JournalReader, outbox: Outbox, *, ended: bool
    ) -> Uplink:
        return Uplink(
            journal,
            reader,
            outbox,
            transport,
            device=device,
            key=key,
            head_keys=head_keys,
            clock=clock,
            rng=rng,
            pace=pace,
            ended=ended,
        )

    transport, pace = _OneAtATime(transport), Pace(clock.monotonic_ns)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(state))
        known = await watermarks(database)
        journal = await FileJournal.open(
            folder,
            monotonic_ns=clock.monotonic_ns,
            random_bytes=os.urandom,
            settings=settings,
            acknowledged=known,
            recipient=recipient,
        )
        stack.push_async_callback(journal.close)
        outbox = await Outbox.open(database, journal)
        keeping = await stack.enter_async_context(
            kept_in_order(
                folder,
                journal,
                key=key,
                keeping=kept,
                budget_bytes=settings.budget_bytes,
                mark=lambda: outbox.mark,
                clock=clock,
            )
        )
        # Closed before the last anchor is written: it vouches for all that was made durable.
        stack.push_async_callback(journal.close)
        retired = []
        for old in await asyncio.to_thread(retired_journals, folder):
            watermark = await Outbox.open(database, old, ended=True)
            reader = JournalReader(old.directory)
            retired.append((watermark, uplink(old, reader, watermark, ended=True)))
        reader = JournalReader(folder)
        living = uplink(journal, reader, outbox, ended=False)
        projector = Projector(journal, folder, database, zone, monotonic_ns=clock.monotonic_ns)
        stack.push_async_callback(projector.finish)
        yield Records(
            journal,
            outbox,
            living,
            reader,
            tuple(retired),
            pace=pace,
            projector=projector,
            keeping=keeping,
        )
