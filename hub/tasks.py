"""What the commands do, apart from options and wording."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.console import Console

from admission.ports import Clock
from cache.replica.durable import write_durably
from cache.replica.head import Head
from hub import synthetic_registers
from hub.documents import put_recipient
from hub.errors import HubError
from hub.folder import DataFolder
from hub.keys import load_keys
from hub.progress import progress_bar
from hub.publish import Publisher
from hub.release import Release
from hub.seal_keys import load_seal_keys
from hub.server import ServeOptions, serving
from hub.store.registers import PERMITS, roster
from hub.store.sqlite import open_store
from hub.synthetic import Population

_IDENTIFIERS_EACH = 3


async def prepare(folder: DataFolder) -> None:
    """Make the database, or bring its tables up to date; let gates know whom they seal for.

    :raises HubError: if the store or a key failed.
    """
    async with open_store(folder.database) as store:
        await put_recipient(store, load_seal_keys(folder.keys))


async def record(database: Path, population: Population) -> None:
    """Put a population on record with a progress bar, its permits and its roster beside it.

    :raises StoreError: if the store failed.
    """
    async with open_store(database) as store:
        with progress_bar("Recording people", population.size) as bar:
            await store.put_people(bar.counted(population))
        async with store.change() as change:
            for register, rows in (
                (PERMITS, synthetic_registers.permits(population)),
                (roster(synthetic_registers.SITE), synthetic_registers.workers(population)),
            ):
                await change.clear_rows(register)
                await change.put_rows(register, list(rows))


async def publish(
    folder: DataFolder, clock: Clock, *, accept_clock: bool = False
) -> tuple[Head, bool]:
    """Publish what has changed, with a progress bar; return the head, and whether it is a new one.

    Deltas and bases that are due by time are made, too.

    :param accept_clock: whether a person vouches for the clock.
    :raises HubError: if the store, the keys or the medium failed; the release before then stays.
    """
    publisher = Publisher(folder.published, load_keys(folder.keys), accept_clock=accept_clock)
    before = await asyncio.to_thread(publisher.published)
    async with open_store(folder.database) as store:
        await put_recipient(store, load_seal_keys(folder.keys))
        people = await store.people_count()
        with progress_bar("Building release", people * _IDENTIFIERS_EACH) as bar:
            release = Release(store, publisher)
            head = await release.publish(clock.now(), progress=bar.reached)
            bases = await release.tend(clock.now())
            await release.rebase(bases, clock, progress=bar.reached)
    if head is not None and (before is None or head.sequence > before.sequence):
        return head, True
    return await asyncio.to_thread(publisher.revouch, clock.now()), False


async def serve(
    folder: DataFolder,
    options: ServeOptions,
    clock: Clock,
    stop: asyncio.Event,
    *,
    announce: Path | None = None,
) -> None:
    """Serve until `stop` is set, or SIGTERM or SIGINT comes.

    :param announce: a file that gets `{"url": ...}`, whole or not at all, once connections are
        accepted; it is removed at the end.
    :raises HubError: as `hub.server.serving`.
    """
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with serving(folder, options, clock) as url:
        with _announced(announce, url):
            await stop.wait()


@contextmanager
def _announced(path: Path | None, url: str) -> Iterator[None]:
    try:
        if path is not None:
            write_durably(path, msgspec.json.encode({"url": url}))
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror}"
        raise HubError(msg, hint="check that the folder exists and is yours") from error
    Console(stderr=True).print(f"Hub at {url}", highlight=False)
    try:
        yield
    finally:
        if path is not None:
            path.unlink(missing_ok=True)
