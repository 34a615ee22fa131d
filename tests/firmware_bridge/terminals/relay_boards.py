"""Relay boards for tests: pymodbus's own server, by TCP or by RTU on a pair of pseudo-terminals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import struct
import threading
import time
import tty
from collections.abc import Awaitable, Callable, Iterator
from typing import Self

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import WriteSingleCoilRequest, WriteSingleCoilResponse
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

UNIT = 1
COILS = 8
JOIN_S = 5.0


class Clock:
    """The real one, slowed down, so that a loaded machine is no board that does not answer.

    Whoever tests what happens when nobody answers makes it `real` first. It can be put forward.
    """

    def __init__(self) -> None:
        self.ahead_ns = 0
        self._slow = 8

    def __call__(self) -> int:
        return time.monotonic_ns() // self._slow + self.ahead_ns

    def real(self) -> None:
        self._slow = 1


class NullModem:
    """Two serial devices wired to each other: what is written to one is read from the other.

    `spoil(data)` may change what goes from end 1 to end 0. Cutting it hangs both ends up.
    """

    def __init__(self) -> None:
        self.spoil: Callable[[bytes], bytes] = lambda data: data
        self._ends = [os.openpty(), os.openpty()]
        for master, slave in self._ends:
            tty.setraw(slave)
            os.set_blocking(master, False)
        self.paths = [os.ttyname(slave) for _, slave in self._ends]
        self._wake = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        if self._thread.is_alive():
            os.write(self._wake[1], b"x")
            self._thread.join(JOIN_S)

    def _carry(self) -> None:
        masters = [master for master, _ in self._ends]
        running = True
        while running:
            ready, _, _ = select.select([*masters, self._wake[0]], [], [])
            running = self._wake[0] not in ready
            for end, master in enumerate(masters):
                if master in ready:
                    data = os.read(master, 4096)
                    with contextlib.suppress(BlockingIOError):
                        os.write(masters[1 - end], self.spoil(data) if end else data)
        for descriptor in (*(fd for end in self._ends for fd in end), *self._wake):
            os.close(descriptor)


class FlashableCoil(WriteSingleCoilRequest):
    """The board's side of flash-on: 0x0200 + n closes relay n for so many units of 100 ms."""

    board: RelayBoard
    value = 0

    def decode(self, data: bytes) -> None:
        self.address, self.value = struct.unpack(">HH", data[:4])
        self.bits = [bool(self.value)]

    async def datastore_update(self, context: object, device_id: int) -> ModbusPDU:
        if not 0x0200 <= self.address < 0x0200 + COILS:
            return await super().datastore_update(context, device_id)  # type: ignore[arg-type]
        coil = self.address - 0x0200
        self.board.flashes.append((coil, self.value))
        await context.async_setValues(device_id, 5, coil, [True])  # type: ignore[attr-defined]
        asyncio.get_running_loop().call_later(
            self.value * 0.1,
            lambda: self.board.do(context.async_setValues(device_id, 5, coil, [False])),  # type: ignore[attr-defined]
        )
        return WriteSingleCoilResponse(
            address=self.address,
            bits=self.bits,
            dev_id=self.dev_id,
            transaction_id=self.transaction_id,
        )


class RelayBoard:
    """A board of eight relays and eight inputs at unit 1. A context manager.

    `answers(data)` may change, or swallow, each answer on its way out; `declines` is the exception
    with which it answers everything; `delays_s` makes each of the next answers late.
    """

    def __init__(self, device: str = "", *, flashes: bool = False, unit: int = UNIT) -> None:
        self.answers: Callable[[bytes], bytes] = lambda data: data
        self.declines: ExcCodes | None = None
        self.delays_s: list[float] = []
        self.requests: list[bytes] = []
        self.flashes: list[tuple[int, int]] = []
        self.port = 0
        self._device = device
        self._can_flash = flashes
        self._unit = unit
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(JOIN_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._server.shutdown()))
        self._thread.join(JOIN_S)
        assert not self._thread.is_alive()

    @property
    def coils(self) -> list[bool]:
        return self._ask(lambda: self._server.async_getValues(self._unit, 1, 0, COILS))

    def set_coil(self, address: int, on: bool) -> None:
        self._ask(lambda: self._server.async_setValues(self._unit, 5, address, [on]))

    def set_input(self, address: int, closed: bool) -> None:
        self._ask(lambda: self._server.async_setValues(self._unit, 2, address, [closed]))

    def do(self, work: Awaitable[object]) -> None:
        self._tasks = {asyncio.ensure_future(work)}

    def _ask(self, question: Callable[[], Awaitable[list[bool]]]) -> list[bool]:
        async def ask() -> list[bool]:
            return await question()

        return asyncio.run_coroutine_threadsafe(ask(), self._loop).result(JOIN_S)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._main())

    async def _main(self) -> None:
        bits = SimData(0, count=COILS, values=False, datatype=DataType.BITS)
        words = SimData(0, count=1, datatype=DataType.REGISTERS)
        device = SimDevice(
            self._unit, simdata=([bits], [bits], [words], [words]), action=self._action
        )
        custom = type("Flashable", (FlashableCoil,), {"board": self})
        settings = {"trace_packet": self._trace, "custom_pdu": [custom] if self._can_flash else []}
        if self._device:
            self._server = ModbusSerialServer(
                device,
                port=self._device,
                baudrate=9600,
                framer=FramerType.RTU,
                ignore_missing_devices=True,
                **settings,
            )
        else:
            self._server = ModbusTcpServer(device, address=("127.0.0.1", 0), **settings)
        await self._server.listen()
        if not self._device:
            self.port = self._server.transport.sockets[0].getsockname()[1]
        self._started.set()
        await self._server.serving

    async def _action(self, *_: object) -> ExcCodes | None:
        if self.delays_s:
            await asyncio.sleep(self.delays_s.pop())
        return self.declines

    def _trace(self, sending: bool, data: bytes) -> bytes:
        if sending:
            return self.answers(data)
        self.requests.append(bytes(data))
        return data


@contextlib.contextmanager
def a_board_in_the_network(**settings: bool) -> Iterator[RelayBoard]:
    with RelayBoard(**settings) as board:  # type: ignore[arg-type]
        yield board


@contextlib.contextmanager
def a_board_on_rs485(**settings: object) -> Iterator[tuple[RelayBoard, NullModem]]:
    with NullModem() as cable, RelayBoard(cable.paths[1], **settings) as board:  # type: ignore[arg-type]
        yield board, cable
