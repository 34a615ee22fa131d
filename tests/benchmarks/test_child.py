"""Protects measurements in processes of their own: their answers, their memory, their failures."""

from __future__ import annotations

import multiprocessing

import pytest

from benchmarks.child import anonymous_bytes, in_child
from benchmarks.errors import ChildError


def test_what_the_child_returns_comes_back_with_the_most_memory_it_took() -> None:
    answer, most = in_child(divmod, 7, 2)
    assert answer == (3, 1)
    assert 1 << 20 < most < 1 << 30
    assert anonymous_bytes() > 1 << 20


def test_a_measurement_that_raises_is_told_of_and_leaves_no_process() -> None:
    with pytest.raises(ChildError, match="ZeroDivisionError"):
        in_child(divmod, 1, 0)
    assert not multiprocessing.active_children()
