"""Wall time is believed only as far as somebody vouches for it now, and no step goes unnoticed."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.instant import ClockTrust
from admission.local_time import MAX_CLOCK_BEHIND_NS
from appliance import clock as clocks
from appliance.clock import BUILD_FLOOR_NS, TOLERANCE_NS, SystemClock

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
LATER = BUILD_FLOOR_NS + 100 * DAY


class Machine:
    """What a kernel would say."""

    def __init__(self, wall_ns: int = LATER, *, synchronised: bool = False, rtc: bool = False):
        self.wall_ns = wall_ns
        self.monotonic_ns = 5 * SECOND
        self.synchronised = synchronised
        self.clock = SystemClock(
            wall_ns=lambda: self.wall_ns,
            monotonic_ns=lambda: self.monotonic_ns,
            synchronised=lambda: self.synchronised,
            rtc=lambda: rtc,
            boot_id="boot",
        )

    def pass_time(self, nanoseconds: int) -> None:
        self.wall_ns += nanoseconds
        self.monotonic_ns += nanoseconds

    def step(self, nanoseconds: int) -> None:
        """Somebody sets the wall clock."""
        self.wall_ns += nanoseconds
        self.monotonic_ns += 2 * SECOND

    @property
    def trust(self) -> ClockTrust:
        return self.clock.now().trust


def test_nobody_vouches() -> None:
    assert Machine().trust is ClockTrust.UNKNOWN


def test_ntp_and_rtc_vouch() -> None:
    machine = Machine(rtc=True)
    assert machine.trust is ClockTrust.RTC
    machine.synchronised = True
    machine.pass_time(2 * SECOND)
    assert machine.trust is ClockTrust.SYNCHRONISED
    assert machine.clock.disciplined


def test_a_clock_from_before_this_software_is_wrong_whoever_vouches() -> None:
    assert Machine(wall_ns=0, synchronised=True, rtc=True).trust is ClockTrust.UNKNOWN


def test_a_head_is_a_floor_and_no_proof() -> None:
    """Somebody may serve an old head for ever: it never makes a clock trusted."""
    machine = Machine()
    machine.clock.note_head(LATER - 60 * SECOND)
    assert machine.trust is ClockTrust.UNKNOWN
    known = Machine(rtc=True)
    known.clock.note_head(LATER + DAY)
    assert known.trust is ClockTrust.UNKNOWN
    assert known.clock.now().wall_ns == LATER


@pytest.mark.parametrize("wrong_ns", [0, -700 * DAY, 60 * DAY])
def test_the_hubs_live_word_sets_a_clock_that_nobody_keeps(wrong_ns: int) -> None:
    machine = Machine(wall_ns=LATER + wrong_ns)
    assert machine.clock.vouch(LATER, machine.monotonic_ns)
    assert machine.trust is ClockTrust.SYNCHRONISED
    machine.pass_time(10 * SECOND)
    machine.step(-5 * DAY)
    assert machine.clock.now().wall_ns == LATER + 12 * SECOND
    assert machine.trust is ClockTrust.SYNCHRONISED


def test_the_hubs_word_from_before_a_known_time_is_refused() -> None:
    machine = Machine()
    machine.clock.note_head(LATER)
    assert not machine.clock.vouch(LATER - DAY, machine.monotonic_ns)
    assert machine.trust is ClockTrust.UNKNOWN


def test_a_hub_that_contradicts_itself_is_not_believed_until_somebody_decides() -> None:
    """Its clock was a year ahead for an hour: nobody may leave isolation early for that."""
    machine = Machine()
    assert machine.clock.vouch(LATER, machine.monotonic_ns)
    assert machine.trust is ClockTrust.SYNCHRONISED
    machine.pass_time(600 * SECOND)
    assert not machine.clock.vouch(LATER + 365 * DAY, machine.monotonic_ns)
    assert machine.trust is ClockTrust.UNKNOWN
    assert machine.clock.now().wall_ns == LATER + 600 * SECOND
    machine.synchronised = True  # NTP decides
    machine.pass_time(2 * SECOND)
    assert machine.trust is ClockTrust.SYNCHRONISED


def test_a_hub_put_right_again_is_believed_after_a_restart() -> None:
    machine = Machine()
    machine.clock.note_head(LATER + 365 * DAY)
    assert not machine.clock.vouch(LATER, machine.monotonic_ns)
    machine.clock.note_head(LATER)  # its next head, by sequence
    assert machine.clock.vouch(LATER, machine.monotonic_ns)
    assert machine.trust is ClockTrust.SYNCHRONISED


def test_ntp_counts_more_than_the_hub() -> None:
    machine = Machine(wall_ns=LATER, synchronised=True)
    machine.clock.now()
    machine.clock.vouch(LATER + 30 * DAY, machine.monotonic_ns)
    assert machine.clock.now().wall_ns == LATER


def test_a_clock_that_ntp_sets_right_afterwards_is_not_set_twice() -> None:
    machine = Machine(wall_ns=LATER - 700 * DAY)
    machine.clock.vouch(LATER, machine.monotonic_ns)
    machine.clock.now()
    machine.synchronised = True
    machine.step(700 * DAY + 1 * SECOND)
    assert machine.clock.now().wall_ns == LATER + 1 * SECOND


@pytest.mark.parametrize("step_ns", [-200 * DAY, -DAY, DAY, 200 * DAY])
def test_a_step_that_nobody_vouches_for_ends_the_trust(step_ns: int) -> None:
    machine = Machine(rtc=True)
    assert machine.trust is ClockTrust.RTC
    machine.step(step_ns)
    assert machine.trust is ClockTrust.UNKNOWN
    machine.pass_time(DAY)
    assert machine.trust is ClockTrust.UNKNOWN
    machine.step(-step_ns)
    assert machine.trust is ClockTrust.RTC


def test_time_goes_on_for_weeks_when_ntp_lets_go() -> None:
    machine = Machine(synchronised=True)
    assert machine.trust is ClockTrust.SYNCHRONISED
    machine.synchronised = False  # as the kernel says hours after the network is gone
    machine.pass_time(20 * DAY)
    assert machine.trust is ClockTrust.SYNCHRONISED
    assert machine.clock.now().wall_ns == LATER + 20 * DAY


@pytest.mark.parametrize("step_ns", [-8 * DAY, 8 * DAY])
def test_a_step_after_ntp_has_let_go_moves_nothing(step_ns: int) -> None:
    machine = Machine(synchronised=True)
    machine.pass_time(9 * DAY)
    assert machine.trust is ClockTrust.SYNCHRONISED
    before = machine.clock.now().wall_ns
    machine.synchronised = False
    machine.step(step_ns)
    assert machine.trust is ClockTrust.SYNCHRONISED
    assert machine.clock.now().wall_ns == before + 2 * SECOND


def test_a_head_within_the_laws_tolerance_takes_no_trust_away() -> None:
    machine = Machine(synchronised=True)
    machine.clock.note_head(LATER + MAX_CLOCK_BEHIND_NS - SECOND)
    assert machine.trust is ClockTrust.SYNCHRONISED


@given(st.lists(st.integers(-400 * DAY, 400 * DAY), max_size=8))
def test_without_a_voucher_trusted_time_never_runs_back(steps: list[int]) -> None:
    machine = Machine(rtc=True)
    trusted: list[int] = []
    for step in steps:
        now = machine.clock.now()
        if now.dated:
            trusted.append(now.wall_ns)
        machine.step(step)
        machine.pass_time(3 * SECOND)
    assert all(a <= b + TOLERANCE_NS for a, b in itertools.pairwise(trusted))


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
