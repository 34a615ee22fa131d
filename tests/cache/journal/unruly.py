"""Journals over a medium that refuses, stalls or is full when a test says so."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from cache.journal.file_journal import FileJournal, JournalSettings
from tests.cache.journal.media import GatedMedium

HUB = X25519PrivateKey.generate()
LIMIT_S = 20.0


@asynccontextmanager
async def opened(folder: Path, medium: GatedMedium, **bounds: float) -> AsyncIterator[FileJournal]:
    public = HUB.public_key()
    journal = await FileJournal.open(
        folder,
        monotonic_ns=time.monotonic_ns,
        random_bytes=os.urandom,
        medium=medium,
        settings=JournalSettings(**{"timeout_s": LIMIT_S, **bounds}),  # type: ignore[arg-type]
        recipient=lambda: public,
    )
    try:
        yield journal
    finally:
        medium.gate.set()
        await journal.close()


async def secured(journal: FileJournal) -> None:
    """Return once nothing is waiting that somebody has acted on."""
    async with asyncio.timeout(LIMIT_S):
        while journal.statistics().unsecured_waiting:
            await journal.wait_beyond(journal.last_sequence)
        await journal.flush()
