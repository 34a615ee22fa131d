"""One scan from reading to light: decision, durable entry, acknowledged signal, and their floor.

The floor of the same run is what no gate can undercut on this machine: one append of the entry's
bytes with `fdatasync`, and one byte to the other end of a pseudo-terminal and back.
"""

from __future__ import annotations

import asyncio
import os
import random
import select
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta, timezone
from functools import partial
from pathlib import Path

import msgspec

from admission.instant import Instant
from admission.law import Law
from admission.ports import Bridge, Clock
from admission.reading import Reading, Symbology
from admission.repeat import Presentations, UsedOnce
from admission.reset import DailyReset
from admission.rulebook_loading import load_rulebook
from admission.rulebooks import Rulebooks
from admission.site import Direction, Place, Site
from admission.verdict import LaneState, Verdict
from admission.zone import Zone
from appliance.clock import SystemClock
from appliance.entry_log import EntryLog
from appliance.inbox import Inbox
from appliance.judging import Judge
from appliance.lane import Lane
from appliance.observation import Happening, Scan
from appliance.pseudonym_key import KEY_BYTES, KeyPlace, new_record
from appliance.pseudonyms import Pseudonyms
from benchmarks.percentiles import Percentiles, percentiles
from cache.journal.file_journal import FileJournal
from cache.replica.book import ReplicaBook
from cache.replica.keys import load_hash_key
from cache.replica.segment import Segment
from cache.replica.table import Table
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.link.configuration import BoardConfiguration
from hub.keys import create_keys
from hub.publish import Publisher
from hub.samples import samples
from hub.synthetic import Population

RULEBOOK = Path(__file__).resolve().parents[1] / "configs" / "rulebooks" / "hcmc-2021-09.json"
VIETNAM = timezone(timedelta(hours=7))
ENTRY_BYTES = 250
WARM_UP = 50


class LaneFigures(msgspec.Struct, frozen=True):
    """What `chot bench lane --json` prints. Milliseconds, but for `decide_us`."""

    scans: int
    people: int
    decide_us: Percentiles
    journal_ms: Percentiles
    actuate_ms: Percentiles
    reading_to_light_ms: Percentiles
    floor_append_ms: Percentiles
    floor_round_trip_ms: Percentiles
    floor_ratio: float
    """Median reading-to-light over the sum of the floors' medians."""


class Watcher:
    """Screen and observer that keep what the lane tells them."""

    def __init__(self) -> None:
        self.scans: list[Scan] = []

    def publish(self, lane: str, verdict: Verdict, holder: str) -> None:
        """Show nothing."""

    def lane_state(self, lane: str, state: LaneState) -> None:
        """Show nothing."""

    def repeated(self, lane: str) -> None:
        """Keep nothing."""

    def turned_away(self, lane: str) -> None:
        """Keep nothing."""

    def scanned(self, scan: Scan) -> None:
        """Keep it."""
        self.scans.append(scan)

    def happened(self, happening: Happening) -> None:
        """Keep nothing."""

    def failed(self, lane: str, step: str, error: Exception) -> None:
        """End the benchmark: what failed was not measured."""
        raise error


async def measure(
    folder: Path, *, scans: int, people: int, progress: Callable[[int], None]
) -> LaneFigures:
    """Serve `scans` codes of `people` synthetic people, in `folder`'s medium.

    :param progress: called with the number of scans done.
    """
    clock = SystemClock(synchronised=lambda: True)  # vouched for, so that every check is decided
    book, texts = await asyncio.to_thread(people_of, folder, people, clock.now())
    watcher = Watcher()
    journal = await FileJournal.open(
        folder / "journal", monotonic_ns=clock.monotonic_ns, random_bytes=os.urandom
    )
    linked = asyncio.Event()
    floor_append: list[float] = []
    floor_trip: list[float] = []
    # Hold: each admission extends the last one's. Pulses would queue, and soon be declined.
    wired = BoardConfiguration(hold=True)
    with (
        SimulatedBoard(clock.monotonic_ns, configuration=wired) as board,
        _echo() as trip,
        _raw_file(folder) as append,
    ):
        bridge = McuBridge(
            board.path,
            monotonic_ns=clock.monotonic_ns,
            nonce=random.SystemRandom().getrandbits,
            on_alive=lambda alive: linked.set() if alive else None,
        )
        lane = lane_over(clock, book, journal, bridge, watcher)
        running = asyncio.create_task(bridge.run())
        await asyncio.wait_for(linked.wait(), 10)
        for number in range(WARM_UP + scans):
            text = texts[number % len(texts)]
            now_ns = clock.now().monotonic_ns
            await lane.serve(Reading(text, Symbology.QR_CODE, "bench", now_ns))
            floor_append.append(append())
            floor_trip.append(trip())
            progress(max(0, number + 1 - WARM_UP))
        running.cancel()
        await asyncio.wait([running])
    await journal.close()
    return _figures(watcher.scans[WARM_UP:], people, floor_append[WARM_UP:], floor_trip[WARM_UP:])


def _figures(
    scans: list[Scan], people: int, appends: list[float], trips: list[float]
) -> LaneFigures:
    light = percentiles([s.reading_to_light_ns / 1e6 for s in scans if s.reading_to_light_ns])
    append, trip = percentiles(appends), percentiles(trips)
    return LaneFigures(
        scans=len(scans),
        people=people,
        decide_us=percentiles([s.decide_ns / 1e3 for s in scans], digits=1),
        journal_ms=percentiles([s.journal_ns / 1e6 for s in scans]),
        actuate_ms=percentiles([s.actuate_ns / 1e6 for s in scans]),
        reading_to_light_ms=light,
        floor_append_ms=append,
        floor_round_trip_ms=trip,
        floor_ratio=round(light.p50 / (append.p50 + trip.p50), 2),
    )


def people_of(folder: Path, count: int, now: Instant) -> tuple[ReplicaBook, list[str]]:
    """Return a book over synthetic people, published in `folder`, and codes of a thousand."""
    population = Population(1, count, now.date_in(VIETNAM))
    keys = create_keys(folder / "keys")
    published = folder / "published"
    head = Publisher(published, keys).publish(population, now=now)
    book = ReplicaBook(load_hash_key(folder / "keys" / "hash.key"))
    segments = published / "replica" / "segments"
    opened = {
        name: Table(Segment.open(segments / f"{dataset.name}.segment"))
        for name, dataset in head.datasets.items()
    }
    book.swap(opened, head)
    drawn = samples(population, 1_000, random.Random(1))
    return book, [sample.text for sample in drawn]


def lane_over(
    clock: Clock, book: ReplicaBook, journal: FileJournal, bridge: Bridge, watcher: Watcher
) -> Lane:
    """Return a lane that decides, writes, and shows by `bridge`."""
    site = Site("bench", "bench", Place.SUPERMARKET, "bench", 15, VIETNAM)
    reset = DailyReset(4 * 60, VIETNAM)
    zone = Zone(reset)
    record = new_record(os.urandom(KEY_BYTES), None, journal.journal_id, 1)
    judge = Judge(
        "bench",
        site,
        law=Law(Rulebooks(load_rulebook(RULEBOOK.read_bytes()))),
        book=book,
        zone=zone,
        used=UsedOnce(),
        tokens=Pseudonyms(record, KeyPlace(None), reset, journal, clock, random_bytes=os.urandom),
        direction=Direction.IN,
        digest_key=bytes(32),
    )
    return Lane(
        "bench",
        judge,
        zone=zone,
        clock=clock,
        log=EntryLog(journal, failed=partial(watcher.failed, "bench", "journal")),
        bridge=bridge,
        screen=watcher,
        inbox=Inbox(asyncio.get_running_loop()),
        presentations=Presentations(1),
        observer=watcher,
    )


@contextmanager
def _raw_file(folder: Path) -> Iterator[Callable[[], float]]:
    """Yield a function that appends one entry's bytes durably; returns milliseconds."""
    payload = os.urandom(ENTRY_BYTES)
    descriptor = os.open(folder / "floor", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def append() -> float:
        begun = time.perf_counter_ns()
        os.write(descriptor, payload)
        os.fdatasync(descriptor)
        return (time.perf_counter_ns() - begun) / 1e6

    try:
        yield append
    finally:
        os.close(descriptor)


@contextmanager
def _echo() -> Iterator[Callable[[], float]]:
    """Yield a function that sends a byte over a pty and waits for its echo; milliseconds."""
    master, slave = os.openpty()
    tty.setraw(slave)
    stop = threading.Event()

    def answer() -> None:
        while not stop.is_set():
            if select.select([master], [], [], 0.1)[0]:
                os.write(master, os.read(master, 64))

    def trip() -> float:
        begun = time.perf_counter_ns()
        os.write(slave, b"\x55")
        os.read(slave, 1)
        return (time.perf_counter_ns() - begun) / 1e6

    thread = threading.Thread(target=answer, name="echo", daemon=True)
    thread.start()
    try:
        yield trip
    finally:
        stop.set()
        thread.join()
        os.close(slave)
        os.close(master)
