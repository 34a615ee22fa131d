"""Modbus relay boards: outputs are coils, inputs are discrete inputs, by RS-485 or by network."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Final

from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadCoilsResponse,
    ReadDiscreteInputsRequest,
    ReadDiscreteInputsResponse,
    WriteMultipleCoilsRequest,
    WriteMultipleCoilsResponse,
    WriteSingleCoilRequest,
    WriteSingleCoilResponse,
)

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.terminals.cable_specs import FLASH_UNIT_MS, ModbusRelaySpec, check_fit
from firmware_bridge.terminals.line import Line, open_serial, open_tcp
from firmware_bridge.terminals.modbus_line import ModbusMaster
from firmware_bridge.terminals.terminals import CALL_LIMIT_MS, TerminalsError

FLASH_ON: Final = 0x0200
"""Waveshare: a write to this address plus the relay's number closes it for a time."""
COIL_CHECK_MS: Final = 250
_RESERVE_MS: Final = 50


class FlashCoilRequest(WriteSingleCoilRequest):
    """Waveshare's flash-on: a write of one coil (function 5) whose value is a time.

    From the maker's wiki, "Modbus RTU Relay", protocol V2: 01 05 02 00 00 07 8D B0 closes relay 0
    of unit 1 for 700 ms.
    """

    def __init__(self, coil: int, on_ms: int) -> None:
        super().__init__(address=FLASH_ON + coil, bits=[True])
        self.units = -(-on_ms // FLASH_UNIT_MS)

    def encode(self) -> bytes:
        """Return address and time in units of 100 ms."""
        return struct.pack(">HH", self.address, self.units)


class ModbusRelayTerminals:
    """Stands behind the Terminals port. All coils of the spec are off when the opening returns.

    Each write is read back. Between writes the coils are read every 250 ms: a board that lost its
    power for a moment, or a second master, is found out.
    """

    def __init__(
        self,
        spec: ModbusRelaySpec,
        configuration: BoardConfiguration,
        monotonic_ns: Callable[[], int],
    ) -> None:
        """Open the line and switch everything off.

        :raises TerminalsError: if nobody answers, or the spec and the configuration do not match.
        """
        check_fit(spec, configuration)
        self._spec = spec
        self._normally_closed = configuration.normally_closed
        self._monotonic_ns = monotonic_ns
        rtu = spec.framing == "rtu" or bool(spec.device)
        self._by_network = bool(spec.host)
        self._first = min(spec.coils.values())
        self._span = max(spec.coils.values()) - self._first + 1
        self._energised: frozenset[Output] = frozenset()
        self._checked_ns = 0
        self._master = ModbusMaster(
            _opened(spec),
            unit=spec.unit,
            rtu=rtu,
            # 3.5 characters of 11 bits, at least 1.75 ms (Modbus over serial line, 2.5.1.1).
            silence_ms=0 if self._by_network else max(-(-38_500 // spec.baud), 2),
            timeout_ms=spec.timeout_ms,
            monotonic_ns=monotonic_ns,
        )
        with contextlib.ExitStack() as undo:
            undo.callback(self._master.line.close)
            self._write(spec.coils, frozenset())
            undo.pop_all()

    @property
    def wake_fds(self) -> tuple[int, ...]:
        """None: a Modbus board speaks only when it is asked."""
        return ()

    @property
    def poll_ms(self) -> int | None:
        """How often to `read`."""
        if self._spec.poll_ms:
            return self._spec.poll_ms
        return 20 if self._by_network else 50

    def write(self, energised: frozenset[Output]) -> None:
        """Close the relays of `energised` and open all others; return once the board says so.

        :raises TerminalsError: if the board does not do it.
        """
        changed = energised ^ self._energised
        self._write([output for output in self._spec.coils if output in changed], energised)

    def take_moved(self) -> frozenset[Input]:
        """Return nothing: levels are all that is told."""
        return frozenset()

    def read(self) -> frozenset[Input]:
        """Return the active inputs, as they are now.

        :raises TerminalsError: if the board does not answer, or its coils are not as they were set.
        """
        self._master.within(CALL_LIMIT_MS - _RESERVE_MS)
        if self._monotonic_ns() - self._checked_ns >= COIL_CHECK_MS * 1_000_000:
            self._check()
        addresses = self._spec.discrete_inputs
        if not addresses:
            return frozenset()
        first = min(addresses.values())
        span = max(addresses.values()) - first + 1
        answer = self._master.ask(
            ReadDiscreteInputsRequest(address=first, count=span), ReadDiscreteInputsResponse
        )
        if len(answer.bits) < span:
            raise self._short("inputs", span, len(answer.bits))
        return frozenset(
            source
            for source, address in addresses.items()
            if bool(answer.bits[address - first]) is not (source in self._normally_closed)
        )

    def close(self) -> None:
        """Switch everything off, as far as the board can be reached, and give the line back."""
        try:
            self._write(self._spec.coils, frozenset())
        except TerminalsError:
            pass  # whoever closes after a failure has that failure to tell
        finally:
            self._master.line.close()

    def _write(self, outputs: Iterable[Output], energised: frozenset[Output]) -> None:
        self._master.within(CALL_LIMIT_MS - _RESERVE_MS)
        levels = {self._spec.coils[output]: output in energised for output in outputs}
        for address, bits in _runs(levels, single=bool(self._spec.flash_off_ms)):
            self._set(address, bits)
        self._energised = energised & self._spec.coils.keys()
        self._check()

    def _set(self, address: int, bits: list[bool]) -> None:
        if len(bits) > 1:
            several = self._master.ask(
                WriteMultipleCoilsRequest(address=address, bits=bits), WriteMultipleCoilsResponse
            )
            echoed = (several.address, several.count) == (address, len(bits))
        else:
            request = WriteSingleCoilRequest(address=address, bits=bits)
            if bits[0] and self._spec.flash_off_ms:
                request = FlashCoilRequest(address, self._spec.flash_off_ms)
            single = self._master.ask(request, WriteSingleCoilResponse)
            echoed = (single.address, bool(single.bits[0])) == (request.address, bits[0])
        if not echoed:
            msg = f"{self._master.line.name}: the board confirms another write than coil {address}"
            raise TerminalsError(msg, hint="does a second master use this board?")

    def _check(self) -> None:
        """Compare the board's coils with what was set."""
        answer = self._master.ask(
            ReadCoilsRequest(address=self._first, count=self._span), ReadCoilsResponse
        )
        if len(answer.bits) < self._span:
            raise self._short("coils", self._span, len(answer.bits))
        wrong = [
            f"{output.name.lower()} (coil {address})"
            for output, address in self._spec.coils.items()
            if bool(answer.bits[address - self._first]) is not (output in self._energised)
        ]
        if wrong:
            msg = f"{self._master.line.name}: not as it was set: {', '.join(wrong)}"
            raise TerminalsError(
                msg,
                hint="the board lost its power, a second master writes, or flash_off_ms is short",
            )
        self._checked_ns = self._monotonic_ns()

    def _short(self, kind: str, asked: int, got: int) -> TerminalsError:
        return TerminalsError(
            f"{self._master.line.name}: asked for {asked} {kind}, got {got}",
            hint="the board has fewer than the site's settings say",
        )


def _opened(spec: ModbusRelaySpec) -> Line:
    if spec.device:
        return open_serial(
            spec.device, baud=spec.baud, parity=spec.parity, stop_bits=spec.stop_bits
        )
    return open_tcp(spec.host, spec.port, timeout_ms=spec.timeout_ms)


def _runs(levels: Mapping[int, bool], *, single: bool) -> list[tuple[int, list[bool]]]:
    """Return the addresses in runs that follow each other, so that one write does for a run."""
    addresses = sorted(levels)
    if single:
        return [(address, [levels[address]]) for address in addresses]
    runs = groupby(enumerate(addresses), key=lambda pair: pair[1] - pair[0])
    found = ([address for _, address in run] for _, run in runs)
    return [(run[0], [levels[address] for address in run]) for run in found]
