"""The port between a local board and the contacts that it moves: pins, relays, lamps on a bus."""

from __future__ import annotations

from typing import Final, Protocol

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.errors import TerminalsError

__all__ = ["CALL_LIMIT_MS", "Terminals", "TerminalsError"]

CALL_LIMIT_MS: Final = 400
"""How long a driver may take for one call. Beyond some 900 ms the whole process is ended."""


class Terminals(Protocol):
    """Where a local board's outputs and inputs come out.

    Opening a driver switches all its outputs off before anything else. No call may take longer than
    `CALL_LIMIT_MS`; one that cannot do what it is asked to raises `TerminalsError`, which ends the
    process. Polarity is the driver's: callers speak of current and of active inputs, and the
    board's configuration says which output is active low and which contact normally closed.
    """

    @property
    def wake_fds(self) -> tuple[int, ...]:
        """File descriptors that can be read when `read` may have news. The same for good."""
        ...

    @property
    def poll_ms(self) -> int | None:
        """How often to call `read` at least, or None if `wake_fds` tell of everything."""
        ...

    def write(self, energised: frozenset[Output]) -> None:
        """Let these outputs carry current and no others. Returns once it is so.

        :raises TerminalsError: if it could not be done; some of it may be.
        """
        ...

    def take_moved(self) -> frozenset[Input]:
        """Return the inputs that changed since the last call, were it there and back again.

        Takes no time. Empty where the device tells levels alone.
        """
        ...

    def read(self) -> frozenset[Input]:
        """Return the inputs that are active now, without debouncing.

        :raises TerminalsError: if nobody can tell.
        """
        ...

    def close(self) -> None:
        """Switch everything off, as far as that is possible, and give the device back."""
        ...
