"""The bridge to a board: a microcontroller on a serial cable, or a process that plays one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from admission.backoff import Backoff
from admission.gate import Input
from admission.signal import Output, Signal
from firmware_bridge.bridges.blame import Blame
from firmware_bridge.bridges.errands import Waiting
from firmware_bridge.bridges.listeners import AliveListener, EventListener
from firmware_bridge.bridges.port import Device, Port, open_device, opened
from firmware_bridge.bridges.statistics import BridgeStatistics
from firmware_bridge.errors import BridgeError
from firmware_bridge.link import obstacles
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.events import Ended, LinkDown, LinkUp
from firmware_bridge.link.messages import (
    BoardEvent,
    ConfigurationReply,
    Configure,
    GateEvent,
    HelloReply,
    InputEvent,
    Message,
    ReadConfiguration,
)
from firmware_bridge.link.obstacles import Expected
from firmware_bridge.link.session import Session

REOPEN: Final = Backoff(first_s=0.1, ceiling_s=0.25, jitter=0)
"""One board on one cable: there is nobody to make room for, so nothing is left to chance, and a
board that is plugged in again is found before anybody asks for it."""
RESTART_S: Final = 5.0
"""How long a board may take to store a configuration and start anew, its bootloader included."""

_T = TypeVar("_T")
_R = TypeVar("_R")


class McuBridge:
    """Stands behind the Bridge port. `run` owns the cable; give it to a task group.

    `path` is opened anew after every loss, so name it by /dev/serial/by-id. `monotonic_ns` and
    `nonce` (returns a random number of so many bits) are the only time and chance here. Outputs in
    `required` must be fitted or the board counts as incompatible; pulses for others that it lacks
    are left out. `expected` says how the board has to be configured (see `Session`). `on_event` and
    `on_alive` are called on the loop: with each event of an input or a gate, and with each change
    of the link's state. An event is heard once; one that was never confirmed
    (`EventListener`) is heard again after this process has restarted.

    What is not a serial port brings its own `open_device`, which gets the path on a thread, returns
    what it opened and raises a BridgeError if it cannot, and `reopen`, how often it is tried.
    """

    def __init__(
        self,
        path: str,
        *,
        monotonic_ns: Callable[[], int],
        nonce: Callable[[int], int],
        required: frozenset[Output] = frozenset(),
        expected: Expected | None = None,
        on_event: EventListener | None = None,
        on_alive: AliveListener | None = None,
        open_device: Callable[[str], Device] = open_device,
        reopen: Backoff = REOPEN,
    ) -> None:
        self.path = path
        self._blame = Blame()
        self._monotonic_ns = monotonic_ns
        self._on_event = on_event
        self._on_alive = on_alive
        self._open_device = open_device
        self._reopen = reopen
        self._session = Session(nonce, required=required, expected=expected)
        self._port: Port | None = None
        self._lost: asyncio.Future[BridgeError] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = Waiting()
        self._greeted = asyncio.Event()
        self._failure: Exception | None = None
        self._openings = self._failed_openings = 0

    @property
    def alive(self) -> bool:
        """Whether the board has answered within the last second."""
        return self._session.alive(self._monotonic_ns())

    @property
    def last_error(self) -> BridgeError | None:
        """Why the link is down, with a hint; None while it is up."""
        return None if self.alive else self._why()

    @property
    def board(self) -> HelloReply | None:
        """How the board introduced itself last, or None if it never did."""
        return self._session.board

    @property
    def sensed(self) -> frozenset[Input]:
        """Which of the board's inputs are active, as far as it has told."""
        return self._session.sensed

    @property
    def energised(self) -> frozenset[Output]:
        """What was on at the last heartbeat (four a second); nothing before the first."""
        return self._session.energised

    def statistics(self) -> BridgeStatistics:
        """Return what happened since the start."""
        return BridgeStatistics(
            msgspec.structs.replace(self._session.counters),
            self._session.rejected_frames,
            self._openings,
            self._failed_openings,
            self._session.timer.smoothed_ns,
        )

    async def show(self, signal: Signal, *, entry: int = 0) -> None:
        """Return once the board has acknowledged the signal, which then ends by itself.

        It ends within 250 ms either way. Of several calls at a time the newest wins; a gate that
        is unlocked already stays so for whoever was admitted.

        :param entry: by which the events of the gate will name this admission; 32 bits are kept.
        :raises BridgeUnavailable: if no board is there, or it was lost meanwhile.
        :raises BridgeTimeout: if it was sent repeatedly and nobody acknowledged.
        :raises BridgeRefused: if the board declined it.
        :raises BridgeSuperseded: if a newer call took its place.
        :raises BridgeIncompatible: if the board is not one that this site can use.
        """
        await self._ask(
            lambda now_ns: self._session.show(signal, now_ns, entry=entry & 0xFFFF_FFFF)
        )

    async def configure(self, configuration: BoardConfiguration) -> None:
        """Return once the board has stored the configuration and is back with it.

        :raises BridgeRefused: if the configuration jumper is not fitted (reason LOCKED).
        :raises BridgeTimeout: if it did not come back with it in time.
        :raises BridgeError: as `show` does.
        """
        await self._ask(lambda now_ns: self._session.ask(Configure(configuration), now_ns))
        try:
            async with asyncio.timeout(RESTART_S):
                await self._until_back_with(configuration)
        except TimeoutError as error:
            raise obstacles.not_configured() from error

    async def read_configuration(self) -> BoardConfiguration:
        """Return the configuration in force.

        :raises BridgeError: as `show` does.
        """
        answer = await self._ask(lambda now_ns: self._session.ask(ReadConfiguration(), now_ns))
        if not isinstance(answer, ConfigurationReply):
            raise obstacles.silent()
        return answer.configuration

    async def run(self) -> None:
        """Keep the link: open, greet, beat, reopen with backoff. Ends by cancellation only.

        :raises Exception: whatever `on_event` or `on_alive` raised.
        """
        failures = 0
        while True:
            try:
                device = await opened(self._open_device, self.path)
            except BridgeError as error:
                self._blame.lost(error)
                self._failed_openings += 1
            else:
                if await self._serve(device):
                    failures = 0
            failures += 1
            await asyncio.sleep(self._reopen.delay_s(failures, 0.0))

    async def _ask(self, depart: Callable[[int], int]) -> Message | None:
        """Return the board's answer to what `depart` sends at the time that it is given."""
        if self._port is None:
            raise self._why()
        ended = self._waiting.add(depart(self._monotonic_ns()))
        self._pump()
        return await ended

    async def _until_back_with(self, configuration: BoardConfiguration) -> None:
        self._greeted.clear()
        while await self._greeted.wait():
            self._greeted.clear()
            if self.board is not None and self.board.fingerprint == configuration.fingerprint:
                return

    async def _serve(self, device: Device) -> bool:
        """Serve one opening of the port to its loss. Return whether a board had answered."""
        loop = asyncio.get_running_loop()
        sessions = self._session.counters.sessions
        self._lost = loop.create_future()
        self._openings += 1
        self._port = Port(device, loop, self._take, self._lose)
        try:
            self._session.open(self._monotonic_ns())
            self._blame.opened(self._monotonic_ns())
            self._pump()
            self._blame.lost(await self._lost)
        finally:
            self._close()
        if self._failure is not None:
            raise self._failure
        return self._session.counters.sessions > sessions

    def _close(self) -> None:
        port, self._port = self._port, None
        if self._timer is not None:
            self._timer.cancel()
        self._session.close(self._why())
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
        deadline_ns = self._session.next_deadline_ns
        if deadline_ns is not None and self._port is not None:
            delay_s = max(deadline_ns - self._monotonic_ns(), 0) / 1e9
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _report(self) -> None:
        for event in self._session.take_events():
            match event:
                case Ended(ticket, error, answer):
                    self._waiting.settle(ticket, error, answer)
                case LinkUp():
                    self._blame.met()
                    self._greeted.set()
                    self._tell(self._on_alive, True)
                case LinkDown():
                    self._tell(self._on_alive, False)
                case InputEvent() | GateEvent():
                    self._hear(event)

    def _hear(self, event: BoardEvent) -> None:
        kept = self._tell(self._on_event, event)
        if kept is None:
            self._confirm(event)
        else:
            kept.add_done_callback(lambda _: self._confirm(event))

    def _confirm(self, event: BoardEvent) -> None:
        self._session.confirm(event)
        if self._port is not None:
            self._port.write(self._session.take_bytes())

    def _tell(self, listener: Callable[[_T], _R] | None, news: _T) -> _R | None:
        if listener is None:
            return None
        try:
            return listener(news)
        except Exception as error:  # noqa: BLE001 - not the fault of whoever shows: `run` raises it
            self._failure = error
            self._lose(error)
        return None

    def _why(self) -> BridgeError:
        return self._blame.reason(self._session.obstacle, self._monotonic_ns())
