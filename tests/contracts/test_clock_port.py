"""The Clock port's contract: one suite for the gate's clock, the hub's and the one of the tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest

from admission.instant import ClockTrust, Instant
from admission.ports import Clock
from appliance.clock import SystemClock
from hub.clock import HubClock
from tests.worlds import ManualClock

BEGUN = datetime(2020, 1, 1, tzinfo=UTC)
"""Before every moment that a clock of this house can tell, and far from zero."""


class World(msgspec.Struct):
    """A clock, and how to let some time pass on it."""

    clock: Clock
    let_pass: Callable[[], None]


def running(clock: Clock) -> World:
    def let_pass() -> None:
        begun = clock.now().monotonic_ns
        while clock.now().monotonic_ns == begun:
            pass  # a tick of a real clock: nanoseconds

    return World(clock, let_pass)


def of_the_gate() -> World:
    return running(SystemClock())


def of_the_benchmark() -> World:
    return running(SystemClock(synchronised=lambda: True))


def of_the_hub() -> World:
    return running(HubClock())


def by_hand() -> World:
    clock = ManualClock()
    return World(clock, lambda: clock.advance(0.001))


@pytest.fixture(
    params=[of_the_gate, of_the_benchmark, of_the_hub, by_hand], ids=lambda make: make.__name__
)
def world(request: pytest.FixtureRequest) -> World:
    made: World = request.param()
    return made


def test_a_moment_is_whole_nanoseconds_of_a_named_boot(world: World) -> None:
    now = world.clock.now()
    assert type(now) is Instant
    assert (type(now.wall_ns), type(now.monotonic_ns)) == (int, int)
    assert now.wall_ns > BEGUN.timestamp() * 1e9, "seconds or milliseconds would be far below"
    assert now.monotonic_ns > 0
    assert now.boot_id
    assert now.trust in ClockTrust


def test_monotonic_time_never_goes_back_and_does_go_on(world: World) -> None:
    before = world.clock.now()
    moments = [world.clock.now().monotonic_ns for _ in range(1_000)]
    assert moments == sorted(moments)
    assert moments[0] >= before.monotonic_ns
    world.let_pass()
    assert world.clock.now().monotonic_ns > moments[-1]


def test_a_boot_keeps_its_name(world: World) -> None:
    first = world.clock.now().boot_id
    world.let_pass()
    assert world.clock.now().boot_id == first


def test_a_moment_once_told_does_not_change(world: World) -> None:
    now = world.clock.now()
    told = (now.wall_ns, now.monotonic_ns)
    world.let_pass()
    assert (now.wall_ns, now.monotonic_ns) == told


def test_a_moment_tells_its_date_and_whether_to_believe_it(world: World) -> None:
    now = world.clock.now()
    assert now.date_in(UTC) >= BEGUN.date()
    assert now.dated is (now.trust is not ClockTrust.UNKNOWN)


def test_the_gates_clock_and_the_hubs_mean_the_same_boot_and_count() -> None:
    gate, hub, later = SystemClock().now(), HubClock().now(), SystemClock().now()
    assert gate.boot_id == hub.boot_id
    assert gate.monotonic_ns <= hub.monotonic_ns <= later.monotonic_ns
