"""A gate that comes back after days: its backlog goes up while lanes serve, to a hub on loopback.

One run tells what the upload costs the lanes: short turns with it and without it alternate, over
the same lanes, journal and medium, so that whatever else the machine does meets both alike. The hub
is `chot hub serve` in a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC
from pathlib import Path

import msgspec

from admission.instant import Instant
from admission.reading import Reading, Symbology
from admission.reset import DailyReset
from admission.signal import Signal
from appliance.clock import SystemClock
from appliance.demo.embedded_hub import DEVICE, HubFiles, hub_command, prepare, serving
from appliance.hub_client import HubClient
from appliance.identity import identity_of, signing_key
from appliance.lane import Lane
from appliance.records import Records, open_records
from appliance.uplink_http import HttpTransport
from appliance.uplink_ports import Answer
from benchmarks.errors import BenchmarkError
from benchmarks.lane import Watcher, lane_over, people_of
from benchmarks.percentiles import Percentiles, percentiles
from benchmarks.scans import a_scan
from cache.journal.errors import JournalUnavailable
from cache.journal.file_journal import JournalSettings
from cache.journal.local.projection import ZonePlan
from cache.journal.retention import Keeping
from hub.keys import load_keys
from hub.seal_keys import load_seal_keys

TURN_S = 2.0
"""So long with the upload, then so long without it."""
_FILLING = 500
_LIMIT_S = 120.0


class BacklogFigures(msgspec.Struct, frozen=True):
    """What `chot bench backlog --json` prints. Times in milliseconds, from due to shown."""

    backlog: int
    lanes: int
    scans_per_s: float
    quiet_ms: Percentiles
    uploading_ms: Percentiles
    p50_ratio: float
    p99_ratio: float
    scans: int
    late: int
    """Scans whose entry was not durable within the lane's bound, in either kind of turn."""
    uploaded_beside_lanes: int
    beside_lanes_per_s: int
    upload_entries_per_s: int
    """While nobody comes."""
    bytes_per_entry: float


class _Rush(Watcher):
    """Counts entries that were not durable in time, and goes on as a gate does."""

    def __init__(self) -> None:
        super().__init__()
        self.late = 0

    def failed(self, lane: str, step: str, error: Exception) -> None:
        if not isinstance(error, JournalUnavailable):
            raise error
        self.late += 1


class _Lamp:
    """A board that answers at once."""

    alive = True

    async def show(self, signal: Signal, *, entry: int = 0) -> None: ...


class _Weighed:
    """The way to the hub, and how much went over it."""

    def __init__(self, transport: HttpTransport) -> None:
        self.bytes = 0
        self._transport = transport

    async def post_entries(self, body: bytes) -> Answer:
        self.bytes += len(body)
        return await self._transport.post_entries(body)


async def measure(
    folder: Path,
    *,
    backlog: int,
    lanes: int = 4,
    scans_per_s: float = 5.0,
    turns: int = 5,
    turn_s: float = TURN_S,
    progress: Callable[[str], None] = lambda _: None,
) -> BacklogFigures:
    """Return the figures of `turns` turns with the upload and as many without, then of it alone.

    :param scans_per_s: how many people come to each lane; a busy one has one a second.
    :raises BenchmarkError: if the hub does not take the backlog.
    """
    clock = SystemClock(synchronised=lambda: True)  # vouched for, so that every check is decided
    files = HubFiles(folder / "hub")
    progress("preparing a hub")
    await prepare(files, people=100, seed=1, quiet=True)
    book, texts = await asyncio.to_thread(people_of, folder / "lanes", 2_000, clock.now())
    async with _gate(folder / "state", files, clock) as (records, way):
        progress("filling the journal")
        await _fill(records, backlog, clock.now())
        watcher = _Rush()
        rush = [lane_over(clock, book, records.journal, _Lamp(), watcher) for _ in range(lanes)]
        records.pace.serving = lambda: any(lane.serving for lane in rush)
        begun = records.outbox.acknowledged_through
        uploading, quiet = list[float](), list[float]()
        for number in range(turns):
            progress(f"turn {number + 1} of {turns}")
            async with _uploading(records):
                uploading += await _served(rush, texts, scans_per_s, turn_s)
            quiet += await _served(rush, texts, scans_per_s, turn_s)
        beside = records.outbox.acknowledged_through - begun
        progress("uploading the rest")
        rest_per_s = await _rest_per_s(records, clock)
        sent = records.outbox.acknowledged_through
    with_it, without = percentiles(uploading), percentiles(quiet)
    return BacklogFigures(
        backlog=backlog,
        lanes=lanes,
        scans_per_s=scans_per_s,
        quiet_ms=without,
        uploading_ms=with_it,
        p50_ratio=round(with_it.p50 / without.p50, 2),
        p99_ratio=round(with_it.p99 / without.p99, 2),
        scans=len(uploading) + len(quiet),
        late=watcher.late,
        uploaded_beside_lanes=beside,
        beside_lanes_per_s=round(beside / (turns * turn_s)),
        upload_entries_per_s=rest_per_s,
        bytes_per_entry=round(way.bytes / sent, 1),
    )


@contextlib.asynccontextmanager
async def _gate(
    state: Path, files: HubFiles, clock: SystemClock
) -> AsyncIterator[tuple[Records, _Weighed]]:
    keys = files.folder / "keys"
    head_key, seal_key = load_keys(keys).public_key, load_seal_keys(keys).present
    recipient = None if seal_key is None else seal_key.public_key()
    identity = identity_of(state)
    key = signing_key(identity)
    await hub_command(
        "device", "--data", str(files.folder), DEVICE, "--public-key", str(identity.public_key),
        quiet=True,
    )  # fmt: skip
    async with serving(files) as url, HubClient() as client:
        way = _Weighed(HttpTransport(client, url, clock))
        async with open_records(
            state,
            way,
            device=DEVICE,
            key=key,
            head_keys=lambda: [head_key],
            clock=clock,
            rng=random.Random(1),
            settings=JournalSettings(),
            kept=Keeping(),
            recipient=lambda: recipient,
            zone=ZonePlan("bench", DailyReset(240, UTC), UTC),
        ) as records:
            yield records, way


async def _fill(records: Records, count: int, now: Instant) -> None:
    """Write as many passages as a gate has that was alone for days."""
    draw = random.Random(2)
    for first in range(0, count, _FILLING):
        numbers = range(first, min(count, first + _FILLING))
        await asyncio.gather(
            *(records.journal.append(a_scan(n, now, draw), timeout_s=30.0) for n in numbers)
        )


@contextlib.asynccontextmanager
async def _uploading(records: Records) -> AsyncIterator[None]:
    task = asyncio.create_task(records.uplink.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _served(lanes: list[Lane], texts: list[str], per_s: float, turn_s: float) -> list[float]:
    """Let people come to every lane for one turn; return milliseconds from due to shown."""
    loop = asyncio.get_running_loop()
    draw = random.Random()
    took_ms: list[float] = []

    async def come(lane: Lane) -> None:
        due = loop.time()
        end = due + turn_s
        while (due := due + draw.uniform(0.5, 1.5) / per_s) < end:
            await asyncio.sleep(max(0.0, due - loop.time()))
            await lane.serve(
                Reading(draw.choice(texts), Symbology.QR_CODE, "bench", int(due * 1e9))
            )
            took_ms.append((loop.time() - due) * 1e3)

    await asyncio.gather(*(come(lane) for lane in lanes))
    return took_ms


async def _rest_per_s(records: Records, clock: SystemClock) -> int:
    """Upload what is left while nobody comes; return entries a second."""
    before, begun_ns = records.outbox.pending, clock.monotonic_ns()
    try:
        async with _uploading(records), asyncio.timeout(_LIMIT_S):
            await records.wait_acknowledged()
    except TimeoutError as error:
        said = records.uplink.status().last_error
        msg = f"the hub did not take the backlog: {said}"
        raise BenchmarkError(msg) from error
    return round(before / max(1e-9, (clock.monotonic_ns() - begun_ns) / 1e9))
