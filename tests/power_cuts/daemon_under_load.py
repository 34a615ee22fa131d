"""A whole gate whose lanes are never idle, and which says of each entry that it is durable.

Run as `python -m tests.power_cuts.daemon_under_load CONFIG CODES SCANS`: codes are lines of a file.
A line to the null device, after the entry's append has returned, says under which sequence which
lane wrote what at which time: strace sees it in its place among the calls to the disk.
"""

from __future__ import annotations

import os
import random
import sys
from itertools import count
from pathlib import Path

import uvloop

from admission.reading import Reading, Symbology
from appliance.clock import SystemClock
from appliance.compose import composed
from appliance.config import load_config
from appliance.crew import Crew
from appliance.lane import Lane
from appliance.observation import Happening, Scan
from cache.journal.file_journal import JournalSettings
from tests.power_cuts.trace import ACKNOWLEDGED

ROTATE_BYTES = 24 << 10
"""Small files: what happens when one follows on another is in the trace many times."""


class Load:
    """Offers each lane its next code as soon as the last one has its verdict."""

    def __init__(self, codes: list[str], scans: int, clock: SystemClock) -> None:
        self._codes = codes
        self._left = scans
        self._clock = clock
        self._number = count()
        self._lanes: dict[str, Lane] = {}
        self._null = os.open(os.devnull, os.O_WRONLY)
        self._crew: Crew | None = None

    def begin(self, lanes: list[Lane], crew: Crew) -> None:
        self._crew = crew
        self._lanes = {lane.name: lane for lane in lanes}
        for lane in lanes:
            self._offer(lane)

    def scanned(self, scan: Scan) -> None:
        if scan.sequence is not None and scan.entry is not None:
            said = f"{scan.sequence} {scan.lane} {scan.entry.monotonic_ns // 1_000_000}"
            os.write(self._null, ACKNOWLEDGED + said.encode())
        self._offer(self._lanes[scan.lane])

    def repeated(self, lane: str) -> None:
        self._offer(self._lanes[lane])

    def turned_away(self, lane: str) -> None:
        self._offer(self._lanes[lane])

    def happened(self, happening: Happening) -> None:
        """No board is here."""

    def failed(self, lane: str, step: str, error: Exception) -> None:
        """The scan's end tells."""

    def _offer(self, lane: Lane) -> None:
        number = next(self._number)
        if number >= self._left and self._crew is not None:
            self._crew.dismiss()
            return
        text = self._codes[number % len(self._codes)]
        if number % 3 == 0:
            text = f"{number:012d}|TRAN THI BINH|1990-01-01|0||"
        reading = Reading(text, Symbology.QR_CODE, "load", self._clock.monotonic_ns())
        lane.inbox.offer(reading)


async def run(config: Path, codes: list[str], scans: int) -> None:
    clock = SystemClock()
    load = Load(codes, scans, clock)
    settings = JournalSettings(rotate_bytes=ROTATE_BYTES, timeout_s=20.0)
    async with (
        composed(
            load_config(config),
            clock=clock,
            rng=random.Random(1),
            observers=[load],
            journal=settings,
        ) as appliance,
        Crew() as crew,
    ):
        appliance.start(crew)
        load.begin(appliance.outlook.lanes, crew)
        await crew.dismissed()
        await appliance.drain()


if __name__ == "__main__":
    uvloop.run(run(Path(sys.argv[1]), Path(sys.argv[2]).read_text().splitlines(), int(sys.argv[3])))
