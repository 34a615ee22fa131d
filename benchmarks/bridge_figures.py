"""What `chot bench bridge` prints, and the bounds that it holds its figures against."""

from __future__ import annotations

from typing import Final

import msgspec

from benchmarks.goals import Goals, kept

BYTE_MS: Final = 10 / 115.2
"""Start bit, eight bits, stop bit at 115200 Bd."""
MARGIN_MS: Final = 2.0
"""What host and board together may take beyond the cable, 99 times of 100."""


class BridgeFigures(msgspec.Struct, frozen=True):
    """From the host's `show` to the pins of the chip that runs the firmware."""

    p50_ms: float
    p99_ms: float
    """From calling `show` until the last of the signal's pins is on."""
    floor_ms: float
    """The bytes of its frame on the cable, up to the one that closes it."""
    dead_man_ms: float
    """Longest time from the last sound frame of a host that died to the gate's pin going off."""
    recovery_s: float
    """Longest time from the port's being there again to an acknowledged signal."""
    flash_bytes: int
    ram_bytes: int
    """Of variables and of the deepest stack."""
    commands: int
    wrong: int
    """Commands after which the pins did not do what was asked, all of it and nothing else."""


def goals(figures: BridgeFigures) -> Goals:
    """Return the bounds; that of the signal's way moves with the floor."""
    return {
        "p99_ms": ("≤", round(figures.floor_ms + MARGIN_MS, 3)),
        "dead_man_ms": ("≤", 1_000.0),
        "recovery_s": ("≤", 2.0),
        "flash_bytes": ("≤", 16 * 1024.0),
        "ram_bytes": ("≤", 1.2 * 1024),
        "wrong": ("≤", 0.0),
    }


def met(figures: BridgeFigures, name: str) -> bool | None:
    """Return whether a figure keeps its bound; None where it has none."""
    return kept(goals(figures), name, getattr(figures, name))
