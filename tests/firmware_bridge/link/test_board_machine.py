"""Protects: whatever a host says and whatever the contacts do, the board's promises hold.

Two boards live through the same random life. One is looked after every millisecond, as on the
chip; the other only when it says that something is due. Both have to say and do the same.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.gate import GateOutcome, Input
from admission.signal import ADMIT, GATES, Output, Pulse, Signal, SignalName
from firmware_bridge.link.board import Board
from firmware_bridge.link.codec import frame_of, message_of
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.frame import Decoder, Frame, encode
from firmware_bridge.link.messages import (
    Acknowledge,
    Configure,
    EventAcknowledge,
    GateEvent,
    Heartbeat,
    Hello,
    HelloReply,
    InputEvent,
    Message,
    NotAcknowledged,
    ReadConfiguration,
    Show,
)
from firmware_bridge.link.outputs import REST_MS, Edge
from tests.admission.signals import signals
from tests.firmware_bridge.cables import MS
from tests.firmware_bridge.configurations import configurations

Act = Message | tuple[Input, int] | bool

BOTH_WAYS = Signal(SignalName.TEST, (Pulse(Output.GATE, 300), Pulse(Output.GATE_B, 5_000)))

acts = st.lists(
    st.tuples(
        st.one_of(
            st.builds(Show, signals, st.just(0)),
            st.builds(Show, st.sampled_from([ADMIT, BOTH_WAYS]), st.just(0)),
            st.builds(Hello, st.integers(0, 3)),
            st.just(Heartbeat()),
            st.just(ReadConfiguration()),
            st.tuples(st.sampled_from(Input), st.integers(0, 1)),
            st.tuples(st.sampled_from([Input.PASSAGE_A, Input.PASSAGE_B]), st.integers(0, 1)),
            st.sampled_from([True, False, Configure(BoardConfiguration())]),
        ),
        st.sampled_from([0, 1, 3, 20, 21, 50, 99, 100, 101, 250, 400, 480, 1_100]),
    ),
    min_size=8,
    max_size=40,
)


def _watched(hold: bool, fail_safe: bool) -> BoardConfiguration:
    """A gate with sensors on both sides, which random configurations seldom are."""
    inputs = frozenset(Input) - {Input.READY}
    return BoardConfiguration(
        inputs=inputs, hold=hold, fail_safe=fail_safe, window_ms=1_000, max_on_ms=(700,) * 6
    )


class Life:
    """One board, and the host that does to it what the test says."""

    def __init__(self, configuration: BoardConfiguration, *, every_ms: bool) -> None:
        self.board = Board(0, configuration=configuration)
        self.board.sample(frozenset(), 0)
        self.told: list[Message] = []
        self.edges: list[Edge] = []
        self.admitted: set[int] = set()
        self.answers = True
        self.reports: dict[int, GateEvent] = {}
        self._every_ms = every_ms
        self._decoder = Decoder()
        self._session = 0
        self._sequence = 0
        self._entry = 0

    def act(self, act: Act, now_ms: int) -> None:
        match act:
            case bool():
                self.board.jumper = act
            case (Input() as source, value):
                self.board.sense(source, value, now_ms * MS)
            case Show(signal):
                self._sequence = self._sequence % 255 + 1
                self._entry += 1
                fitted = self.board.configuration.outputs
                pulses = tuple(pulse for pulse in signal.pulses if pulse.output in fitted)
                self._say(Heartbeat() if self.board.has_host else Hello(self._entry), now_ms)
                self._note(now_ms)
                self._say(Show(Signal(signal.name, pulses), self._entry), now_ms)
            case Hello():
                self._sequence = 0
                self._say(act, now_ms)
            case _:
                self._say(act, now_ms)
        self._note(now_ms)

    def live(self, from_ms: int, until_ms: int) -> None:
        """Let time go by, later than `from_ms` and up to `until_ms`."""
        if self._every_ms:
            for at_ms in range(from_ms + 1, until_ms + 1):
                self.board.advance(at_ms * MS)
                self._note(at_ms)
            return
        while (due_ns := self.board.next_deadline_ns) is not None and due_ns <= until_ms * MS:
            self.board.advance(due_ns)
            self._note(due_ns // MS)

    def _say(self, message: Message, now_ms: int) -> None:
        session = 0 if isinstance(message, Hello) else self._session
        self.board.receive(encode(frame_of(message, session, self._sequence)), now_ms * MS)

    def _note(self, now_ms: int) -> None:
        while said := self.board.take_bytes():
            for frame in self._decoder.feed(said):
                self._hear(frame, now_ms)
        self.edges += self.board.take_edges()
        check_moment(self.board)

    def _hear(self, frame: Frame, now_ms: int) -> None:
        message = message_of(frame)
        self.told.append(message)
        match message:
            case HelloReply():
                self._session = message.session
            case Acknowledge():
                self.admitted.add(self._entry)
            case GateEvent():
                self.reports[frame.sequence] = message
        if isinstance(message, GateEvent | InputEvent) and self.answers:
            confirmed = frame_of(EventAcknowledge(), self._session, frame.sequence)
            self.board.receive(encode(confirmed), now_ms * MS)


def check_moment(board: Board) -> None:
    fitted = board.configuration.outputs
    assert board.energised <= fitted
    assert board.coils <= fitted
    if not board.has_host:
        assert not board.coils & GATES, "without a host no lock has current"
        assert not board.energised & GATES, "without a host no gate is unlocked"
        assert Output.BUZZER not in board.energised
    elif board.configuration.fail_safe:
        assert board.coils & GATES == (GATES & fitted) - board.energised


def check_life(life: Life, configuration: BoardConfiguration) -> None:
    for output in Output:
        stamps = [edge.at_ns // MS for edge in life.edges if edge.output is output]
        assert most_on_ms(stamps) <= configuration.max_on_ms[output]
    passed = Counter(
        event.entry
        for event in life.reports.values()
        if event.outcome in (GateOutcome.PASSED, GateOutcome.NOT_PASSED)
    )
    # An entry may open both sides; on each it comes to one end at most.
    assert all(count <= 2 for count in passed.values())
    assert set(passed) <= life.admitted, "who was refused neither passed nor failed to"


def most_on_ms(stamps: list[int]) -> int:
    most = total = 0
    last_off = -REST_MS
    for on, off in zip(stamps[::2], stamps[1::2], strict=True):
        total = off - on + (total if on - last_off < REST_MS else 0)
        most, last_off = max(most, total), off
    return most


any_board = configurations | st.builds(_watched, st.booleans(), st.booleans())


@settings(max_examples=8, deadline=None)
@given(any_board, acts)
def test_two_boards_of_one_life_say_and_do_the_same(
    configuration: BoardConfiguration, life: list[tuple[Act, int]]
) -> None:
    live_twice(configuration, life)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(any_board, acts)
def test_two_boards_of_one_life_say_and_do_the_same_in_many_lives(
    configuration: BoardConfiguration, life: list[tuple[Act, int]]
) -> None:
    live_twice(configuration, life)


def live_twice(configuration: BoardConfiguration, life: list[tuple[Act, int]]) -> None:
    chip, lazy = (Life(configuration, every_ms=every_ms) for every_ms in (True, False))
    now_ms = 0
    for act, wait_ms in [(Hello(9), 0), *life]:
        for one in (chip, lazy):
            one.act(act, now_ms)
            one.live(now_ms, now_ms + wait_ms)
        now_ms += wait_ms
        assert lazy.board.energised == chip.board.energised
    for one in (chip, lazy):
        one.answers = False
        one.live(now_ms, now_ms + configuration.dead_man_ms)
        assert not one.board.has_host
        one.board.receive(b"", (now_ms + 10_000) * MS)
    assert lazy.edges == chip.edges
    assert lazy.told == chip.told
    if not configuration.safe_blink:
        assert chip.board.energised == frozenset()
        check_life(chip, configuration)


@settings(max_examples=100, deadline=None)
@given(configurations, st.lists(st.binary(max_size=80), max_size=20))
def test_noise_energises_nothing(configuration: BoardConfiguration, noise: list[bytes]) -> None:
    board = Board(0, configuration=configuration)
    for number, chunk in enumerate(noise):
        board.receive(chunk, number * MS)
    assert not board.has_host
    answers = [message_of(frame) for frame in Decoder().feed(board.take_bytes())]
    assert all(isinstance(answer, NotAcknowledged) for answer in answers)
