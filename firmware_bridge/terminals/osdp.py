"""The lamp and the buzzer of an OSDP reader (IEC 60839-11-5), by libosdp's control panel.

Every lamp and tone is told its own end as well: a reader that hears no more goes dark by itself.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import osdp_sys  # type: ignore[import-not-found]
from osdp import LibFlag  # type: ignore[import-untyped]

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.terminals.cable_specs import OsdpSpec, check_fit
from firmware_bridge.terminals.line import open_serial
from firmware_bridge.terminals.osdp_line import LineChannel, key_in
from firmware_bridge.terminals.terminals import CALL_LIMIT_MS, TerminalsError

OPENING_MS: Final = 3_000
REFRESH_MS: Final = 20
"""libosdp wants to be called every 50 ms at least, or a reader counts the line as dead."""
STATUS_MS: Final = 250
SILENCE_MS: Final = 750
_DARK: Final[int] = osdp_sys.LED_COLOR_NONE
COLOURS: Final[dict[Output, int]] = {
    Output.RED: osdp_sys.LED_COLOR_RED,
    Output.AMBER: osdp_sys.LED_COLOR_AMBER,
    Output.GREEN: osdp_sys.LED_COLOR_GREEN,
}
"""One lamp has one colour at a time: of several the first of these, the more careful, is shown."""
_STEP_MS: Final = 2
_RESERVE_MS: Final = 50
_UNIT_MS: Final = 100
_NS_PER_MS: Final = 1_000_000
_SET_TEMPORARY, _CANCEL_TEMPORARY, _SET_PERMANENT = 2, 1, 1
_TONE_OFF, _TONE_DEFAULT = 1, 2
_SILENT: Final = "check its power, `address` and `baud`, and that A and B are not swapped"
_DECLINED: Final = "has it a lamp and a buzzer? check `reader`, `led`, and the line's termination"
_OTHER_KEY: Final = "is `key_file` this reader's key? the maker's set-up mode gives it another"
_NOT_PLAIN: Final = "check `baud`; a reader that wants a secure channel needs a `key_file`"

_Command = dict[str, Any]


class OsdpTerminals:
    """Stands behind the Terminals port. The lamp is dark when the opening returns."""

    def __init__(
        self,
        spec: OsdpSpec,
        configuration: BoardConfiguration,
        monotonic_ns: Callable[[], int],
    ) -> None:
        """Open the line, meet the reader (with a key: in a secure channel) and switch it off.

        :raises TerminalsError: if it does not answer, has another key, or the spec does not fit.
        """
        check_fit(spec, configuration)
        key = key_in(spec.key_file) if spec.key_file else None
        self._spec = spec
        self._monotonic_ns = monotonic_ns
        self._limits_ms = configuration.max_on_ms
        self._energised: frozenset[Output] = frozenset()
        self._tampered = False
        self._endings: deque[int] = deque()
        self._asked = False
        self._heard_ns = self._status_ns = monotonic_ns()
        self._line = open_serial(spec.device, baud=spec.baud)
        self._channel = LineChannel(self._line)
        self._panel = _panel(spec, key, self._channel)
        self._panel.set_event_callback(self._take_event)
        self._panel.set_command_completion_callback(self._take_ending)
        with contextlib.ExitStack() as undo:
            undo.callback(self._line.close)
            self._meet(secured=key is not None)
            self._darken()
            undo.pop_all()

    @property
    def wake_fds(self) -> tuple[int, ...]:
        """The line: the reader has answered."""
        return (self._line.descriptor,)

    @property
    def poll_ms(self) -> int | None:
        """How often to go on with the conversation."""
        return REFRESH_MS

    def write(self, energised: frozenset[Output]) -> None:
        """Let lamp and buzzer say this, and return once the reader has confirmed it.

        :raises TerminalsError: if it declines or does not answer.
        """
        commands = []
        if (colour := _colour(energised)) != _colour(self._energised):
            commands.append(self._lamp(colour))
        if Output.BUZZER in energised ^ self._energised:
            commands.append(self._buzzer(on=Output.BUZZER in energised))
        self._do(commands)
        self._energised = energised

    def take_moved(self) -> frozenset[Input]:
        """Return nothing: levels are all that is told."""
        return frozenset()

    def read(self) -> frozenset[Input]:
        """Go on with the conversation, and return TAMPER if the reader reports it.

        :raises TerminalsError: if the reader has fallen silent.
        """
        self._refresh()
        now_ns = self._monotonic_ns()
        if self._asked and self._endings:
            self._asked = False
            if self._endings.popleft() == osdp_sys.COMPLETION_OK:
                self._heard_ns = now_ns
        if now_ns - self._heard_ns > SILENCE_MS * _NS_PER_MS:
            raise self._failed("has fallen silent", _SILENT)
        if not self._asked and now_ns - self._status_ns >= STATUS_MS * _NS_PER_MS:
            self._status_ns = now_ns
            self._submit(
                {
                    "command": osdp_sys.CMD_STATUS,
                    "type": osdp_sys.STATUS_REPORT_LOCAL,
                    "report": b"",
                    "nr_entries": 0,
                }
            )
            self._asked = True
        return frozenset({Input.TAMPER}) if self._tampered else frozenset()

    def close(self) -> None:
        """Switch everything off, as far as the reader can be reached, and give the port back."""
        try:
            self._darken()
        except TerminalsError:
            pass  # whoever closes after a failure has that failure to tell
        finally:
            self._line.close()

    def _meet(self, *, secured: bool) -> None:
        deadline_ns = self._monotonic_ns() + OPENING_MS * _NS_PER_MS
        while not (self._panel.sc_status() if secured else self._panel.status()):
            if self._monotonic_ns() >= deadline_ns:
                raise self._unmet(secured=secured)
            self._refresh()
            self._line.wait(_STEP_MS)
        self._heard_ns = self._monotonic_ns()

    def _unmet(self, *, secured: bool) -> TerminalsError:
        if not self._channel.received:
            return self._failed("does not answer", _SILENT)
        if secured:
            return self._failed("answers, but opens no secure channel", _OTHER_KEY)
        return self._failed("answers, but not as an OSDP reader", _NOT_PLAIN)

    def _darken(self) -> None:
        # Black for good beneath, so that each lit time ends in the dark.
        permanent = self._lamp(_DARK)
        permanent |= {"temporary": False, "control_code": _SET_PERMANENT}
        self._do([permanent, self._lamp(_DARK), self._buzzer(on=False)])
        self._energised = frozenset()

    def _lamp(self, colour: int) -> _Command:
        lit = colour != _DARK
        units = self._units(*COLOURS)
        return {
            "command": osdp_sys.CMD_LED,
            "reader": self._spec.reader,
            "led_number": self._spec.led,
            "temporary": True,
            "control_code": _SET_TEMPORARY if lit else _CANCEL_TEMPORARY,
            "on_color": colour,
            "off_color": _DARK,
            "on_count": units,
            "off_count": 0,
            "timer_count": units,
        }

    def _buzzer(self, *, on: bool) -> _Command:
        return {
            "command": osdp_sys.CMD_BUZZER,
            "reader": self._spec.reader,
            "control_code": _TONE_DEFAULT if on else _TONE_OFF,
            "on_count": self._units(Output.BUZZER),
            "off_count": 0,
            "rep_count": 1,
        }

    def _units(self, *outputs: Output) -> int:
        return -(-max(self._limits_ms[output] for output in outputs) // _UNIT_MS)

    def _do(self, commands: list[_Command]) -> None:
        """Have the commands confirmed, one after the other."""
        if not commands:
            return
        deadline_ns = self._monotonic_ns() + (CALL_LIMIT_MS - _RESERVE_MS) * _NS_PER_MS
        earlier = int(self._asked)  # a question about its state, whose answer comes first
        for command in commands:
            self._submit(command)
        while len(self._endings) < earlier + len(commands):
            if self._monotonic_ns() >= deadline_ns:
                raise self._failed("does not confirm", _SILENT)
            self._refresh()
            self._line.wait(_STEP_MS)
        endings = list(self._endings)[earlier:]
        self._endings.clear()
        self._asked = False
        if any(ending != osdp_sys.COMPLETION_OK for ending in endings):
            # libosdp does not tell which, and leaves the reader alone for a second after either:
            # whoever opens it anew is faster.
            raise self._failed("declines a command, or its answer came damaged", _DECLINED)
        self._heard_ns = self._monotonic_ns()

    def _submit(self, command: _Command) -> None:
        if not self._panel.submit_command(0, command):
            raise self._failed("takes no commands", _SILENT)

    def _failed(self, what: str, hint: str) -> TerminalsError:
        return TerminalsError(f"{self._line.name}: reader {self._spec.address} {what}", hint=hint)

    def _refresh(self) -> None:
        self._panel.refresh()
        if self._channel.failure is not None:
            raise self._channel.failure

    def _take_event(self, reader: int, event: dict[str, Any]) -> int:  # noqa: ARG002 - libosdp's
        if event.get("event") == osdp_sys.EVENT_STATUS:
            report = event.get("report", b"")
            if event.get("type") == osdp_sys.STATUS_REPORT_LOCAL and report:
                self._tampered = bool(report[0])
        return 0

    def _take_ending(self, reader: int, command: _Command, status: int) -> None:  # noqa: ARG002
        self._endings.append(status)


def _panel(spec: OsdpSpec, key: bytes | None, channel: LineChannel) -> Any:
    osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)
    return osdp_sys.ControlPanel(
        [
            {
                "name": f"reader-{spec.address}",
                "address": spec.address,
                "flags": LibFlag.EnforceSecure if key else 0,
                "scbk": key,
                "channel": channel,
            }
        ]
    )


def _colour(energised: frozenset[Output]) -> int:
    for output, colour in COLOURS.items():
        if output in energised:
            return colour
    return _DARK
