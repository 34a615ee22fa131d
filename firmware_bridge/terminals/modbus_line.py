"""One Modbus master on one line: a question and its answer, in bounded time.

The messages and frames are pymodbus's; the waiting is ours. Its synchronous client waits by the
wall clock, and a child that keeps a dead-man over relays may not hang when that clock is set.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU

from firmware_bridge.terminals.line import Line
from firmware_bridge.terminals.terminals import TerminalsError

TRIES: Final = 2
MAX_ANSWER_BYTES: Final = 512
"""Twice the largest frame (260 bytes over TCP): more than this is no answer but noise."""
_NS_PER_MS: Final = 1_000_000

_Answer = TypeVar("_Answer", bound=ModbusPDU)

# What pymodbus logs about bad frames would go to the child's error pipe, which is for the reason.
logging.getLogger("pymodbus").addHandler(logging.NullHandler())


class ModbusMaster:
    """Asks `unit`. `silence_ms` is the pause before each question (RTU: 3.5 characters).

    A question is asked `TRIES` times for `timeout_ms` each, but never beyond the limit that
    `within` set. `monotonic_ns` is the only time here.
    """

    def __init__(
        self,
        line: Line,
        *,
        unit: int,
        rtu: bool,
        silence_ms: int,
        timeout_ms: int,
        monotonic_ns: Callable[[], int],
    ) -> None:
        decoder = DecodePDU(False)
        self.line = line
        self._framer: FramerBase = FramerRTU(decoder) if rtu else FramerSocket(decoder)
        self._unit = unit
        self._rtu = rtu
        self._silence_ms = silence_ms
        self._timeout_ns = timeout_ms * _NS_PER_MS
        self._monotonic_ns = monotonic_ns
        self._limit_ns = 0
        self._transaction = 0

    def within(self, limit_ms: int) -> None:
        """Let all questions from now on, together, end within `limit_ms`."""
        self._limit_ns = self._monotonic_ns() + limit_ms * _NS_PER_MS

    def ask(self, request: ModbusPDU, answer: type[_Answer]) -> _Answer:
        """Return the unit's answer to `request`.

        :raises TerminalsError: if nobody or another unit answers, the answer is garbled or of
            another kind, or the unit declines.
        """
        request.dev_id = self._unit
        heard = _Heard()
        for _ in range(TRIES):
            self._transaction = self._transaction % 0xFFFF + 1
            request.transaction_id = 0 if self._rtu else self._transaction
            self.line.rest(self._silence_ms)
            self.line.send(self._framer.buildFrame(request), self._timeout_ns // _NS_PER_MS)
            reply = self._await(request, heard)
            if isinstance(reply, ExceptionResponse):
                raise _declined(self.line.name, self._unit, request, reply.exception_code)
            if isinstance(reply, answer):
                return reply
        raise heard.error(self.line.name, self._unit, by_network=not self._silence_ms)

    def _await(self, request: ModbusPDU, heard: _Heard) -> ModbusPDU | None:
        deadline_ns = min(self._monotonic_ns() + self._timeout_ns, self._limit_ns)
        received = b""
        count = 0
        while (left_ns := deadline_ns - self._monotonic_ns()) > 0:
            data = self.line.receive(-(-left_ns // _NS_PER_MS))
            count += len(data)
            if count > MAX_ANSWER_BYTES:
                break
            received += data
            while received:
                used, reply = self._decoded(received, heard)
                received = received[used:]
                if reply is not None and self._matches(request, reply, heard):
                    return reply
                if not used:
                    break
        heard.garbled = heard.garbled or count > 0
        return None

    def _decoded(self, data: bytes, heard: _Heard) -> tuple[int, ModbusPDU | None]:
        """Return how many bytes are done with, and a message if they held one."""
        try:
            return self._framer.handleFrame(data, 0, 0)
        except ModbusException:
            heard.garbled = True  # a sound frame that holds nonsense
            return len(data), None

    def _matches(self, request: ModbusPDU, reply: ModbusPDU, heard: _Heard) -> bool:
        if reply.dev_id != self._unit:
            heard.other_unit = reply.dev_id
            return False
        if not self._rtu and reply.transaction_id != request.transaction_id:
            return False  # the answer to a question that was given up
        return reply.function_code & 0x7F == request.function_code


class _Heard:
    """What came instead of an answer, over the tries."""

    def __init__(self) -> None:
        self.garbled = False
        self.other_unit: int | None = None

    def error(self, name: str, unit: int, *, by_network: bool) -> TerminalsError:
        if self.other_unit is not None:
            return TerminalsError(
                f"{name}: unit {self.other_unit} answers instead of unit {unit}",
                hint="set `unit` to the board's address, or the board's switches to this one",
            )
        if self.garbled:
            return TerminalsError(
                f"{name}: unit {unit} answers garbled",
                hint="check baud, parity, termination and bias, and that no second master asks",
            )
        return TerminalsError(
            f"{name}: unit {unit} does not answer",
            hint=_SILENT_IN_NETWORK if by_network else _SILENT_ON_RS485,
        )


_SILENT_IN_NETWORK: Final = (
    "check `unit`, `framing`, the board's power, and that no second master holds it"
)
_SILENT_ON_RS485: Final = (
    "check the board's power, `unit`, `baud` and `parity`, and that A and B are not swapped"
)
_EXCEPTIONS: Final = {
    1: ("it does not know the function", "does this board have coils or inputs of this kind?"),
    2: ("it has no such address", "coils and inputs are counted from 0: check their numbers"),
    3: ("it does not accept the value", "is `flash_off_ms` meant for this board?"),
    4: ("it reports a failure of its own", "switch its power off and on; replace it if it stays"),
    6: ("it is busy", "does a second master use this board?"),
    10: ("the gateway has no path to it", "check the gateway's configuration"),
    11: ("the gateway got no answer from it", "check `unit`, and the cable behind the gateway"),
}


def _declined(name: str, unit: int, request: ModbusPDU, code: int) -> TerminalsError:
    reason, hint = _EXCEPTIONS.get(code, (f"exception code {code}", "see the board's manual"))
    return TerminalsError(
        f"{name}: unit {unit} declines function {request.function_code} at address "
        f"{request.address}: {reason}",
        hint=hint,
    )
