"""Protects: the C core and the Python board are one machine, byte by byte and pin by pin.

Whoever reads the Python one (the gate cycle as a reducer, the order of checks) has read the chip's.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.gate import Input
from admission.signal import Output, Pulse, Signal, SignalName
from firmware_bridge.link.codec import frame_of
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.frame import Frame, encode
from firmware_bridge.link.messages import (
    Configure,
    Heartbeat,
    Hello,
    ReadConfiguration,
    Show,
)
from tests.admission.signals import signals
from tests.firmware_bridge.firmware.twins import Twins

T = TypeVar("T")

WRAP_MS = 1 << 32


def mostly(usual: T, others: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    return st.one_of(st.just(usual), st.just(usual), others)


bits = st.integers(0, 255)
limits_ms = st.sampled_from((20, 21, 99, 100, 101, 500, 5_000)) | st.integers(20, 5_000)
configurations = st.builds(
    BoardConfiguration,
    outputs=mostly(frozenset(Output), st.frozensets(st.sampled_from(Output))),
    active_low=st.frozensets(st.sampled_from(Output)),
    inputs=mostly(frozenset(Input), st.frozensets(st.sampled_from(Input))),
    normally_closed=st.frozensets(st.sampled_from(Input)),
    hold=st.booleans(),
    fail_safe=st.booleans(),
    safe_blink=st.booleans(),
    max_on_ms=st.tuples(*(limits_ms for _ in Output)),
    dead_man_ms=st.sampled_from((500, 1_000)) | st.integers(500, 1_000),
    window_ms=st.sampled_from((500, 600)) | st.integers(500, 10_000),
    min_pulse_ms=st.sampled_from((20, 100)) | st.integers(20, 1_000),
    debounce_ms=st.sampled_from((1, 2, 20)) | st.integers(1, 100),
    settle_ms=st.sampled_from((0, 1, 50)) | st.integers(0, 250),
)
gates = st.sampled_from((Output.GATE, Output.GATE_B))
admissions = st.builds(
    lambda gate, on_ms: Signal(SignalName.ADMIT, (Pulse(gate, on_ms), Pulse(Output.GREEN, 400))),
    gates,
    st.sampled_from((1, 20, 100, 300)) | st.integers(1, 5_000),
)
spans_ms = (
    st.sampled_from((0, 1, 2, 19, 20, 21, 49, 50, 51, 99, 100, 101, 249, 500, 999, 1_000, 1_001))
    | st.integers(0, 600)
    | st.integers(0, 6_000)
)
steps_ahead = st.sampled_from((1, 1, 1, 1, 0, 2, 127, 128, 255)) | bits
sessions = st.sampled_from((*(None,) * 20, 0, 1, 257))
entries = st.integers(0, WRAP_MS - 1)

actions = st.one_of(
    st.tuples(st.just("greet"), st.integers(0, 2)),
    st.tuples(st.just("admit"), admissions, entries, steps_ahead, sessions),
    st.tuples(st.just("admit"), admissions, entries, st.just(1), st.none()),
    st.tuples(st.just("show"), signals, entries, steps_ahead, sessions),
    st.tuples(st.just("repeat")),
    st.tuples(st.just("beat"), sessions),
    st.tuples(st.just("confirm")),
    st.tuples(st.just("confirm other"), bits),
    st.tuples(st.just("ask")),
    st.tuples(st.just("touch"), st.sampled_from(Input)),
    st.tuples(st.just("touch"), st.sampled_from((Input.PASSAGE_A, Input.PASSAGE_B, Input.READY))),
    st.tuples(st.just("crowd"), admissions, st.integers(2, 7)),
    st.tuples(st.just("go through"), st.sampled_from((Input.PASSAGE_A, Input.PASSAGE_B))),
    st.tuples(st.just("go through"), st.sampled_from((Input.PASSAGE_A, Input.PASSAGE_B))),
    st.tuples(st.just("press"), st.sampled_from(Input), st.integers(1, 150)),
    st.tuples(st.just("pass"), st.integers(0, 300)),
    st.tuples(st.just("hold on"), spans_ms),
    st.tuples(st.just("hold on"), spans_ms),
)
rare = st.one_of(
    st.tuples(st.just("pass"), spans_ms),
    st.tuples(st.just("jumper"), st.booleans()),
    st.tuples(st.just("configure"), configurations),
    st.tuples(st.just("raw"), st.integers(0, 15), st.binary(max_size=55), bits, sessions),
    st.tuples(st.just("version"), st.integers(0, 15), st.integers(0, 15)),
    st.tuples(st.just("noise"), st.binary(max_size=150)),
    st.tuples(st.just("damaged"), signals, st.integers(0, 500)),
    st.tuples(st.just("cut"), st.integers(1, 9)),
)


class Host:
    """Carries out actions on twins."""

    def __init__(self, twins: Twins) -> None:
        self.twins = twins
        self.sequence = 0
        self.said = b""

    def do(self, action: str, *given: object) -> None:
        getattr(self, "pass_" if action == "pass" else action.replace(" ", "_"))(*given)

    def greet(self, nonce: int) -> None:
        before = self.twins.session
        self.twins.say(Hello(nonce), session=0)
        if self.twins.session != before:
            self.sequence = 0

    def show(self, signal: Signal, entry: int, ahead: int, session: int | None) -> None:
        self.sequence = self.sequence + ahead & 0xFF
        frame = frame_of(
            Show(signal, entry), self.twins.session if session is None else session, self.sequence
        )
        self.said = encode(frame)
        self.twins.receive(self.said)

    admit = show

    def repeat(self) -> None:
        self.twins.receive(self.said)

    def beat(self, session: int | None) -> None:
        self.twins.say(Heartbeat(), session=session, sequence=self.sequence)

    def confirm(self) -> None:
        self.twins.confirm()

    def confirm_other(self, sequence: int) -> None:
        self.twins.say_raw(4, b"", sequence=sequence, session=None)

    def ask(self) -> None:
        self.twins.say(ReadConfiguration())

    def touch(self, source: Input) -> None:
        self.twins.touch((self.twins.contacts or frozenset()) ^ {source})

    def press(self, source: Input, for_ms: int) -> None:
        self.touch(source)
        self.twins.pass_ms(for_ms)
        self.touch(source)

    def crowd(self, signal: Signal, people: int) -> None:
        for entry in range(people):
            self.show(signal, entry, 1, None)

    def go_through(self, sensor: Input) -> None:
        configuration = self.twins.python.configuration
        self.press(sensor, configuration.debounce_ms)
        self.twins.pass_ms(configuration.settle_ms + configuration.debounce_ms)
        self.twins.confirm()

    def pass_(self, span_ms: int) -> None:
        self.twins.pass_ms(span_ms)

    def hold_on(self, span_ms: int) -> None:
        self.twins.hold_on(span_ms)

    def jumper(self, fitted: bool) -> None:
        self.twins.jumper(fitted)

    def configure(self, configuration: BoardConfiguration) -> None:
        self.twins.say(Configure(configuration))

    def raw(self, kind: int, payload: bytes, sequence: int, session: int | None) -> None:
        self.twins.say_raw(kind, payload, sequence=sequence, session=session)

    def version(self, version: int, kind: int) -> None:
        self.twins.receive(encode(Frame(kind, self.twins.session, 9, b"\1", version)))

    def noise(self, data: bytes) -> None:
        self.twins.receive(data)

    def damaged(self, signal: Signal, bit: int) -> None:
        data = bytearray(
            encode(frame_of(Show(signal, 5), self.twins.session, self.sequence + 1 & 255))
        )
        data[bit // 8 % len(data)] ^= 1 << bit % 8
        self.twins.receive(bytes(data))

    def cut(self, length: int) -> None:
        self.twins.receive(encode(frame_of(Heartbeat(), self.twins.session, 1))[:length])


class Life(msgspec.Struct, frozen=True):
    """What a board is, and what it lives through."""

    configuration: BoardConfiguration
    chip_starts_at_ms: int
    contacts: frozenset[Input] | None
    steps: list[tuple[object, ...]]


lives = st.builds(
    Life,
    configurations,
    st.sampled_from((0, WRAP_MS - 300, WRAP_MS // 2 - 9)) | st.integers(0, WRAP_MS - 1),
    st.sampled_from((frozenset(), frozenset({Input.READY}), frozenset({Input.READY}), None))
    | st.frozensets(st.sampled_from(Input)),
    st.lists(st.one_of(actions, actions, actions, actions, rare), min_size=12, max_size=60),
)


def live(life: Life) -> Twins:
    twins = Twins(life.configuration, chip_starts_at_ms=life.chip_starts_at_ms)
    host = Host(twins)
    if life.contacts is not None:
        twins.touch(life.contacts)
    host.greet(0)
    for action, *given_ in life.steps:
        host.do(str(action), *given_)
    return twins


@given(lives)
@settings(max_examples=15)
def test_the_c_core_does_what_the_python_board_does(life: Life) -> None:
    live(life)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@given(lives)
@settings(max_examples=3_000)
def test_the_c_core_does_what_the_python_board_does_in_many_lives(life: Life) -> None:
    live(life)
