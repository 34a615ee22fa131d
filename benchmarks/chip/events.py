"""What the bench of the simulated chip tells."""

from __future__ import annotations

import msgspec


class Moment(msgspec.Struct, frozen=True):
    """When something happened: in cycles of the chip, and by CLOCK_MONOTONIC."""

    cycle: int
    at_ns: int


class Edge(msgspec.Struct, frozen=True):
    """A pin (port and bit: "D6") changed. `level` is what it drives, None if it lets go."""

    pin: str
    level: int | None
    cycle: int
    at_ns: int


class Reset(msgspec.Struct, frozen=True):
    """The chip started anew, for this cause of `CAUSES`."""

    cause: str
    cycle: int
    at_ns: int


class ChipStatistics(msgspec.Struct, frozen=True):
    """Counters of the bench and of the firmware."""

    cycle: int
    at_ns: int
    lost: int
    """Bytes that came while the receiver was full: the firmware was too slow."""
    overruns: int
    """The firmware's own count of bytes it lost since its start."""
    ram_used: int
    """Bytes of RAM ever used since the power came, the stack included."""
    slips: int
    """How often this machine kept the bench from running for 100 ms."""


class News(msgspec.Struct, frozen=True):
    """One line of the bench: what happened, or its answer to a command."""

    event: str
    cycle: int
    at_ns: int
    pin: str = ""
    level: str = ""
    cause: str = ""
    error: str = ""
    lost: int = 0
    overruns: int = 0
    ram_used: int = 0
    slips: int = 0
