"""What keeps the journal's folder in order beside its writer: the anchor, and pruning."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.clock import SystemClock
from cache.journal.anchor_keeper import AnchorKeeper
from cache.journal.disk_budget import space_of
from cache.journal.errors import JournalUnavailable
from cache.journal.file_journal import FileJournal
from cache.journal.medium import PosixMedium
from cache.journal.pruner import Pruner
from cache.journal.pruning import FilePruner
from cache.journal.retention import Keeping


class JournalKeeping(msgspec.Struct, frozen=True):
    """The tasks of one journal's folder."""

    anchor: AnchorKeeper
    pruner: Pruner

    async def run(self) -> None:
        """Keep the folder in order until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.anchor.run())
            group.create_task(self.pruner.run())


@asynccontextmanager
async def kept_in_order(
    folder: Path,
    journal: FileJournal,
    *,
    key: Ed25519PrivateKey,
    keeping: Keeping,
    budget_bytes: int,
    mark: Callable[[], bytes],
    clock: SystemClock,
) -> AsyncIterator[JournalKeeping]:
    """Vouch for a journal that has just been opened; its anchor is written a last time at the end.

    :param key: this device's, which signs the anchor.
    :param mark: the hub's last signed mark, empty if there is none.
    """
    anchor = AnchorKeeper(folder, lambda: journal.head, key, mark=mark)
    # A full disk keeps no gate from starting: what was refused is tried again, and told.
    with suppress(JournalUnavailable):
        await asyncio.to_thread(anchor.write)
    files = FilePruner(folder, anchor, keeping, PosixMedium(), freed=journal.freed)
    pruner = Pruner(
        files,
        journal.journal_id,
        mark=mark,
        now=clock.now,
        space=partial(space_of, folder, budget_bytes),
    )
    try:
        yield JournalKeeping(anchor, pruner)
    finally:
        await anchor.close()
