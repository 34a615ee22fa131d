"""Whatever comes along a Modbus line, a question ends with an answer or an error, and in time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadCoilsResponse

from firmware_bridge.terminals.modbus_line import ModbusMaster
from firmware_bridge.terminals.terminals import CALL_LIMIT_MS, TerminalsError


class ScriptedLine:
    """A line on which anything may come, in a time of its own: each wait takes what it may take."""

    name = "line"

    def __init__(self, chunks: list[bytes]) -> None:
        self.now_ns = 0
        self.chunks = chunks

    def monotonic_ns(self) -> int:
        return self.now_ns

    def send(self, data: bytes, timeout_ms: int) -> None:
        self.now_ns += 1_000_000

    def rest(self, silence_ms: int) -> None:
        self.now_ns += silence_ms * 1_000_000

    def receive(self, timeout_ms: int) -> bytes:
        if self.chunks:
            self.now_ns += 1_000_000
            return self.chunks.pop(0)
        self.now_ns += timeout_ms * 1_000_000
        return b""


def a_master(line: ScriptedLine, *, rtu: bool) -> ModbusMaster:
    master = ModbusMaster(
        line,  # type: ignore[arg-type]
        unit=1,
        rtu=rtu,
        silence_ms=4,
        timeout_ms=100,
        monotonic_ns=line.monotonic_ns,
    )
    master.within(350)
    return master


def test_whoever_talks_on_and_on_is_not_listened_to() -> None:
    line = ScriptedLine([b"\x01\x01\xff" * 40] * 1_000)
    master = a_master(line, rtu=True)
    with pytest.raises(TerminalsError, match="garbled"):
        master.ask(ReadCoilsRequest(address=0, count=8), ReadCoilsResponse)
    assert len(line.chunks) >= 990


def _coils_answer(bits: list[bool], unit: int) -> bytes:
    answer = ReadCoilsResponse(bits=bits)
    answer.dev_id = unit
    return FramerRTU(DecodePDU(False)).buildFrame(answer)


garbled = st.one_of(
    st.binary(max_size=80),
    st.builds(_coils_answer, st.lists(st.booleans(), min_size=1, max_size=40), st.integers(0, 255)),
    st.builds(
        lambda code, extra: b"\x01" + bytes([code]) + extra, st.integers(0, 255), st.binary()
    ),
)


@given(st.lists(garbled, max_size=12), st.booleans())
def test_whatever_comes_is_an_answer_or_an_error_in_bounded_time(
    chunks: list[bytes], rtu: bool
) -> None:
    line = ScriptedLine(chunks)
    master = a_master(line, rtu=rtu)
    try:
        answer = master.ask(ReadCoilsRequest(address=0, count=8), ReadCoilsResponse)
    except TerminalsError:
        pass
    else:
        assert answer.dev_id == 1
    assert line.now_ns <= CALL_LIMIT_MS * 1_000_000
