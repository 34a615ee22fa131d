"""What a board says of its gate at this moment: stopped, not ready, on fire, open housing."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

from admission.gate import Input


class Fitted(Protocol):
    """A board that has introduced itself."""

    @property
    def inputs(self) -> frozenset[Input]:
        """What is fitted."""
        ...


@runtime_checkable
class SensingBridge(Protocol):
    """A bridge whose board has contacts."""

    @property
    def alive(self) -> bool:
        """Whether the board answers."""
        ...

    @property
    def board(self) -> Fitted | None:
        """How the board introduced itself last."""
        ...

    @property
    def sensed(self) -> frozenset[Input]:
        """Which of its contacts are active."""
        ...


class GateStanding(msgspec.Struct, frozen=True):
    """What is active. `ready` is None where no contact tells."""

    stop: bool = False
    fire: bool = False
    tamper: bool = False
    ready: bool | None = None

    @property
    def obstacle(self) -> str:
        """Why the gate cannot open, in words; empty if it can."""
        if self.stop:
            return "the emergency stop is pressed"
        return "the turnstile does not report that it is ready" if self.ready is False else ""

    @property
    def concern(self) -> str:
        """What somebody should look at although the gate opens, in words; empty if nothing."""
        said = ("the fire alarm is on",) * self.fire + ("its housing is open",) * self.tamper
        return ", ".join(said)


def standing_of(bridge: object) -> GateStanding:
    """Return how the gate stands; of a board that is silent, or has no contacts, nothing.

    Of several boards `sensed` is what any of them senses, `board` the gate's.
    """
    if not isinstance(bridge, SensingBridge) or not bridge.alive or bridge.board is None:
        return GateStanding()
    active, fitted = bridge.sensed, bridge.board.inputs
    return GateStanding(
        stop=Input.STOP in active,
        fire=Input.FIRE in active,
        tamper=Input.TAMPER in active,
        ready=Input.READY in active if Input.READY in fitted else None,
    )
