"""A device that is read by the event loop and opened again whenever it is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from admission.backoff import Backoff
from scanner.errors import ScannerError

REOPENING = Backoff(0.1, 5.0)
"""Pauses between tries to open a lost device again."""


class Device(Protocol):
    """An open, non-blocking device: what a loop needs to read it."""

    def fileno(self) -> int:
        """Return the descriptor that the loop watches."""
        ...

    def read(self) -> bytes:
        """Return what has arrived, bounded; empty if nothing has.

        :raises ScannerError: the device is gone.
        """
        ...

    def close(self) -> None:
        """Give the device back. Never raises."""
        ...


class _Opening:
    """One opening of a device, watched by the running loop until it is lost."""

    def __init__(
        self,
        device: Device,
        received: Callable[[bytes, int], None],
        quiet: Callable[[int], None],
        quiet_s: float,
        monotonic_ns: Callable[[], int],
    ) -> None:
        self._device = device
        self._received = received
        self._quiet = quiet
        self._quiet_s = quiet_s
        self._monotonic_ns = monotonic_ns
        self._loop = asyncio.get_running_loop()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._last_ns = 0
        self.heard = False
        """Whether anything has arrived."""

    async def watch(self) -> None:
        """Return never; raise what the device, `received` or `quiet` raised."""
        descriptor = self._device.fileno()
        try:
            self._loop.add_reader(descriptor, self._guarded, self._read_once)
        except OSError as error:
            raise ScannerError("the device cannot be waited for: it is a plain file") from error
        try:
            await self._lost
        finally:
            self._loop.remove_reader(descriptor)
            if self._timer is not None:
                self._timer.cancel()

    def _guarded(self, step: Callable[[], object]) -> None:
        if self._lost.done():
            return
        try:
            step()
        except Exception as error:  # noqa: BLE001 - carried into watch(), whose caller hears of it
            self._lost.set_exception(error)

    def _read_once(self) -> bool:
        """Hand on one bounded piece, if there is one; the loop calls again while more is there."""
        data = self._device.read()
        if data:
            self.heard = True
            self._last_ns = self._monotonic_ns()
            if self._timer is None:
                self._arm(self._quiet_s)
            self._received(data, self._last_ns)
        return bool(data)

    def _arm(self, delay_s: float) -> None:
        self._timer = self._loop.call_later(delay_s, self._guarded, self._judge_silence)

    def _judge_silence(self) -> None:
        self._timer = None
        # First what has arrived: a loop that was held up must not take its own delay for silence.
        if self._read_once():
            return
        remaining_s = self._quiet_s - (self._monotonic_ns() - self._last_ns) / 1e9
        if remaining_s > 0:
            self._arm(remaining_s)
        else:
            self._quiet(self._monotonic_ns())


class DeviceReader:
    """Keeps one device open and hands on its bytes; the owner's task group runs `run`.

    `opened()` is called at each opening. `received(data, now_ns)` gets each bounded piece.
    `quiet(now_ns)` is called once the device has been silent for `quiet_s` after a piece, and only
    with nothing left to read. What these raise ends `run`. `changed(up)` hears of each opening and
    loss. `draw()` returns a random number in [0, 1) for each pause of `backoff`.
    """

    def __init__(
        self,
        open_device: Callable[[], Device],
        *,
        opened: Callable[[], None],
        received: Callable[[bytes, int], None],
        quiet: Callable[[int], None],
        quiet_s: float,
        monotonic_ns: Callable[[], int],
        draw: Callable[[], float],
        backoff: Backoff = REOPENING,
        changed: Callable[[bool], None] | None = None,
    ) -> None:
        self._open_device = open_device
        self._opened = opened
        self._received = received
        self._quiet = quiet
        self._quiet_s = quiet_s
        self._monotonic_ns = monotonic_ns
        self._draw = draw
        self._backoff = backoff
        self._changed = changed
        self._woken = asyncio.Event()
        self.up = False
        """Whether the device is open and has not been lost."""
        self.openings = 0
        """How often it was opened."""
        self.failure: ScannerError | None = None
        """Why it is not up, or why it was last lost."""

    def plugged(self) -> None:
        """End the pause before the next try, and begin the pauses anew: the device was announced.

        It may not be ready yet (its permissions come after it): what follows are quick tries again.
        """
        self._woken.set()

    async def run(self) -> None:
        """Open, read, and open again after each loss, until cancelled.

        A device that worked, however briefly, is tried again quickly.
        """
        failures = 0
        while True:
            self._woken.clear()
            began_ns = self._monotonic_ns()
            heard = await self._open_and_read()
            if heard or self._monotonic_ns() - began_ns > self._backoff.ceiling_s * 1e9:
                failures = 0
            failures += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._backoff.delay_s(failures, self._draw())):
                    await self._woken.wait()
                failures = 0

    async def _open_and_read(self) -> bool:
        """Return whether anything arrived, once the device cannot be opened or is lost.

        `failure` is set then.
        """
        try:
            device = self._open_device()
        except ScannerError as error:
            self.failure = error
            return False
        opening = None
        try:
            self._opened()
            self.openings += 1
            self._set_up(up=True)
            opening = _Opening(
                device, self._received, self._quiet, self._quiet_s, self._monotonic_ns
            )
            await opening.watch()
        except ScannerError as error:
            self.failure = error
        finally:
            device.close()
            self._set_up(up=False)
        return opening is not None and opening.heard

    def _set_up(self, *, up: bool) -> None:
        if up is not self.up:
            self.up = up
            if self._changed is not None:
                self._changed(up)


class DeviceSource:
    """What sources of readings have in common whose device a `DeviceReader` keeps open."""

    _reader: DeviceReader

    @property
    def up(self) -> bool:
        """Whether the device is open and has not been lost."""
        return self._reader.up

    def plugged(self) -> None:
        """Try to open the device at once, if it is not open: it was announced."""
        self._reader.plugged()

    async def run(self) -> None:
        """Read the device, opening it again after each loss, until cancelled."""
        await self._reader.run()
