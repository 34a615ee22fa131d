"""Waiting grows, stays within its ceiling, and is spread as asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from admission.backoff import Backoff

BACKOFFS = st.builds(
    Backoff,
    first_s=st.floats(0.01, 10),
    ceiling_s=st.floats(10, 600),
    jitter=st.floats(0, 1),
)


@given(BACKOFFS, st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_delay_lies_within_its_part_of_the_bound(
    backoff: Backoff, failures: int, draw: float
) -> None:
    bound = min(backoff.ceiling_s, backoff.first_s * 2.0 ** min(max(failures, 1) - 1, 32))
    delay = backoff.delay_s(failures, draw)
    assert bound * (1 - backoff.jitter) * 0.999 <= delay <= bound


@given(BACKOFFS, st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_more_failures_never_wait_less(backoff: Backoff, failures: int, draw: float) -> None:
    assert backoff.delay_s(failures + 1, draw) >= backoff.delay_s(failures, draw)
