"""Protects: when the host asks again, which is neither too eager nor too patient for the gate."""

from __future__ import annotations

import pytest

from firmware_bridge.link.retry import (
    INITIAL_RTO_NS,
    MAX_RTO_NS,
    MIN_RTO_NS,
    RetransmissionTimer,
)
from tests.firmware_bridge.cables import MS


@pytest.mark.parametrize(("round_trip_ms", "rto_ns"), [(1, MIN_RTO_NS), (500, MAX_RTO_NS)])
def test_the_time_out_stays_in_its_bounds(round_trip_ms: int, rto_ns: int) -> None:
    timer = RetransmissionTimer()
    assert timer.wait_ns(1) == INITIAL_RTO_NS
    timer.sample(round_trip_ms * MS)
    assert timer.wait_ns(1) == rto_ns


def test_the_time_out_follows_rfc_6298_and_doubles() -> None:
    timer = RetransmissionTimer()
    timer.sample(12 * MS)
    assert timer.wait_ns(1) == 36 * MS  # SRTT + 4 * SRTT/2
    assert timer.wait_ns(2) == 72 * MS
    assert timer.wait_ns(3) == MAX_RTO_NS
    timer.sample(20 * MS)
    assert timer.smoothed_ns == 13 * MS
    assert timer.wait_ns(1) == 13 * MS + 4 * (6 * MS + (8 * MS - 6 * MS) // 4)
