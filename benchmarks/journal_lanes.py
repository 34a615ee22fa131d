"""Lanes that write into one journal at once, and the bare append beside them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from admission.passage import Passage
from benchmarks.percentiles import Percentiles, percentiles
from cache.journal.file_journal import FileJournal, JournalSettings
from cache.journal.medium import Medium, PosixMedium

_NS_PER_US = 1_000
_PATIENT_S = 30.0


class SlowMedium(PosixMedium):
    """The operating system's files, every sync of which takes longer."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s

    def sync(self, file: int) -> None:
        """Sync, and take longer than that."""
        super().sync(file)
        time.sleep(self._pause_s)


class Load(msgspec.Struct):
    """What lanes saw, gathered over rounds: waits in ns, and entries a second of each round."""

    waits_ns: list[int] = msgspec.field(default_factory=list)
    rates: list[float] = msgspec.field(default_factory=list)
    entries: int = 0
    groups: int = 0

    @property
    def waits_us(self) -> Percentiles:
        """Median and 99th percentile of the waits in microseconds."""
        return percentiles([wait / _NS_PER_US for wait in self.waits_ns], digits=1)

    @property
    def entries_per_s(self) -> int:
        """The median round's rate."""
        return round(sorted(self.rates)[len(self.rates) // 2])


@contextlib.asynccontextmanager
async def a_journal(folder: Path, medium: Medium | None = None) -> AsyncIterator[FileJournal]:
    """Open a journal that seals what it writes; it is closed when the block ends."""
    recipient = X25519PrivateKey.generate().public_key()
    journal = await FileJournal.open(
        folder,
        monotonic_ns=time.monotonic_ns,
        random_bytes=os.urandom,
        medium=medium,
        settings=JournalSettings(timeout_s=_PATIENT_S),
        recipient=lambda: recipient,
    )
    try:
        yield journal
    finally:
        await journal.close()


async def write(
    journal: FileJournal, passages: Sequence[Passage], *, lanes: int, entries: int, load: Load
) -> None:
    """Let so many lanes write so many entries each, one after the other, and gather the waits."""
    before = journal.statistics()

    async def lane(first: int) -> None:
        for number in range(first, first + entries):
            begun = time.perf_counter_ns()
            await journal.append(passages[number % len(passages)])
            load.waits_ns.append(time.perf_counter_ns() - begun)

    begun = time.perf_counter_ns()
    await asyncio.gather(*(lane(number * entries) for number in range(lanes)))
    load.rates.append(lanes * entries / ((time.perf_counter_ns() - begun) / 1e9))
    after = journal.statistics()
    load.entries += after.entries - before.entries
    load.groups += after.groups - before.groups


@contextlib.contextmanager
def bare_append(folder: Path, size: int, *, set_aside: int = 0) -> Iterator[Callable[[int], Load]]:
    """Yield what appends so many times `size` bytes with a sync after each.

    :param set_aside: bytes of the file that are allocated before; 0 = it grows.
    """
    payload = os.urandom(size)
    name = f"floor-{'set-aside' if set_aside else 'growing'}"
    descriptor = os.open(folder / name, os.O_CREAT | os.O_WRONLY, 0o600)
    offset = 0

    def append(count: int) -> Load:
        nonlocal offset
        load = Load()
        for _ in range(count):
            begun = time.perf_counter_ns()
            os.pwrite(descriptor, payload, offset)
            os.fdatasync(descriptor)
            load.waits_ns.append(time.perf_counter_ns() - begun)
            offset += size
        return load

    try:
        if set_aside:
            os.posix_fallocate(descriptor, 0, set_aside)
            os.fsync(descriptor)
        yield append
    finally:
        os.close(descriptor)
