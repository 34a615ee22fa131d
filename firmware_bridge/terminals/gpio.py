"""Pins of this computer through the kernel's GPIO character device (gpiod v2).

The chip is found by its label: its number changes from board to board and from kernel to kernel
(the Raspberry Pi 5's header was gpiochip4 and became gpiochip0).
"""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import gpiod
from gpiod.line import Bias, Direction, Edge, Value

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.terminals.gpio_spec import GpioSpec
from firmware_bridge.terminals.terminals import TerminalsError

HEADER_LABELS: Final = ("pinctrl-rp1", "pinctrl-bcm2711", "pinctrl-bcm2835")
"""The chips behind the 40-pin header of the Raspberry Pi 5, 4, and those before."""
CONSUMER: Final = "chot"
DEVICES: Final = Path("/dev")
PULL_S: Final = 0.02
"""How long a pull-up may take to lift a long cable, before the first look at it."""
_BIAS: Final = {
    "pull_up": Bias.PULL_UP,
    "pull_down": Bias.PULL_DOWN,
    "disabled": Bias.DISABLED,
}
_HINTS: Final[dict[int | None, str]] = {
    errno.EACCES: "add the user to the group gpio, or install the shipped udev rules",
    errno.EPERM: "add the user to the group gpio, or install the shipped udev rules",
    errno.ENOENT: "name the chip by its label: `gpiodetect` lists what there is",
    errno.EINVAL: "does this chip have such a line, and can it pull it up or down?",
}

_Settings = dict[Iterable[int | str] | int | str, gpiod.LineSettings | None]


class GpioTerminals:
    """Requested lines behind the Terminals port. The chip itself is closed again.

    :raises TerminalsError: if a line is in use or cannot be had that way.
    """

    def __init__(self, chip: gpiod.Chip, spec: GpioSpec, configuration: BoardConfiguration) -> None:
        self._outputs = {output: spec.outputs[output] for output in configuration.outputs}
        self._inputs = {source: spec.inputs[source] for source in configuration.inputs}
        self._sources = {line: source for source, line in self._inputs.items()}
        with contextlib.ExitStack() as undo:
            # Off from the first moment: the request sets direction and value in one step.
            self._writing = _requested(chip, _output_settings(self._outputs, configuration))
            undo.callback(_release, self._writing)
            self._reading = _requested(chip, _input_settings(self._inputs, spec, configuration))
            undo.pop_all()
        time.sleep(PULL_S)

    @property
    def wake_fds(self) -> tuple[int, ...]:
        """The request of the inputs: each edge makes it readable."""
        return (self._reading.fd,) if self._reading else ()

    @property
    def poll_ms(self) -> int | None:
        """None: the kernel tells of every edge."""
        return None

    def write(self, energised: frozenset[Output]) -> None:
        """Set all output lines in one call.

        :raises TerminalsError: if the kernel refuses.
        """
        if not self._writing:
            return
        values: dict[int | str, Value] = {
            line: _value(output in energised) for output, line in self._outputs.items()
        }
        try:
            self._writing.set_values(values)
        except OSError as error:
            raise _failed(error, "set GPIO", *self._outputs.values()) from error

    def take_moved(self) -> frozenset[Input]:
        """Return the inputs with an edge since the last call, as the kernel noted them.

        :raises TerminalsError: if the kernel refuses.
        """
        moved: set[Input] = set()
        try:
            while self._reading and self._reading.wait_edge_events(0):
                moved |= {
                    self._sources[edge.line_offset] for edge in self._reading.read_edge_events()
                }
        except OSError as error:
            raise _failed(error, "read GPIO", *self._inputs.values()) from error
        return frozenset(moved)

    def read(self) -> frozenset[Input]:
        """Return the active inputs.

        :raises TerminalsError: if the kernel refuses.
        """
        if not self._reading:
            return frozenset()
        try:
            values = self._reading.get_values(list(self._inputs.values()))
        except OSError as error:
            raise _failed(error, "read GPIO", *self._inputs.values()) from error
        sensed = zip(self._inputs, values, strict=True)
        return frozenset(source for source, value in sensed if value is Value.ACTIVE)

    def close(self) -> None:
        """Switch off and give the lines back."""
        with contextlib.suppress(TerminalsError):
            self.write(frozenset())
        _release(self._writing)
        _release(self._reading)


def open_gpio(spec: GpioSpec, configuration: BoardConfiguration) -> GpioTerminals:
    """Find the chip and request its lines, all outputs off.

    :raises TerminalsError: if there is no such chip, no permission, or a line cannot be had.
    """
    lacking = [*(configuration.outputs - spec.outputs.keys())]
    lacking_inputs = [*(configuration.inputs - spec.inputs.keys())]
    if lacking or lacking_inputs:
        names = ", ".join(sorted(each.name for each in (*lacking, *lacking_inputs)))
        msg = f"no GPIO line is named for {names}"
        raise TerminalsError(msg, hint="name its BCM number, or leave it out of what is fitted")
    with _opened_chip(spec.chip) as chip:
        return GpioTerminals(chip, spec, configuration)


def find_chip(wanted: str) -> str:
    """Return the device of the chip that is wanted, as in `GpioSpec.chip`.

    :raises TerminalsError: if there is none, or one may not be looked at.
    """
    return wanted if wanted.startswith("/") else _path_of(wanted)


@contextlib.contextmanager
def _opened_chip(wanted: str) -> Iterator[gpiod.Chip]:
    path = find_chip(wanted)
    try:
        chip = gpiod.Chip(path)
    except OSError as error:
        raise _failed(error, "open", path) from error
    with chip:
        yield chip


def _path_of(label: str) -> str:
    """Return the device of the chip with this label, or of the header if it is empty."""
    labels = dict(_labelled_chips())
    for wanted in (label,) if label else HEADER_LABELS:
        if wanted in labels:
            return labels[wanted]
    there = ", ".join(f"{found} ({path})" for found, path in labels.items()) or "none"
    msg = f"no GPIO chip labelled {label or ' or '.join(HEADER_LABELS)}; there is: {there}"
    raise TerminalsError(msg, hint="is this computer the right one? name its chip by the label")


def _labelled_chips() -> Iterator[tuple[str, str]]:
    """Yield label and device of each chip.

    :raises TerminalsError: if one may not be opened.
    """
    for device in sorted(DEVICES.glob("gpiochip*")):
        try:
            with gpiod.Chip(str(device)) as chip:
                yield chip.get_info().label, str(device)
        except PermissionError as error:
            raise _failed(error, "open", device) from error
        except OSError:
            continue  # it went while we looked


def _output_settings(outputs: dict[Output, int], configuration: BoardConfiguration) -> _Settings:
    return {
        line: gpiod.LineSettings(
            direction=Direction.OUTPUT,
            active_low=output in configuration.active_low,
            output_value=Value.INACTIVE,
        )
        for output, line in outputs.items()
    }


def _input_settings(
    inputs: dict[Input, int], spec: GpioSpec, configuration: BoardConfiguration
) -> _Settings:
    settings: _Settings = {}
    for source, line in inputs.items():
        bias = spec.bias.get(source, "pull_up")
        closed_is_low = bias != "pull_down"
        settings[line] = gpiod.LineSettings(
            direction=Direction.INPUT,
            edge_detection=Edge.BOTH,
            bias=_BIAS[bias],
            active_low=closed_is_low is not (source in configuration.normally_closed),
        )
    return settings


def _requested(chip: gpiod.Chip, settings: _Settings) -> gpiod.LineRequest | None:
    if not settings:
        return None
    try:
        return chip.request_lines(settings, consumer=CONSUMER)
    except ValueError as error:
        msg = f"GPIO lines {', '.join(map(str, settings))}: {error}"
        raise TerminalsError(msg, hint=_HINTS[errno.EINVAL]) from error
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise _busy(chip, [line for line in settings if isinstance(line, int)]) from error
        raise _failed(error, "request GPIO", *settings) from error


def _busy(chip: gpiod.Chip, lines: Iterable[int]) -> TerminalsError:
    """Say which line is in use and by whom."""
    users = []
    for line in lines:
        with contextlib.suppress(OSError):
            info = chip.get_line_info(line)
            if info.used:
                users.append(f"GPIO{line} by {info.consumer or 'the kernel'}")
    return TerminalsError(
        f"in use: {', '.join(users) or 'a line, by somebody who has gone again'}",
        hint="end that program, or wire and configure another line",
    )


def _failed(error: OSError, verb: str, *objects: object) -> TerminalsError:
    what = f"cannot {verb} {', '.join(map(str, objects))}"
    return TerminalsError(f"{what}: {error.strerror or error}", hint=_HINTS.get(error.errno, ""))


def _value(active: bool) -> Value:
    return Value.ACTIVE if active else Value.INACTIVE


def _release(request: gpiod.LineRequest | None) -> None:
    if request is not None:
        request.release()
