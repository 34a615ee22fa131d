"""Pins behind a fake of gpiod's chip: levels, polarity, and errors that say what to do.

The real kernel stands behind the same driver in `make hardware`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gpiod
import msgspec
import pytest

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.errors import TerminalsError
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.terminals import gpio
from firmware_bridge.terminals.gpio import GpioTerminals, open_gpio
from firmware_bridge.terminals.gpio_spec import GpioSpec
from tests.firmware_bridge.bridges.bench import Bench
from tests.firmware_bridge.bridges.bench_process import SPEC, FakeChip

NOTHING: frozenset[Output] = frozenset()
WITH_ALL = BoardConfiguration(inputs=frozenset(Input))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(gpiod, "Chip", FakeChip)
    monkeypatch.setattr(gpio, "DEVICES", tmp_path)
    bench = Bench(tmp_path, "gpio")
    yield bench
    bench.close()


def opened(configuration: BoardConfiguration = WITH_ALL, spec: GpioSpec = SPEC) -> GpioTerminals:
    return open_gpio(spec, configuration)


def test_lines_are_requested_off_and_left_off(bench: Bench) -> None:
    terminals = opened()
    terminals.write(frozenset({Output.GATE, Output.GREEN}))
    terminals.close()
    levels = [on for _, on in bench.writes]
    assert levels == [NOTHING, {Output.GATE, Output.GREEN}, NOTHING]


def test_an_active_low_output_is_high_from_the_first_moment_on(bench: Bench) -> None:
    terminals = opened(
        BoardConfiguration(active_low=frozenset({Output.GATE}), inputs=frozenset(Input))
    )
    terminals.write(frozenset({Output.GATE, Output.RED}))
    terminals.close()
    levels = [on for _, on in bench.writes]
    assert levels == [{Output.GATE}, {Output.RED}, {Output.GATE}]


@pytest.mark.parametrize("bias", ["pull_up", "pull_down"])
@pytest.mark.parametrize("normally_closed", [False, True])
def test_a_contact_is_active_by_its_rest(bench: Bench, bias: str, normally_closed: bool) -> None:
    stop = frozenset({Input.STOP})
    spec = GpioSpec(SPEC.outputs, SPEC.inputs, {Input.STOP: bias})  # type: ignore[dict-item]
    terminals = opened(
        BoardConfiguration(inputs=stop, normally_closed=stop if normally_closed else frozenset()),
        spec,
    )
    open_contact = terminals.read()
    assert open_contact == (stop if normally_closed else frozenset())
    # `closed` is a low level: with a pull-down the contact closes to the supply instead.
    bench.touch(Input.STOP, closed=bias == "pull_up")
    assert terminals.read() == stop - open_contact
    terminals.close()


def test_only_what_is_fitted_is_requested(bench: Bench) -> None:
    bench.chip(0, "pinctrl-rp1", used={str(SPEC.outputs[Output.AMBER]): "lirc"})
    terminals = opened(BoardConfiguration(outputs=frozenset({Output.GATE}), inputs=frozenset()))
    assert terminals.wake_fds == ()
    assert terminals.read() == frozenset()
    terminals.close()


@pytest.mark.parametrize("label", ["pinctrl-rp1", "pinctrl-bcm2711", "pinctrl-bcm2835"])
def test_the_header_is_found_by_its_label_whatever_its_number(bench: Bench, label: str) -> None:
    bench.chip(0, "raspberrypi-exp-gpio")
    bench.chip(4, label)
    opened().close()
    assert bench.writes


def test_a_chip_can_be_named_by_label_and_by_path(bench: Bench) -> None:
    bench.chip(1, "expander")
    for name in ("expander", str(bench.folder / "gpiochip1")):
        opened(spec=msgspec.structs.replace(SPEC, chip=name)).close()


def test_a_missing_chip_lists_what_there_is(bench: Bench) -> None:
    bench.chip(0, "expander")
    with pytest.raises(TerminalsError, match=r"no GPIO chip.*expander \(.*gpiochip0\)"):
        opened()
    (bench.folder / "gpiochip0").unlink()
    with pytest.raises(TerminalsError, match="there is: none"):
        opened()
    with pytest.raises(TerminalsError, match="No such file"):
        opened(spec=msgspec.structs.replace(SPEC, chip=str(bench.folder / "gpiochip7")))


def test_a_line_in_use_names_its_user(bench: Bench) -> None:
    bench.chip(0, "pinctrl-rp1", used={str(SPEC.outputs[Output.GATE]): "lirc"})
    with pytest.raises(TerminalsError, match="GPIO24 by lirc"):
        opened()


def test_a_busy_input_leaves_no_output_requested(bench: Bench) -> None:
    bench.chip(0, "pinctrl-rp1", used={str(SPEC.inputs[Input.STOP]): "w1"})
    with pytest.raises(TerminalsError, match="GPIO9 by w1"):
        opened()
    assert bench.energised == NOTHING


def test_no_permission_names_the_group(bench: Bench) -> None:
    bench.chip(0, "pinctrl-rp1", forbidden=True)
    with pytest.raises(TerminalsError) as failure:
        opened()
    assert "group gpio" in failure.value.hint


def test_a_line_that_the_chip_lacks_is_refused(bench: Bench) -> None:
    spec = GpioSpec({**SPEC.outputs, Output.GATE: 60}, SPEC.inputs)
    with pytest.raises(TerminalsError, match="GPIO lines"):
        opened(spec=spec)


def test_what_is_fitted_needs_a_line(bench: Bench) -> None:
    spec = GpioSpec({Output.GREEN: 17}, {})
    with pytest.raises(TerminalsError, match="AMBER, BUTTON"):
        opened(spec=spec)


def test_one_line_serves_one_purpose() -> None:
    with pytest.raises(ValueError, match="GPIO17"):
        GpioSpec({Output.GREEN: 17}, {Input.STOP: 17})
