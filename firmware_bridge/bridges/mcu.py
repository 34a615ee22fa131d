"""The bridge to a microcontroller on a serial cable."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec
import serial

from admission.backoff import Backoff
from admission.signal import Output, Signal
from firmware_bridge.bridges.port import SerialPort, open_device
from firmware_bridge.errors import BridgeError, BridgeUnavailable
from firmware_bridge.link import obstacles
from firmware_bridge.link.events import Counters, LinkDown, LinkUp, ShowEnded
from firmware_bridge.link.messages import HelloReply, InputEvent
from firmware_bridge.link.session import Session

REOPEN: Final = Backoff(first_s=0.1, ceiling_s=1.0, jitter=0)
"""One board on one cable: there is nobody to make room for, so nothing is left to chance."""

_T = TypeVar("_T")


class BridgeStatistics(msgspec.Struct, frozen=True):
    """What happened since the start (`counters` and the counts beside them only grow).

    `round_trip_ns` is the smoothed time from a message to its answer, None before the first.
    """

    counters: Counters
    rejected_frames: int
    """What lay between two delimiters and was no frame: length, COBS code or CRC."""
    openings: int
    """How often the port was opened; after the first, each is a reconnection."""
    failed_openings: int
    round_trip_ns: int | None


class McuBridge:
    """Stands behind the Bridge port. `run` owns the cable; give it to a task group.

    `path` is opened anew after every loss, so name it by /dev/serial/by-id. `monotonic_ns` and
    `nonce` (returns a random number of so many bits) are the only time and chance here. Outputs in
    `required` must be fitted or the board counts as incompatible; pulses for others that it lacks
    are left out. `on_input` and `on_alive` are called on the loop: with each event of an input,
    exactly once unless this process restarts, and with each change of the link's state.
    """

    def __init__(
        self,
        path: str,
        *,
        monotonic_ns: Callable[[], int],
        nonce: Callable[[int], int],
        required: frozenset[Output] = frozenset(),
        on_input: Callable[[InputEvent], None] | None = None,
        on_alive: Callable[[bool], None] | None = None,
    ) -> None:
        self.path = path
        self.last_error: BridgeError | None = None
        self._monotonic_ns = monotonic_ns
        self._on_input = on_input
        self._on_alive = on_alive
        self._session = Session(nonce, required=required)
        self._port: SerialPort | None = None
        self._lost: asyncio.Future[BridgeError] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._failure: Exception | None = None
        self._openings = 0
        self._failed_openings = 0

    @property
    def alive(self) -> bool:
        """Whether the board has answered within the last second."""
        return self._session.alive(self._monotonic_ns())

    @property
    def board(self) -> HelloReply | None:
        """How the board introduced itself last, or None if it never did."""
        return self._session.board

    def statistics(self) -> BridgeStatistics:
        """Return what happened since the start."""
        return BridgeStatistics(
            msgspec.structs.replace(self._session.counters),
            self._session.rejected_frames,
            self._openings,
            self._failed_openings,
            self._session.timer.smoothed_ns,
        )

    async def show(self, signal: Signal) -> None:
        """Return once the board has acknowledged the signal, which then ends by itself.

        It ends within 250 ms either way. Of several calls at a time the newest wins.

        :raises BridgeUnavailable: if no board is there, or it was lost meanwhile.
        :raises BridgeTimeout: if it was sent repeatedly and nobody acknowledged.
        :raises BridgeRefused: if the board declined it.
        :raises BridgeSuperseded: if a newer call took its place.
        :raises BridgeIncompatible: if the board is not one that this site can use.
        """
        if self._port is None:
            raise self._unopened()
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ticket = self._session.show(signal, self._monotonic_ns())
        self._waiting[ticket] = ended
        self._pump()
        try:
            await ended
        finally:
            self._waiting.pop(ticket, None)

    async def run(self) -> None:
        """Keep the link: open, greet, beat, reopen with backoff. Ends by cancellation only.

        :raises Exception: whatever `on_input` or `on_alive` raised.
        """
        failures = 0
        while True:
            try:
                device = await _open_elsewhere(self.path)
            except BridgeUnavailable as error:
                self.last_error = error
                self._failed_openings += 1
            else:
                if await self._serve(device):
                    failures = 0
            failures += 1
            await asyncio.sleep(REOPEN.delay_s(failures, 0.0))

    async def _serve(self, device: serial.Serial) -> bool:
        """Serve one opening of the port to its loss. Return whether a board had answered."""
        loop = asyncio.get_running_loop()
        sessions = self._session.counters.sessions
        self._lost = loop.create_future()
        self._openings += 1
        self._port = SerialPort(device, loop, self._take, self._lose)
        try:
            self._session.open(self._monotonic_ns())
            self._pump()
            self.last_error = await self._lost
        finally:
            self._close()
        if self._failure is not None:
            raise self._failure
        return self._session.counters.sessions > sessions

    def _close(self) -> None:
        port, self._port = self._port, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._session.close(self._unopened())
        self._report()
        if port is not None:
            port.close()

    def _take(self, data: bytes) -> None:
        self._session.receive(data, self._monotonic_ns())
        self._pump()

    def _lose(self, reason: Exception) -> None:
        if self._lost is None or self._lost.done():
            return
        if isinstance(reason, BridgeError):
            self._lost.set_result(reason)
        else:
            self._lost.set_exception(reason)

    def _tick(self) -> None:
        self._timer = None
        if self._port is None:
            return
        # What has arrived counts before what is overdue: a loop that was late is no silent board.
        self._port.read()
        try:
            self._session.advance(self._monotonic_ns())
            self._pump()
        except Exception as error:  # noqa: BLE001 - `run` raises it
            self._lose(error)

    def _pump(self) -> None:
        """Send what is to be sent, tell what is to be told, and set the timer."""
        if self._port is not None:
            self._port.write(self._session.take_bytes())
        self._report()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline_ns = self._session.next_deadline_ns
        if deadline_ns is not None and self._port is not None:
            delay_s = max(deadline_ns - self._monotonic_ns(), 0) / 1e9
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _report(self) -> None:
        for event in self._session.take_events():
            match event:
                case ShowEnded(ticket, error):
                    self._settle(ticket, error)
                case LinkUp():
                    self.last_error = None
                    self._tell(self._on_alive, True)
                case LinkDown(error):
                    self.last_error = error
                    self._tell(self._on_alive, False)
                case InputEvent():
                    self._tell(self._on_input, event)

    def _settle(self, ticket: int, error: BridgeError | None) -> None:
        ended = self._waiting.get(ticket)
        if ended is None or ended.done():
            return  # whoever asked has been cancelled
        if error is None:
            ended.set_result(None)
        else:
            ended.set_exception(error)

    def _tell(self, listener: Callable[[_T], None] | None, news: _T) -> None:
        if listener is None:
            return
        try:
            listener(news)
        except Exception as error:  # noqa: BLE001 - not the fault of whoever shows: `run` raises it
            self._failure = error
            self._lose(error)

    def _unopened(self) -> BridgeError:
        return self.last_error or obstacles.not_open()


async def _open_elsewhere(path: str) -> serial.Serial:
    """Return the opened device. Opening may wait for a driver, so it happens on a thread."""
    opening = asyncio.ensure_future(asyncio.to_thread(open_device, path))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        with contextlib.suppress(BridgeUnavailable):
            (await opening).close()
        raise
