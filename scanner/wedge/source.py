"""A keyboard wedge as a source of readings."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from admission.backoff import Backoff
from admission.reading import Reading
from scanner.input_events import open_keyboard
from scanner.serial.framing import Line, LineFramer
from scanner.serial.reopening import REOPENING, Device, DeviceReader, DeviceSource
from scanner.wedge.keys import WedgeKeys
from scanner.wedge.settings import WedgeSettings


class WedgeStatistics(msgspec.Struct, frozen=True):
    """Counts of one source since it was made. `failure` says why it is, or last was, down.

    `abandoned` counts codes that were not ended or of which a part was lost.
    """

    up: bool
    openings: int
    readings: int
    oversized: int
    abandoned: int
    failure: str


class WedgeSource(DeviceSource):
    """Readings from the scanner that types at the input device `path`, as `SerialSource`.

    The device is this gate's alone while it is open. An exception out of `deliver` ends `run`.
    """

    def __init__(
        self,
        path: str,
        name: str,
        deliver: Callable[[Reading], None],
        *,
        monotonic_ns: Callable[[], int],
        draw: Callable[[], float],
        settings: WedgeSettings | None = None,
        backoff: Backoff = REOPENING,
        changed: Callable[[bool], None] | None = None,
        open_device: Callable[[str], Device] = open_keyboard,
    ) -> None:
        self.name = name
        self._deliver = deliver
        self._settings = settings or WedgeSettings()
        self._keys = WedgeKeys(self._settings.layout)
        self._framer = LineFramer(self._settings.lines())
        self._last_ns = 0
        self._readings = self._oversized = self._abandoned = 0
        self._reader = DeviceReader(
            lambda: open_device(path),
            opened=self._start_anew,
            received=self._received,
            quiet=self._fall_silent,
            quiet_s=self._settings.lines().quiet_s,
            monotonic_ns=monotonic_ns,
            draw=draw,
            backoff=backoff,
            changed=changed,
        )

    def statistics(self) -> WedgeStatistics:
        """Return the counts so far."""
        reader = self._reader
        return WedgeStatistics(
            up=reader.up,
            openings=reader.openings,
            readings=self._readings,
            oversized=self._oversized + self._framer.oversized,
            abandoned=self._abandoned + self._framer.abandoned,
            failure=str(reader.failure or ""),
        )

    def _start_anew(self) -> None:
        """Half a code from before a loss must not become the beginning of the next."""
        self._oversized += self._framer.oversized
        self._abandoned += self._framer.abandoned + self._framer.pending
        self._framer = LineFramer(self._settings.lines())
        self._keys = WedgeKeys(self._settings.layout)

    def _received(self, data: bytes, now_ns: int) -> None:
        self._last_ns = now_ns
        for typed in self._keys.feed(data):
            if typed is None:
                self._framer.lose()
            else:
                self._hand_on(self._framer.feed(typed, now_ns))

    def _fall_silent(self, now_ns: int) -> None:
        self._hand_on(self._framer.feed(self._keys.rest(), self._last_ns))
        self._hand_on(self._framer.idle(now_ns))

    def _hand_on(self, lines: list[Line]) -> None:
        for line in lines:
            self._readings += 1
            self._deliver(Reading(line.text, line.symbology, self.name, line.captured_ns))
