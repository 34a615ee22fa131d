"""Why a show did not reach the lamps, in words for the technician."""

from __future__ import annotations

from typing import Final

import msgspec

from admission.signal import Output
from firmware_bridge.errors import (
    BridgeIncompatible,
    BridgeRefused,
    BridgeTimeout,
    BridgeUnavailable,
)
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.frame import VERSION
from firmware_bridge.link.messages import BoardState, HelloReply, Refusal

_CONFIGURE_HINT: Final = "`chot bridge configure` shows the difference, and writes it anew"
_CABLE_HINT: Final = "check the cable, the board's power and that its firmware is this project's"


class Expected(msgspec.Struct, frozen=True):
    """How a board in service has to be: sound, and configured so; None leaves that to the board."""

    configuration: BoardConfiguration | None = None


def not_open() -> BridgeUnavailable:
    """Return the error of a bridge whose port was never opened."""
    return BridgeUnavailable(
        "the board's port is not open",
        hint="it is opened once the service runs: look again in a moment",
    )


def no_answer() -> BridgeUnavailable:
    """Return the error of an open port at which nobody answers the greeting."""
    return BridgeUnavailable("no board answers at this port", hint=_CABLE_HINT)


def silent() -> BridgeUnavailable:
    """Return the error of a board that answered once and does no longer."""
    return BridgeUnavailable("the board has fallen silent", hint=_CABLE_HINT)


def restarted() -> BridgeUnavailable:
    """Return the error of a session that the board no longer knows."""
    return BridgeUnavailable(
        "the board ended the session: it restarted, or did not hear this appliance for a second",
        hint="if it happens again, look for a weak power supply or an overloaded appliance",
    )


def other_version(version: int) -> BridgeIncompatible:
    """Return the error of a board that speaks `version`."""
    return BridgeIncompatible(
        f"the board speaks protocol version {version}, this appliance version {VERSION}",
        hint="update the firmware or the appliance, whichever is older",
    )


def lacks(outputs: frozenset[Output]) -> BridgeIncompatible:
    """Return the error of a board without outputs that the site needs."""
    names = ", ".join(sorted(output.name.lower() for output in outputs))
    return BridgeIncompatible(
        f"the board has no {names}", hint="wire and configure it, or do not require it"
    )


def misfit(
    board: HelloReply, required: frozenset[Output], expected: Expected | None
) -> BridgeIncompatible | None:
    """Return why this site cannot use a board that introduced itself so; None if it can."""
    if required - board.outputs:
        return lacks(required - board.outputs)
    if expected is None:
        return None
    if BoardState.DAMAGED in board.state:
        return BridgeIncompatible(
            "the board's stored configuration is damaged: it drives nothing", hint=_CONFIGURE_HINT
        )
    wanted = expected.configuration
    if wanted is not None and wanted.fingerprint != board.fingerprint:
        return BridgeIncompatible(
            "the board is configured for another wiring than this site's", hint=_CONFIGURE_HINT
        )
    return None


def nothing_to_show() -> BridgeRefused:
    """Return the error of a signal of which the board has no output at all."""
    return BridgeRefused(
        "the board has none of the signal's outputs", hint="check the board's configuration"
    )


def unacknowledged(tries: int) -> BridgeTimeout:
    """Return the error of a show that was sent `tries` times."""
    return BridgeTimeout(f"no acknowledgement after sending {tries} times", hint=_CABLE_HINT)


def not_configured() -> BridgeTimeout:
    """Return the error of a board that took a configuration and did not come back with it."""
    return BridgeTimeout(
        "the board did not come back with its new configuration",
        hint="look at its power supply, read its configuration, and try again",
    )


def refused(reason: int) -> BridgeRefused:
    """Return the error of an errand that the board declined for `reason`."""
    known = reason in Refusal.__members__.values()
    name = Refusal(reason).name.lower().replace("_", " ") if known else f"reason {reason}"
    hint = _REFUSED.get(reason, "update the firmware, or the configuration")
    return BridgeRefused(f"the board declined: {name}", hint=hint, reason=reason)


_REFUSED: Final[dict[int, str]] = {
    Refusal.NO_SUCH_OUTPUT: "wire the output, and configure it",
    Refusal.STOPPED: "somebody pressed stop: release it when the gate is clear",
    Refusal.NOT_READY: "the turnstile is without power or out of order",
    Refusal.BUSY: "people wait to pass already: let them through first",
    Refusal.NOT_CONFIGURED: "its stored configuration is damaged: configure it anew",
    Refusal.LOCKED: "fit the configuration jumper on the board, and take it off afterwards",
}
