"""How a keyboard wedge is set up."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from scanner.serial.framing import LineEnd, LineSettings
from scanner.wedge.layouts import LayoutName


class WedgeEnd(StrEnum):
    """What a scanner types after each code."""

    ENTER = "enter"
    TAB = "tab"
    NONE = "none"
    """Nothing: a silence ends the code."""


_LINE_END = {
    WedgeEnd.ENTER: LineEnd.ANY,
    WedgeEnd.TAB: LineEnd.TAB,
    WedgeEnd.NONE: LineEnd.GAP,
}


class WedgeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a scanner types.

    `gap_s` is the silence that ends a code under `WedgeEnd.NONE`: longer than the scanner's pause
    between two keys. `abandon_s` and `aim_identifiers` are those of `LineSettings`.

    :raises FramingError: as `LineSettings`.
    """

    layout: LayoutName = LayoutName.US
    end: WedgeEnd = WedgeEnd.ENTER
    gap_s: float = 0.25
    abandon_s: float = 5.0
    aim_identifiers: bool = True

    def __post_init__(self) -> None:
        self.lines()

    def lines(self) -> LineSettings:
        """Return how the text that was typed is cut into codes."""
        return LineSettings(
            end=_LINE_END[self.end],
            aim_identifiers=self.aim_identifiers,
            gap_s=self.gap_s,
            abandon_s=self.abandon_s,
        )
