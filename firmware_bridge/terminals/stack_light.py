"""Stack lights on a serial cable: Adafruit 5125 and Patlite PHE.

Both are told levels, edge by edge: the patterns are the board's in front of them.
"""

from __future__ import annotations

import contextlib
from typing import Final, Protocol

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.terminals.cable_specs import StackLightSpec, check_fit
from firmware_bridge.terminals.line import Line, open_serial
from firmware_bridge.terminals.terminals import TerminalsError

BAUD: Final = 9_600
ANSWER_MS: Final = 150
POLL_MS: Final = 250
TRIES: Final = 2
ACK: Final = b"\x06"
NAK: Final = b"\x15"
_PATLITE_HINT: Final = (
    "check `model`, its power, and that its switches select normal mode at 9600 baud"
)


class _Light(Protocol):
    """One make's language."""

    def set(self, lit: frozenset[str]) -> None:
        """Light these tiers and no others."""

    def look(self) -> None:
        """Raise TerminalsError if the light is not there."""


class StackLightTerminals:
    """Stands behind the Terminals port. The light is dark when the opening returns."""

    def __init__(self, spec: StackLightSpec, configuration: BoardConfiguration) -> None:
        """Open the port and switch everything off.

        :raises TerminalsError: if the light is not there, or has no tier for an output.
        """
        check_fit(spec, configuration)
        self._tiers = spec.wired
        self._line = open_serial(spec.device, baud=BAUD)
        self._light: _Light = (
            AdafruitLight(self._line)
            if spec.model == "adafruit-5125"
            else PatliteLight(self._line, spec.buzzer_pattern)
        )
        with contextlib.ExitStack() as undo:
            undo.callback(self._line.close)
            self._light.set(frozenset())
            undo.pop_all()

    @property
    def wake_fds(self) -> tuple[int, ...]:
        """None: a light has nothing to say."""
        return ()

    @property
    def poll_ms(self) -> int | None:
        """How often to look whether the light is still there."""
        return POLL_MS

    def write(self, energised: frozenset[Output]) -> None:
        """Light the tiers of `energised` and no others.

        :raises TerminalsError: if the light is gone, or (Patlite) does not confirm.
        """
        self._light.set(
            frozenset(tier for output, tier in self._tiers.items() if output in energised)
        )

    def take_moved(self) -> frozenset[Input]:
        """Return nothing: levels are all that is told."""
        return frozenset()

    def read(self) -> frozenset[Input]:
        """Return no input: a light has none.

        :raises TerminalsError: if the light is gone.
        """
        self._light.look()
        return frozenset()

    def close(self) -> None:
        """Switch everything off, as far as the light can be reached, and give the port back."""
        try:
            self._light.set(frozenset())
        except TerminalsError:
            pass  # whoever closes after a failure has that failure to tell
        finally:
            self._line.close()


class AdafruitLight:
    """Adafruit 5125: one byte a tier and level, unanswered; only a pulled cable can be noticed.

    From the maker's example program: 0x11 red, 0x12 yellow, 0x14 green, 0x18 buzzer on, the same
    plus 0x10 off. All four are said each time, so that a lost byte does not stay.
    """

    ON: Final = {"red": 0x11, "amber": 0x12, "green": 0x14, "buzzer": 0x18}
    OFF_OFFSET: Final = 0x10

    def __init__(self, line: Line) -> None:
        self._line = line

    def set(self, lit: frozenset[str]) -> None:
        """Light these tiers and no others: first what goes off."""
        off = bytes(code + self.OFF_OFFSET for tier, code in self.ON.items() if tier not in lit)
        on = bytes(code for tier, code in self.ON.items() if tier in lit)
        self._line.send(off + on, ANSWER_MS)

    def look(self) -> None:
        """Raise TerminalsError if the port is gone."""
        self._line.rest(0)


class PatliteLight:
    """Patlite PHE-3FB3: `@`, the identity `??` (any), a command, its data, `!`.

    From the maker's manual T95100260, section 3.2: command S takes red, amber, green, two unused
    and the buzzer, one digit each (0 off, 1 on, for the buzzer its pattern); G asks for the same
    six digits; ACK (06) or NAK (15) answers S. Nothing is sent before the answer has come.
    """

    SET: Final = b"@??S%d%d%d00%d!"
    ASK: Final = b"@??G!"
    STATES: Final = frozenset(b"012349")

    def __init__(self, line: Line, buzzer_pattern: int) -> None:
        self._line = line
        self._pattern = buzzer_pattern

    def set(self, lit: frozenset[str]) -> None:
        """Light these tiers and no others, and wait until the light confirms it."""
        levels = [tier in lit for tier in ("red", "amber", "green")]
        buzzer = self._pattern if "buzzer" in lit else 0
        if self._ask(self.SET % (*levels, buzzer), 1) != ACK:
            raise self._strange("it answers to a command with its state")

    def look(self) -> None:
        """Ask for the state. Whoever pressed the light's Clear button meant it: any will do."""
        state = self._ask(self.ASK, 6)
        if not self.STATES.issuperset(state):
            raise self._strange("it answers with noise")

    def _ask(self, question: bytes, answer_bytes: int) -> bytes:
        heard = b""
        for _ in range(TRIES):
            self._line.rest(0)
            self._line.send(question, ANSWER_MS)
            heard = self._collect(answer_bytes)
            if len(heard) == answer_bytes and heard != NAK:
                return heard
        if heard == NAK:
            raise self._strange("it declines the command (NAK)")
        if heard:
            raise self._strange("its answer is cut short")
        msg = f"{self._line.name}: the stack light does not answer"
        raise TerminalsError(msg, hint=_PATLITE_HINT)

    def _collect(self, answer_bytes: int) -> bytes:
        heard = self._line.receive(ANSWER_MS)
        # At most one wait more: what comes in pieces comes within a byte's time of each other.
        while heard and heard != NAK and len(heard) < answer_bytes:
            more = self._line.receive(20)
            if not more:
                break
            heard += more
        return heard

    def _strange(self, what: str) -> TerminalsError:
        return TerminalsError(
            f"{self._line.name}: no Patlite PHE as expected: {what}", hint=_PATLITE_HINT
        )
