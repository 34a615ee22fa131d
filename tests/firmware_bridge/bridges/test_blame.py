"""Protects: a technician who asks why a lane is out of order is told the reason that helps."""

from __future__ import annotations

import asyncio
import time

import pytest

from admission.signal import Output
from firmware_bridge.bridges.blame import PATIENCE_NS, Blame
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.errors import BridgeIncompatible, BridgeUnavailable
from firmware_bridge.link import obstacles
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.obstacles import Expected
from tests.firmware_bridge.bridges.test_mcu import PATIENCE_S, running

GONE = BridgeUnavailable("unplugged")
LAMPS_ONLY = BoardConfiguration(outputs=frozenset({Output.GREEN}))


def test_what_is_opened_again_and_again_is_not_said_to_be_silent_in_between() -> None:
    blame = Blame()
    assert blame.reason(obstacles.not_open(), 0).args == obstacles.not_open().args
    blame.lost(GONE)
    assert blame.reason(obstacles.no_answer(), 0) is GONE
    blame.opened(10)
    silence = obstacles.no_answer()
    assert blame.reason(silence, 10 + PATIENCE_NS - 1) is GONE
    assert blame.reason(silence, 10 + PATIENCE_NS) is silence
    misfit = obstacles.other_version(1)
    assert blame.reason(misfit, 11) is misfit
    blame.lost(GONE)  # the board of another version was pulled
    assert blame.reason(misfit, 12) is GONE
    blame.opened(13)
    blame.met()
    assert blame.reason(silence, 14) is silence


@pytest.mark.parametrize(
    ("board", "required", "words"),
    [
        ({"damaged": True}, frozenset[Output](), "damaged"),
        ({"configuration": BoardConfiguration(window_ms=700)}, frozenset(), "another wiring"),
        ({"configuration": LAMPS_ONLY}, frozenset({Output.GATE}), "has no gate"),
    ],
)
async def test_a_board_that_cannot_be_used_is_told_apart_from_a_silent_one(
    board: dict[str, object], required: frozenset[Output], words: str
) -> None:
    expected = Expected(None if required else BoardConfiguration())
    with SimulatedBoard(time.monotonic_ns, **board) as simulated:  # type: ignore[arg-type]
        async with running(simulated.path, required=required, expected=expected) as desk:
            async with asyncio.timeout(PATIENCE_S):
                # Nothing tells of it but the bridge itself.
                while not isinstance(desk.bridge.last_error, BridgeIncompatible):  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            assert words in str(desk.bridge.last_error)
            assert desk.bridge.last_error.hint
