"""Protects: only a board that this site can use is used, and people are told why not."""

from __future__ import annotations

from random import Random

import pytest

from admission.signal import ADMIT, REFER, Output
from firmware_bridge.errors import (
    BridgeIncompatible,
    BridgeRefused,
)
from firmware_bridge.link.board import Board
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.events import Ended, State
from firmware_bridge.link.flights import SHOW_BOUND_NS
from firmware_bridge.link.frame import Frame, decode, encode
from firmware_bridge.link.messages import (
    BoardState,
    Kind,
    Refusal,
)
from firmware_bridge.link.obstacles import Expected
from firmware_bridge.link.session import Session
from tests.firmware_bridge.cables import MS, Cable, an_open_cable

WIRED = BoardConfiguration(active_low=frozenset({Output.GATE}))


def test_another_version_is_named_in_the_error() -> None:
    cable = Cable()
    cable.plugged = False
    cable.open()
    answer = Frame(Kind.NOT_ACKNOWLEDGED, 0, 0, bytes([Refusal.VERSION]), version=3)
    cable.inject(encode(answer), to_board=False)
    ticket = cable.show(ADMIT)
    cable.run_for(SHOW_BOUND_NS / MS)
    error = cable.endings()[ticket]
    assert isinstance(error, BridgeIncompatible)
    assert "version 3" in str(error)


def test_a_board_without_what_the_site_needs_is_incompatible() -> None:
    cable = an_open_cable(
        configuration=BoardConfiguration(outputs=frozenset({Output.GREEN})),
        required=frozenset({Output.GATE}),
    )
    assert not cable.session.alive(cable.now_ns)
    ticket = cable.show(ADMIT)
    cable.run_for(SHOW_BOUND_NS / MS)
    error = cable.endings()[ticket]
    assert isinstance(error, BridgeIncompatible)
    assert "gate" in str(error)


def test_pulses_for_outputs_that_nobody_needs_are_left_out() -> None:
    cable = an_open_cable(configuration=BoardConfiguration(outputs=frozenset({Output.GREEN})))
    admitted, referred = cable.show(ADMIT), 0
    cable.run_for(10)
    referred = cable.show(REFER)
    cable.run_for(10)
    assert cable.endings()[admitted] is None
    assert isinstance(cable.endings()[referred], BridgeRefused)
    assert [p.output for p in cable.executed[0].pulses] == [Output.GREEN]


def expecting(configuration: BoardConfiguration | None, *, state: BoardState) -> Session:
    """A session that has been answered by a board of `WIRED`."""
    session = Session(Random(1).getrandbits, expected=Expected(configuration))
    session.open(0)
    hello = decode(session.take_bytes().strip(b"\0"))
    board = Board(0, configuration=WIRED, state=state)
    board.receive(encode(hello), 0)
    session.receive(board.take_bytes(), MS)
    return session


def test_a_board_that_is_configured_as_the_site_says_is_used() -> None:
    assert expecting(WIRED, state=BoardState.STORED).state is State.UP
    assert expecting(None, state=BoardState.STORED).state is State.UP


@pytest.mark.parametrize(
    ("configuration", "state"),
    [(BoardConfiguration(), BoardState.STORED), (None, BoardState.DAMAGED)],
)
def test_a_board_of_another_wiring_or_of_none_is_not(
    configuration: BoardConfiguration | None, state: BoardState
) -> None:
    session = expecting(configuration, state=state)
    assert session.state is State.GREETING
    session.show(ADMIT, 2 * MS)
    session.advance(2 * MS + SHOW_BOUND_NS)
    error = next(e.error for e in session.take_events() if isinstance(e, Ended))
    assert isinstance(error, BridgeIncompatible)
    assert "configure" in str(error.hint)
