"""What gates send up, until the hub has it durably: entries a second, over a real hub and its HTTP.

The hub is `chot hub serve` in a process of its own; the clients share its cores. Every client is a
gate: it has a key, a journal, and signed batches of sealed passages that were made beforehand, and
it sends the next one when the mark of the one before has come. The floor is the same rows into the
same table in this process: packed, signed and sent by nobody, committed as often.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path

import msgspec
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from admission.instant import Instant
from admission.journal_record import (
    pack_passage_record,
    pack_public,
    pack_sealed,
    pack_session,
)
from admission.passage import Passage, chained, genesis
from admission.sealing import Sealer
from admission.upload import (
    MARK_CONTENT_TYPE,
    SIGNED_BATCH_CONTENT_TYPE,
    SIGNED_UPLOAD_PATH,
    make_batch,
    open_mark,
    sign_batch,
)
from admission.wire import Entry
from appliance.clock import SystemClock
from benchmarks.errors import BenchmarkError
from benchmarks.hub_process import ServedHub, make_hub, served_hub
from benchmarks.intake_entries import a_passage
from benchmarks.percentiles import Percentiles, percentiles
from hub.columns import columns_of
from hub.days import day_of
from hub.folder import DataFolder
from hub.keys import load_keys
from hub.store.devices import Device
from hub.store.entries import EntryRecord, JournalKey
from hub.store.sqlite import open_store
from hub.store.sqlite.day_file import DayFile

_JOURNAL_BYTES = 16
_REPLY_LIMIT_BYTES = 65_536


class Rate(msgspec.Struct, frozen=True):
    """One way of sending.

    `answer_ms` runs from a batch's first byte to its mark; `processor_us` is what the hub used of
    its cores for each entry, whatever else the machine did.
    """

    batch: int
    clients: int
    entries: int
    entries_per_s: int
    answer_ms: Percentiles
    processor_us: float


class IntakeFigures(msgspec.Struct, frozen=True):
    """What `chot bench intake --json` prints."""

    hub_intake_entries_per_s: int
    """At 100 entries a batch."""
    floor_entries_per_s: int
    floor_ratio: float
    """The rate at 100 entries a batch, as a part of the floor."""
    rates: tuple[Rate, ...]
    resend: Rate
    """All that was sent 100 at a time once more: duplicates."""
    bytes_per_row: int
    record_bytes: int


class Gate:
    """One client: a device, its journal, and what it is going to send.

    :param recipient: the hub's public key for seals.
    """

    def __init__(
        self, name: str, recipient: X25519PublicKey, entries: int, batch: int, now: Instant
    ) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.name = name
        self.count = entries
        self.journal = os.urandom(_JOURNAL_BYTES)
        records = _records(recipient, self.journal, entries, now)
        self.entries = _chained(self.journal, records)
        self._requests = [
            self._request(self.entries[start : start + batch], now)
            for start in range(0, entries, batch)
        ]

    @property
    def device(self) -> Device:
        """What the hub is to know of it."""
        public = self.key.public_key().public_bytes_raw()
        return Device(name=self.name, enrolled_ns=1, public_key=public)

    @property
    def held_under(self) -> JournalKey:
        """What the hub holds its entries under."""
        return JournalKey(self.name, self.journal)

    async def send(self, host: str, port: int, keys: Sequence[Ed25519PublicKey]) -> list[float]:
        """Send everything, one batch after the other; return how long each took, in seconds.

        :raises BenchmarkError: if the hub answers anything but marks, or not all of it is held.
        """
        reader, writer = await asyncio.open_connection(host, port, limit=_REPLY_LIMIT_BYTES)
        with closing(writer):
            took, answer = [], b""
            for request in self._requests:
                began = time.perf_counter()
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                answer = await reader.readexactly(_length(head))
                took.append(time.perf_counter() - began)
                if not head.startswith(b"HTTP/1.1 200"):
                    msg = f"the hub refuses: {answer.decode(errors='replace')}"
                    raise BenchmarkError(msg)
        mark = open_mark(answer, keys)
        if mark.through < self.count:
            raise BenchmarkError("the hub does not hold what was sent")
        return took

    def _request(self, entries: Sequence[Entry], now: Instant) -> bytes:
        first = entries[0].sequence
        batch = make_batch(self.name, self.journal, first, entries, now.wall_ns)
        body = zstandard.compress(sign_batch(batch, self.key))
        head = (
            f"POST {SIGNED_UPLOAD_PATH} HTTP/1.1\r\nHost: hub\r\nAccept: {MARK_CONTENT_TYPE}\r\n"
            f"Content-Type: {SIGNED_BATCH_CONTENT_TYPE}\r\nContent-Encoding: zstd\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode("ascii") + body


async def measure(
    folder: Path,
    *,
    entries: int,
    clients: int,
    batches: Sequence[int],
    progress: Callable[[str], None],
) -> IntakeFigures:
    """Return the figures; the hub's folder is made in `folder`.

    :param entries: sent in all for each size of batch but 1: of those a twentieth.
    :param batches: sizes of batches, 100 among them.
    :param progress: called with what is being done.
    :raises BenchmarkError: if the hub does not start, or refuses a batch.
    """
    now, hub = SystemClock().now(), DataFolder(folder / "hub")
    await make_hub(hub)
    keys = load_keys(hub.keys)
    if keys.seals.present is None:
        raise BenchmarkError("the hub has no key for seals")
    progress("sealing and signing")
    fleets = {
        batch: [
            Gate(
                f"gate-{batch}-{number}",
                keys.seals.present.public_key(),
                max(entries // (20 if batch == 1 else 1) // clients, batch),
                batch,
                now,
            )
            for number in range(clients)
        ]
        for batch in batches
    }
    async with open_store(hub.database) as store:
        for gate in (gate for fleet in fleets.values() for gate in fleet):
            await store.put_device(gate.device)
    trusted = [keys.head.public_key()]
    rates = []
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(served_hub(hub, folder))
        for batch, fleet in fleets.items():
            progress(f"sending {batch} at a time")
            rates.append(await _rate(served, fleet, batch, trusted))
        progress("sending again")
        resend = await _rate(served, fleets[100], 100, trusted)
    progress("the floor")
    floor = await asyncio.to_thread(_floor, folder, fleets[100], now)
    async with open_store(hub.database) as store:
        days = await store.days()
    best = next(rate for rate in rates if rate.batch == 100).entries_per_s
    some = fleets[100][0].entries
    return IntakeFigures(
        best,
        floor,
        round(best / floor, 3),
        tuple(rates),
        resend,
        sum(day.bytes for day in days) // max(sum(day.entries for day in days), 1),
        sum(len(entry.packed) for entry in some) // len(some),
    )


async def _rate(
    hub: ServedHub, fleet: Sequence[Gate], batch: int, keys: Sequence[Ed25519PublicKey]
) -> Rate:
    host, port = hub.url.removeprefix("http://").rsplit(":", 1)
    used_s, began = hub.processor_s(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        sending = [group.create_task(gate.send(host, int(port), keys)) for gate in fleet]
    seconds, used_s = time.perf_counter() - began, hub.processor_s() - used_s
    took = [one * 1e3 for task in sending for one in task.result()]
    sent = sum(gate.count for gate in fleet)
    return Rate(
        batch,
        len(fleet),
        sent,
        round(sent / seconds),
        percentiles(took),
        round(used_s * 1e6 / sent, 1),
    )


def _floor(folder: Path, fleet: Sequence[Gate], now: Instant) -> int:
    """Return entries a second into a day's file, 100 a transaction, each on the medium."""
    days = folder / "floor"
    days.mkdir()
    file = DayFile.open(days / "floor.db", day_of(now.wall_ns), write=True)
    if file is None:
        raise BenchmarkError("the floor's file cannot be made")
    with closing(file):
        groups = [
            (
                number,
                gate.held_under,
                _rows(gate.entries[start : start + 100], now),
            )
            for start in range(0, fleet[0].count, 100)
            for number, gate in enumerate(fleet, start=1)
        ]
        began = time.perf_counter()
        for number, key, records in groups:
            file.add(number, key, records)
            file.commit()
        seconds = time.perf_counter() - began
    return round(sum(len(records) for _, _, records in groups) / seconds)


def _rows(entries: Sequence[Entry], now: Instant) -> list[EntryRecord]:
    return [
        EntryRecord(
            entry.sequence,
            entry.chain_hash,
            entry.packed,
            columns_of(entry.packed, None).decoded,
            now.wall_ns,
            day_of(now.wall_ns),
        )
        for entry in entries
    ]


def _records(recipient: X25519PublicKey, journal: bytes, count: int, now: Instant) -> list[bytes]:
    sealer = Sealer(recipient, os.urandom(32), journal)
    records = [pack_session(sealer.session)]
    for number in range(1, count):
        passage: Passage = a_passage(number, now)
        public = pack_public(passage)
        records.append(pack_passage_record(public, sealer.seal(pack_sealed(passage), public)))
    return records


def _chained(journal: bytes, records: Sequence[bytes]) -> list[Entry]:
    entries, previous = [], genesis(journal)
    for sequence, packed in enumerate(records, start=1):
        previous = chained(previous, sequence, packed)
        entries.append(Entry(sequence, previous, packed))
    return entries


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    raise BenchmarkError("the hub's answer has no length")
