"""Protects: the chip drives what its stored configuration says, and nothing if that is damaged."""

from __future__ import annotations

import pytest

from admission.signal import ADMIT, Output
from benchmarks.chip.chip import LED, Chip
from firmware_bridge.errors import BridgeRefused
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import (
    Acknowledge,
    BoardState,
    Configure,
    NotAcknowledged,
    Refusal,
    ResetCause,
    Show,
)
from tests.firmware_bridge.chip.eeprom import (
    COPY_A,
    COPY_B,
    SEALED_BYTES,
    damaged,
    with_configuration,
)
from tests.firmware_bridge.chip.host import BarePort, Host

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

OLD = BoardConfiguration(outputs=frozenset({Output.GREEN, Output.GATE}), dead_man_ms=600)
NEW = BoardConfiguration(
    outputs=frozenset({Output.RED, Output.GATE}),
    max_on_ms=(100, 200, 300, 400, 500, 600),
    dead_man_ms=700,
    window_ms=1_000,
    min_pulse_ms=400,
)
"""Differs in 20 of 28 bytes, so that storing it takes 2 x 68 ms."""
START_MS = 40


def first_driven(chip: Chip, output: Output) -> int | None:
    """Return the level that the output's pin shows first after the last start."""
    begin = chip.resets[-1].cycle
    later = [e for e in chip.edges_of(output) if e.cycle > begin and e.level is not None]
    return later[0].level if later else None


def test_a_new_chip_runs_on_the_defaults_and_drives_no_pin_low(tools: None) -> None:
    """A low level is what opens a gate behind a relay of the other kind."""
    with Chip() as chip:
        with Host(chip.path) as host:
            assert host.board.state == BoardState(0)
            assert host.board.fingerprint == BoardConfiguration().fingerprint
            host.show(ADMIT)
            assert chip.wait_until(lambda: chip.level(Output.GATE) == 1, 1.0)
            assert chip.wait_until(lambda: chip.level(Output.GATE) is None, 1.0)
        assert not any(edge.level == 0 for output in Output for edge in chip.edges_of(output))


def test_only_what_is_fitted_is_driven(tools: None) -> None:
    with Chip(eeprom=with_configuration(OLD)) as chip, Host(chip.path) as host:
        assert host.board.state == BoardState.STORED
        assert host.board.fingerprint == OLD.fingerprint
        assert {o for o in Output if chip.level(o) is not None} == OLD.outputs
        host.show(ADMIT)
        assert {o for o in Output if chip.level(o) is not None} == OLD.outputs


def test_a_configuration_damaged_in_both_copies_drives_nothing(tools: None) -> None:
    content = with_configuration(OLD)
    for copy in (COPY_A, COPY_B):
        content = damaged(content, copy + 3, b"\x3e")
    with Chip(eeprom=content) as chip, BarePort(chip.path) as port:
        hello = port.greet()
        assert hello.state == BoardState.DAMAGED
        assert port.ask(Show(ADMIT), 1) == NotAcknowledged(Refusal.NOT_CONFIGURED)
        chip.run_for(300)
        assert all(chip.level(output) is None for output in Output)
        blinks = [edge for edge in chip.edges if edge.pin == LED]
    with Chip(eeprom=content) as chip:
        chip.run_for(1_100)
        blinks = [edge for edge in chip.edges if edge.pin == LED]
        assert len(blinks) >= 8, "a quick blinking tells the technician"


@pytest.mark.parametrize("copy", [COPY_A, COPY_B])
def test_one_damaged_copy_does_not_matter(tools: None, copy: int) -> None:
    content = damaged(with_configuration(OLD), copy, b"\xff\xff")
    with Chip(eeprom=content) as chip, Host(chip.path) as host:
        assert host.board.state == BoardState.STORED
        assert host.board.fingerprint == OLD.fingerprint
        assert chip.eeprom()[:64] == with_configuration(OLD)[:64], "a second fault finds two copies"


def test_an_older_second_copy_is_brought_up_to_date(tools: None) -> None:
    """A power cut between the copies left it: other limits, another polarity, perhaps."""
    content = damaged(with_configuration(OLD), COPY_A, with_configuration(NEW)[:SEALED_BYTES])
    with Chip(eeprom=content) as chip, Host(chip.path) as host:
        assert host.board.fingerprint == NEW.fingerprint
        assert chip.eeprom()[:64] == with_configuration(NEW)[:64]


def test_without_the_jumper_nobody_configures(chip: Chip) -> None:
    before = chip.eeprom()
    with Host(chip.path) as host:
        with pytest.raises(BridgeRefused) as caught:
            host.call(host.bridge.configure(OLD))
        assert caught.value.reason == Refusal.LOCKED
        assert host.board.boot_count == 1
    assert chip.eeprom()[:64] == before[:64]


def test_a_configuration_is_stored_and_in_force_after_a_restart(chip: Chip) -> None:
    chip.jumper(fitted=True)
    with Host(chip.path) as host:
        host.show(ADMIT)
        host.call(host.bridge.configure(OLD))
        assert chip.eeprom()[:64] == with_configuration(OLD)[:64]
        assert host.board.fingerprint == OLD.fingerprint
        assert host.board.reset_cause is ResetCause.EXTERNAL, "meant, and no fault"
        assert host.board.boot_count == 2
        assert host.board.state == BoardState.STORED | BoardState.JUMPER
        assert host.call(host.bridge.read_configuration()) == OLD
        chip.run_for(50)
        assert chip.level(Output.GREEN) == 0, "what ran before the restart does not run after it"
        assert chip.level(Output.AMBER) is None


@pytest.mark.parametrize("after_ms", [1, 15, 30, 45, 60, 75, 90, 105, 120, 150, 180])
def test_a_power_cut_while_storing_leaves_the_old_or_the_new(tools: None, after_ms: int) -> None:
    with Chip(eeprom=with_configuration(OLD)) as chip:
        chip.jumper(fitted=True)
        with BarePort(chip.path) as port:
            port.greet()
            assert port.ask(Configure(NEW), 1) == Acknowledge()
            chip.run_for(after_ms)
            chip.reset("power_on")
            left = chip.eeprom()
            hello = port.greet()
        assert hello.state == BoardState.STORED | BoardState.JUMPER
        whole = left[:SEALED_BYTES] == with_configuration(NEW)[:SEALED_BYTES]
        assert hello.fingerprint == (NEW if whole else OLD).fingerprint


@pytest.mark.parametrize("active_low", [False, True])
@pytest.mark.parametrize("fail_safe", [False, True])
def test_polarity_and_fail_safe(tools: None, fail_safe: bool, active_low: bool) -> None:
    inverted = frozenset(Output) if active_low else frozenset[Output]()
    configuration = BoardConfiguration(fail_safe=fail_safe, active_low=inverted)
    without_current = 1 if active_low else 0
    with_current = 1 - without_current
    locked, released = (
        (with_current, without_current) if fail_safe else (without_current, with_current)
    )
    with Chip(eeprom=with_configuration(configuration)) as chip:
        chip.run_for(START_MS)
        for output in Output:
            assert first_driven(chip, output) == without_current, "no glitch before the first host"
            assert chip.level(output) == without_current
        with Host(chip.path) as host:
            assert chip.wait_until(lambda: chip.level(Output.GATE) == locked, 1.0)
            assert chip.level(Output.GREEN) == without_current
            host.show(ADMIT)
            assert chip.level(Output.GATE) == released
            assert chip.level(Output.GATE_B) == locked
            assert chip.level(Output.GREEN) == with_current
            assert chip.wait_until(lambda: chip.level(Output.GATE) == locked, 2.0)
        # The host is gone: the coils fall to what the site chose.
        chip.run_for(1_100)
        assert all(chip.level(output) == without_current for output in Output)
