"""Protects: the simulated board is a board: it keeps time alone, and its end is bounded."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from random import Random

import pytest

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.bridges.faults import FaultyWire
from firmware_bridge.bridges.port import open_device
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.errors import BridgeError
from firmware_bridge.link.codec import frame_of, message_of
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.frame import Decoder, encode
from firmware_bridge.link.messages import (
    BoardState,
    Heartbeat,
    Hello,
    HelloReply,
    Message,
    ResetCause,
)


def ask(path: str, message: Message, session: int = 0) -> Message:
    device = open_device(path)
    try:
        device.write(encode(frame_of(message, session, 0)))
        device.timeout = 5.0
        decoder = Decoder()
        while not (frames := decoder.feed(device.read(1))):
            pass
    finally:
        device.close()
    return message_of(frames[0])


def greet(path: str) -> HelloReply:
    reply = ask(path, Hello(9))
    assert isinstance(reply, HelloReply)
    return reply


def test_it_answers_whoever_opens_its_path() -> None:
    with SimulatedBoard(time.monotonic_ns) as board:
        assert greet(board.path).boot_count == 1
        board.reset(ResetCause.WATCHDOG)
        reply = greet(board.path)
    assert (reply.boot_count, reply.reset_cause) == (2, ResetCause.WATCHDOG)


def test_the_path_stays_over_unplug_and_replug_and_goes_at_the_end() -> None:
    with SimulatedBoard(time.monotonic_ns) as board:
        path = board.path
        board.unplug()
        board.unplug()
        assert not Path(path).exists()
        board.replug()
        board.replug()
        assert board.path == path
        greet(path)
    assert not Path(path).parent.exists()


def test_a_configuration_and_the_contacts_outlast_a_power_cut() -> None:
    wired = BoardConfiguration(inputs=frozenset({Input.FIRE}), debounce_ms=1, fail_safe=True)
    with SimulatedBoard(time.monotonic_ns, configuration=wired) as board:
        board.sense(Input.FIRE, 1)
        board.reset()
        reply = greet(board.path)
        assert board.coils == frozenset(), "who greets may be deaf"
        ask(board.path, Heartbeat(), reply.session)
        assert board.coils == {Output.GATE, Output.GATE_B}, "locked by current"
    assert reply.sensed == {Input.FIRE}
    assert reply.fingerprint == wired.fingerprint
    assert reply.state == BoardState.STORED


def test_a_damaged_configuration_is_told_and_nothing_is_driven() -> None:
    with SimulatedBoard(time.monotonic_ns, damaged=True) as board:
        board.fit_jumper()
        assert greet(board.path).state == BoardState.DAMAGED | BoardState.JUMPER
        assert board.coils == frozenset()


def test_leaving_ends_the_thread() -> None:
    with SimulatedBoard(time.monotonic_ns):
        assert "simulated-board" in {thread.name for thread in threading.enumerate()}
    assert "simulated-board" not in {thread.name for thread in threading.enumerate()}


def test_an_error_on_its_thread_reaches_the_owner() -> None:
    def stopped() -> int:
        if threading.current_thread().name == "simulated-board":
            raise ArithmeticError("no clock")
        return 0

    board = SimulatedBoard(stopped)
    with pytest.raises(ArithmeticError), board:
        pass


def test_a_healed_wire_changes_nothing() -> None:
    wire = FaultyWire(Random(1), lose=0.5, repeat=0.5, swap=0.5, cut=0.5, flip=0.5)
    sent = [bytes([number]) * 5 for number in range(50)]
    assert b"".join(map(wire.carry, sent)) != b"".join(sent)
    wire.healed = True
    wire.carry(b"")
    assert [wire.carry(chunk) for chunk in sent] == sent


def test_commands_after_the_end_are_refused() -> None:
    with SimulatedBoard(time.monotonic_ns) as board:
        pass
    with pytest.raises(BridgeError, match="not running"):
        board.unplug()
