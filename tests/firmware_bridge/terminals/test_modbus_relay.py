"""A relay board does what it is told, or is found out; and nobody waits for it for long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.terminals.cable_specs import ModbusRelaySpec
from firmware_bridge.terminals.modbus_relay import FlashCoilRequest, ModbusRelayTerminals
from firmware_bridge.terminals.terminals import CALL_LIMIT_MS, TerminalsError
from tests.firmware_bridge.terminals.relay_boards import (
    Clock,
    NullModem,
    RelayBoard,
    a_board_in_the_network,
    a_board_on_rs485,
)

COILS = {Output.GREEN: 0, Output.RED: 1, Output.GATE: 5}
INPUTS = {Input.STOP: 2, Input.FIRE: 4}
WIRED = BoardConfiguration(
    outputs=frozenset(COILS),
    inputs=frozenset(INPUTS),
    normally_closed=frozenset({Input.FIRE}),
)
BOTH = frozenset({Output.GREEN, Output.GATE})


@dataclass
class Wired:
    board: RelayBoard
    spec: ModbusRelaySpec
    clock: Clock
    cable: NullModem | None = None

    def opened(self, configuration: BoardConfiguration = WIRED) -> ModbusRelayTerminals:
        return ModbusRelayTerminals(self.spec, configuration, self.clock)


@pytest.fixture
def by_network() -> Iterator[Wired]:
    with a_board_in_the_network() as board:
        spec = ModbusRelaySpec(COILS, host="127.0.0.1", port=board.port, discrete_inputs=INPUTS)
        yield Wired(board, spec, Clock())


@pytest.fixture
def on_rs485() -> Iterator[Wired]:
    with a_board_on_rs485() as (board, cable):
        spec = ModbusRelaySpec(COILS, device=cable.paths[0], discrete_inputs=INPUTS)
        yield Wired(board, spec, Clock(), cable)


@pytest.fixture(params=["by_network", "on_rs485"])
def wired(request: pytest.FixtureRequest) -> Wired:
    found: Wired = request.getfixturevalue(request.param)
    return found


def on(board: RelayBoard) -> set[int]:
    return {address for address, closed in enumerate(board.coils) if closed}


def test_outputs_are_coils_and_nobody_elses_coil_is_touched(wired: Wired) -> None:
    wired.board.set_coil(7, True)
    wired.board.set_coil(3, True)
    relays = wired.opened()
    relays.write(BOTH)
    assert on(wired.board) == {0, 5, 3, 7}
    relays.write(frozenset({Output.RED}))
    assert on(wired.board) == {1, 3, 7}
    relays.close()
    assert on(wired.board) == {3, 7}


def test_everything_is_off_once_it_is_open_and_once_it_is_closed(wired: Wired) -> None:
    for coil in COILS.values():
        wired.board.set_coil(coil, True)
    relays = wired.opened()
    assert on(wired.board) == set()
    relays.write(BOTH)
    relays.close()
    assert on(wired.board) == set()


def test_inputs_are_read_and_a_normally_closed_one_is_active_while_open(wired: Wired) -> None:
    relays = wired.opened()
    assert relays.read() == {Input.FIRE}
    wired.board.set_input(2, True)
    wired.board.set_input(4, True)
    assert relays.read() == {Input.STOP}
    relays.close()


def test_a_board_that_does_not_answer_ends_the_call_within_its_limit(wired: Wired) -> None:
    relays = wired.opened()
    wired.clock.real()
    wired.board.answers = lambda data: b""
    began_ns = time.monotonic_ns()
    with pytest.raises(TerminalsError, match="unit 1 does not answer") as raised:
        relays.write(BOTH)
    assert time.monotonic_ns() - began_ns < 2 * CALL_LIMIT_MS * 1_000_000
    assert "unit" in raised.value.hint
    relays.close()


def test_one_lost_answer_is_asked_for_again(wired: Wired) -> None:
    relays = wired.opened()
    lost: list[bytes] = []

    def lose_the_first(data: bytes) -> bytes:
        if lost:
            return data
        lost.append(data)
        return b""

    wired.board.answers = lose_the_first
    relays.write(BOTH)
    assert on(wired.board) == {0, 5}
    assert lost
    relays.close()


def test_an_answer_that_comes_late_is_taken_and_not_taken_for_a_later_one(wired: Wired) -> None:
    relays = wired.opened()
    wired.board.set_input(4, True)
    wired.clock.real()
    wired.board.delays_s = [0.13]  # beyond the first try, within the second
    assert relays.read() == frozenset()
    wired.board.set_input(2, True)
    assert relays.read() == {Input.STOP}
    relays.close()


def test_a_wrong_checksum_is_no_answer(on_rs485: Wired) -> None:
    relays = on_rs485.opened()
    on_rs485.clock.real()
    on_rs485.board.answers = lambda data: data[:-1] + bytes([data[-1] ^ 1])
    with pytest.raises(TerminalsError, match="garbled") as raised:
        relays.write(BOTH)
    assert "baud" in raised.value.hint
    on_rs485.board.answers = lambda data: data
    relays.close()


def test_noise_before_an_answer_is_asked_over(on_rs485: Wired) -> None:
    relays = on_rs485.opened()
    noise = [b"\xff\x00\x55"]
    on_rs485.board.answers = lambda data: noise.pop() + data if noise else data
    relays.write(BOTH)
    assert on(on_rs485.board) == {0, 5}
    relays.close()


def test_a_flood_is_cut_off(on_rs485: Wired) -> None:
    relays = on_rs485.opened()
    on_rs485.clock.real()
    assert on_rs485.cable is not None
    on_rs485.board.answers = lambda data: b"\x01\x03\xff" * 1_000
    with pytest.raises(TerminalsError, match="garbled"):
        relays.read()
    relays.close()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (ExcCodes.ILLEGAL_FUNCTION, "function"),
        (ExcCodes.ILLEGAL_ADDRESS, "no such address"),
        (ExcCodes.DEVICE_FAILURE, "failure"),
        (ExcCodes.DEVICE_BUSY, "busy"),
        (ExcCodes.GATEWAY_NO_RESPONSE, "gateway"),
    ],
)
def test_a_board_that_declines_says_why(wired: Wired, code: ExcCodes, words: str) -> None:
    relays = wired.opened()
    wired.board.declines = code
    with pytest.raises(TerminalsError, match=words) as raised:
        relays.write(BOTH)
    assert raised.value.hint
    wired.board.declines = None
    relays.close()


def test_a_wrong_unit_is_told_apart_from_a_dead_board() -> None:
    with a_board_on_rs485(unit=1) as (board, cable):
        board.answers = lambda data: _as_unit(9, data)
        spec = ModbusRelaySpec(COILS, device=cable.paths[0], discrete_inputs=INPUTS)
        with pytest.raises(TerminalsError, match="unit 9 answers instead of unit 1"):
            ModbusRelayTerminals(spec, WIRED, time.monotonic_ns)


def test_a_board_whose_relays_do_not_follow_is_found_out(wired: Wired) -> None:
    relays = wired.opened()
    wired.board.set_coil(1, True)  # as by a second master
    with pytest.raises(TerminalsError, match=r"red \(coil 1\)"):
        relays.write(BOTH)
    relays.close()


def test_relays_that_changed_by_themselves_are_found_out_between_writes(by_network: Wired) -> None:
    relays = by_network.opened()
    relays.write(BOTH)
    by_network.board.set_coil(5, False)  # as by a power cut of the board
    relays.read()
    by_network.clock.ahead_ns += 250_000_000
    with pytest.raises(TerminalsError, match=r"gate \(coil 5\)") as raised:
        relays.read()
    assert "power" in raised.value.hint
    relays.close()


def test_a_board_with_fewer_inputs_than_were_wired_is_refused(by_network: Wired) -> None:
    spec = ModbusRelaySpec(
        COILS, host="127.0.0.1", port=by_network.board.port, discrete_inputs={Input.STOP: 60}
    )
    configuration = BoardConfiguration(outputs=frozenset(COILS), inputs=frozenset({Input.STOP}))
    relays = ModbusRelayTerminals(spec, configuration, time.monotonic_ns)
    with pytest.raises(TerminalsError, match="no such address"):
        relays.read()
    relays.close()


def test_nobody_there_is_an_error_with_a_hint() -> None:
    with a_board_in_the_network() as board:
        port = board.port
    spec = ModbusRelaySpec(COILS, host="127.0.0.1", port=port)
    with pytest.raises(TerminalsError, match="cannot connect") as raised:
        ModbusRelayTerminals(spec, _outputs_only(), time.monotonic_ns)
    assert raised.value.hint


def test_a_pulled_cable_is_an_error_with_a_hint(on_rs485: Wired) -> None:
    relays = on_rs485.opened()
    assert on_rs485.cable is not None
    on_rs485.cable.cut()
    with pytest.raises(TerminalsError) as raised:
        relays.read()
    assert "cable" in raised.value.hint
    relays.close()


def test_rtu_frames_go_over_tcp_where_a_converter_wants_them() -> None:
    sent: list[bytes] = []
    with a_board_in_the_network() as board:
        board.answers = lambda data: sent.append(data) or data  # type: ignore[func-returns-value]
        spec = ModbusRelaySpec(COILS, host="127.0.0.1", port=board.port, framing="rtu")
        with pytest.raises(TerminalsError):
            ModbusRelayTerminals(spec, _outputs_only(), time.monotonic_ns)
        assert board.requests[0][:2] == b"\x01\x0f"  # unit and function, no MBAP header


def test_flash_on_has_the_bytes_of_the_makers_example() -> None:
    request = FlashCoilRequest(0, 700)
    request.dev_id = 1
    frame = FramerRTU(DecodePDU(False)).buildFrame(request)
    assert frame == bytes.fromhex("010502000007 8DB0")


def test_with_flash_off_the_board_itself_ends_a_relay() -> None:
    configuration = BoardConfiguration(
        outputs=frozenset({Output.GATE}), inputs=frozenset(), max_on_ms=(200,) * 6
    )
    with a_board_in_the_network(flashes=True) as board:
        spec = ModbusRelaySpec(
            {Output.GATE: 5}, host="127.0.0.1", port=board.port, flash_off_ms=300
        )
        relays = ModbusRelayTerminals(spec, configuration, time.monotonic_ns)
        relays.write(frozenset({Output.GATE}))
        assert board.flashes == [(5, 3)]
        assert on(board) == {5}
        relays.write(frozenset())  # the usual end: we are there, and faster
        assert on(board) == set()
        relays.write(frozenset({Output.GATE}))
        deadline = time.monotonic() + 5
        while on(board) and time.monotonic() < deadline:  # nobody is there: the board does it
            time.sleep(0.02)
        assert on(board) == set()
        relays.close()


def _as_unit(unit: int, data: bytes) -> bytes:
    changed = bytes([unit]) + data[1:-2]
    return changed + FramerRTU.compute_CRC(changed).to_bytes(2, "big")


def _outputs_only() -> BoardConfiguration:
    return BoardConfiguration(outputs=frozenset(COILS), inputs=frozenset())
