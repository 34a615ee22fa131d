"""The ladder goes by what was learnt."""

from __future__ import annotations

import msgspec

from benchmarks.rungs.order import Order, load
from scanner.camera.rungs import RUNGS


def test_the_ladder_has_the_order_that_is_checked_in() -> None:
    order = load()
    assert order.names == [rung.name for rung in RUNGS], "run make rungs, and order the table by it"
    assert order.steps[-1].recall == max(step.recall for step in order.steps)
    assert msgspec.json.decode(msgspec.json.encode(order), type=Order) == order
