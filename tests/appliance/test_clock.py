"""Wall time is believed only as far as somebody vouches for it, and never runs back unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from admission.instant import ClockTrust
from appliance import clock as clocks
from appliance.clock import BUILD_FLOOR_NS, TOLERANCE_NS, SystemClock

SECOND = 1_000_000_000
LATER = BUILD_FLOOR_NS + 10_000_000 * SECOND


class Machine:
    """What a kernel would say."""

    def __init__(self, wall_ns: int = LATER) -> None:
        self.wall_ns = wall_ns
        self.monotonic_ns = 5 * SECOND
        self.synchronised = False
        self.rtc = False

    def clock(self) -> SystemClock:
        return SystemClock(
            wall_ns=lambda: self.wall_ns,
            monotonic_ns=lambda: self.monotonic_ns,
            synchronised=lambda: self.synchronised,
            rtc=lambda: self.rtc,
            boot_id="boot",
        )

    def pass_time(self, seconds: int) -> None:
        self.wall_ns += seconds * SECOND
        self.monotonic_ns += seconds * SECOND


def test_nobody_vouches() -> None:
    assert Machine().clock().now().trust is ClockTrust.UNKNOWN


def test_ntp_and_rtc_vouch() -> None:
    machine = Machine()
    machine.rtc = True
    clock = machine.clock()
    assert clock.now().trust is ClockTrust.RTC
    machine.synchronised = True
    machine.pass_time(2)
    assert clock.now().trust is ClockTrust.SYNCHRONISED


def test_a_clock_from_before_this_software_is_wrong_whoever_vouches() -> None:
    machine = Machine(wall_ns=0)
    machine.synchronised = machine.rtc = True
    assert machine.clock().now().trust is ClockTrust.UNKNOWN


def test_a_head_that_agrees_vouches() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.anchor(LATER - 60 * SECOND, LATER + 3600 * SECOND)
    assert clock.now().trust is ClockTrust.SYNCHRONISED
    assert clock.now().wall_ns == LATER


def test_a_clock_behind_a_head_is_set_forward() -> None:
    machine = Machine(wall_ns=0)
    clock = machine.clock()
    clock.anchor(LATER, LATER + 3600 * SECOND)
    assert clock.now().wall_ns == LATER
    assert clock.now().trust is ClockTrust.SYNCHRONISED
    machine.pass_time(10)
    assert clock.now().wall_ns == LATER + 10 * SECOND


def test_a_clock_that_ntp_sets_right_afterwards_is_not_set_twice() -> None:
    machine = Machine(wall_ns=LATER - 2 * 365 * 86_400 * SECOND)
    clock = machine.clock()
    clock.anchor(LATER, LATER + 3600 * SECOND)
    machine.pass_time(10)
    machine.wall_ns = LATER + 12 * SECOND  # NTP steps it
    assert clock.now().wall_ns == LATER + 12 * SECOND
    machine.wall_ns = 0  # and somebody sets it back
    assert clock.now().wall_ns == LATER + 10 * SECOND


def test_an_expired_head_proves_nothing_and_moves_nothing() -> None:
    clock = Machine().clock()
    clock.anchor(LATER - 7200 * SECOND, LATER - 3600 * SECOND)
    assert clock.now().trust is ClockTrust.UNKNOWN
    assert clock.now().wall_ns == LATER


def test_stepping_back_behind_the_floor_ends_the_trust() -> None:
    machine = Machine()
    machine.synchronised = True
    clock = machine.clock()
    clock.raise_floor(LATER - TOLERANCE_NS)
    assert clock.now().trust is ClockTrust.SYNCHRONISED
    machine.wall_ns = LATER - 2 * TOLERANCE_NS
    machine.monotonic_ns += 2 * SECOND
    assert clock.now().trust is ClockTrust.UNKNOWN


def test_this_machine_answers() -> None:
    clock = SystemClock()
    first, second = clock.now(), clock.now()
    assert first.boot_id == second.boot_id
    assert first.monotonic_ns <= second.monotonic_ns
    assert isinstance(clocks.kernel_synchronised(), bool)


@pytest.mark.parametrize(("text", "expected"), [("1\n", True), ("0\n", False)])
def test_rtc_is_read_from_the_kernel(tmp_path: Path, text: str, expected: bool) -> None:
    (tmp_path / "rtc0").mkdir()
    (tmp_path / "rtc0" / "hctosys").write_text(text)
    assert clocks.set_from_rtc(tmp_path) is expected


def test_a_machine_without_these_files(tmp_path: Path) -> None:
    assert clocks.read_boot_id(tmp_path / "none") == "unknown"
    assert clocks.set_from_rtc(tmp_path / "none") is False
