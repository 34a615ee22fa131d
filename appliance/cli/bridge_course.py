"""The course of `chot bridge test`: every signal, every gate, every input, and what was seen."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from admission.certlogic_words import Language
from admission.gate import GateOutcome, Input, Side
from admission.signal import (
    ADMIT,
    ALARM,
    GATES,
    OUT_OF_ORDER,
    REFER,
    REFUSE,
    Output,
    Pulse,
    Signal,
    SignalName,
)
from appliance.cli.bridge_answers import (
    Finding,
    Result,
    beeps_in_words,
    beeps_of,
    lamps_in_words,
    lamps_of,
    read_beeps,
    read_lamps,
)
from appliance.cli.bridge_link import DARK
from appliance.cli.bridge_terminal import Terminal
from appliance.cli.bridge_words import ACTS, INPUTS, NO, SIGNALS, WORDS, YES, index_of
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.errors import BridgeError
from firmware_bridge.link.messages import BoardEvent, GateEvent, InputEvent

COURSE: Final = (ADMIT, REFER, REFUSE, OUT_OF_ORDER, ALARM)
SKIP: Final = "s"
_POLL_S: Final = 0.02
_CHANGES: Final = 2
"""To the other state and back."""
_MOVES: Final = (
    ("nothing", Result.SKIPPED),
    ("moved", Result.OTHERWISE),
    ("moved_twice", Result.SEEN),
)
_T = TypeVar("_T")


class Heard:
    """What a board tells of its inputs and its gate; `add` is a bridge's `on_event`."""

    def __init__(self) -> None:
        self._events: deque[BoardEvent] = deque(maxlen=1_000)

    def add(self, event: BoardEvent) -> None:
        """Take note of an event."""
        self._events.append(event)

    def clear(self) -> None:
        """Forget what was heard so far."""
        self._events.clear()

    def changes(self, source: Input) -> int:
        """Return how often an input changed; a passage, which comes as one event, counts twice."""
        return sum(_changes(event, source) for event in self._events)

    def passed(self, side: Side) -> bool:
        """Return whether somebody who was admitted passed."""
        return any(
            isinstance(event, GateEvent)
            and event.side is side
            and event.outcome is GateOutcome.PASSED
            for event in self._events
        )


def _changes(event: BoardEvent, source: Input) -> int:
    if isinstance(event, InputEvent):
        return int(event.input is source)
    passage = event.side.sensor is source and event.outcome is not GateOutcome.NOT_PASSED
    return _CHANGES if passage else 0


def without_gate(signal: Signal) -> Signal:
    """Return the signal's lamps and sound: a gate is opened only where somebody looks at it."""
    pulses = tuple(pulse for pulse in signal.pulses if pulse.output not in GATES)
    return msgspec.structs.replace(signal, pulses=pulses)


class Course:
    """Walks somebody through a board that answers.

    :param pulse_ms: for how long a gate is unlocked.
    """

    def __init__(
        self,
        bridge: McuBridge,
        heard: Heard,
        terminal: Terminal,
        language: Language,
        *,
        pulse_ms: int,
        gates: bool = True,
    ) -> None:
        self._bridge = bridge
        self._heard = heard
        self._terminal = terminal
        self._language: Language = language
        self._pulse_ms = pulse_ms
        self._gates = gates
        board = bridge.board
        self._outputs = board.outputs if board else frozenset[Output]()
        self._inputs = board.inputs if board else frozenset[Input]()

    async def walk(self, found: Callable[[Finding], None]) -> None:
        """Try everything; tell `found` of each finding.

        :raises NoTerminal: nobody answers any more.
        :raises BridgeError: the board is lost.
        """
        for signal in COURSE:
            shown = without_gate(signal)
            if lamps_of(shown, self._outputs):
                found(await self._ask_lamps(shown))
            if beeps_of(shown, self._outputs):
                found(await self._ask_beeps(shown))
            await self._bridge.show(DARK)
        for side in Side:
            if self._gates and side.gate in self._outputs:
                found(await self._try_gate(side))
        for source in sorted(self._inputs):
            found(await self._try_input(source))

    async def _ask_lamps(self, signal: Signal) -> Finding:
        expected = lamps_of(signal, self._outputs)
        seen = await self._ask(
            self._word("lamps", signal=self._name(signal)),
            lambda answer: read_lamps(answer, self._language),
            signal,
        )
        return Finding(
            f"{self._name(signal)}: {self._word('lamps_name')}",
            lamps_in_words(expected, self._language),
            self._word("skipped") if seen is None else lamps_in_words(seen, self._language),
            _result(seen, expected),
        )

    async def _ask_beeps(self, signal: Signal) -> Finding:
        expected = beeps_of(signal, self._outputs)
        heard = await self._ask(
            self._word("sound", signal=self._name(signal)),
            lambda answer: read_beeps(answer, self._language),
            signal,
        )
        return Finding(
            f"{self._name(signal)}: {self._word('sound_name')}",
            beeps_in_words(expected, self._language),
            self._word("skipped") if heard is None else beeps_in_words(heard, self._language),
            _result(heard, expected),
        )

    async def _try_gate(self, side: Side) -> Finding:
        what = self._word("gate_name", side=side.name)
        expected = self._word("gate_works")
        self._terminal.forget()
        clear = await self._ask(self._word("clear", side=side.name), self._yes_or_no)
        if not clear:
            return Finding(what, expected, self._word("gate_not_clear"), Result.SKIPPED)
        self._heard.clear()
        opening = Signal(SignalName.TEST, (Pulse(side.gate, self._pulse_ms),))
        try:
            await self._bridge.show(opening)
        except BridgeError as error:  # whoever looks at the gate is told why it stays shut
            self._terminal.tell(f"{error}\n  → {error.hint}")
            return Finding(what, expected, str(error), Result.OTHERWISE)
        works = await self._ask(self._word("unlocked", side=side.name), self._yes_or_no)
        if works is None:
            return Finding(what, expected, self._word("skipped"), Result.SKIPPED)
        seen = self._word("gate_works" if works else "gate_fails")
        if works and self._heard.passed(side):
            seen += f"; {self._word('passed')}"
        return Finding(what, expected, seen, Result.SEEN if works else Result.OTHERWISE)

    async def _try_input(self, source: Input) -> Finding:
        index = index_of(self._language)
        name, act = INPUTS[source][index], ACTS[source][index]
        self._terminal.tell(self._word("act", what=f"{name}: {act}"))
        self._heard.clear()
        line = asyncio.ensure_future(self._terminal.line())
        try:
            while not line.done() and self._heard.changes(source) < _CHANGES:
                state = "active" if source in self._bridge.sensed else "rest"
                self._terminal.live(f"  {name}: {self._word(state)}")
                if not self._bridge.alive:
                    raise self._bridge.last_error or BridgeError("the board fell silent")
                await asyncio.sleep(_POLL_S)
            if line.done():
                line.result()
        finally:
            line.cancel()
            self._terminal.live("")
        seen, result = _MOVES[min(self._heard.changes(source), _CHANGES)]
        return Finding(name, self._word("moved_twice"), self._word(seen), result)

    async def _ask(
        self, question: str, read: Callable[[str], _T | None], signal: Signal | None = None
    ) -> _T | None:
        """Ask until it is answered; None if it is skipped. Each time the signal is shown anew."""
        while True:
            if signal is not None:
                await self._bridge.show(signal)
            self._terminal.tell(question)
            answer = await self._terminal.line()
            if answer.lower() == SKIP:
                return None
            if (meaning := read(answer)) is not None:
                return meaning
            if answer:
                self._terminal.tell(self._word("not_understood", answer=answer))

    def _yes_or_no(self, answer: str) -> bool | None:
        word = answer.lower()
        return word in YES[self._language] if word in self._both else None

    @property
    def _both(self) -> tuple[str, ...]:
        return (*YES[self._language], *NO[self._language])

    def _name(self, signal: Signal) -> str:
        return SIGNALS[signal.name][index_of(self._language)]

    def _word(self, key: str, **values: str) -> str:
        return WORDS[key][index_of(self._language)].format(**values)


def _result(seen: object, expected: object) -> Result:
    if seen is None:
        return Result.SKIPPED
    return Result.SEEN if seen == expected else Result.OTHERWISE
