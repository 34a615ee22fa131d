"""Whether figures keep their bounds."""

from __future__ import annotations

from collections.abc import Mapping

Goals = Mapping[str, tuple[str, float]]
"""By a figure's name: "≤" or "≥", and the bound."""


def kept(goals: Goals, name: str, value: float | None) -> bool | None:
    """Return whether a figure keeps its bound; None where there is no figure or no bound."""
    if value is None or name not in goals:
        return None
    sense, bound = goals[name]
    return value <= bound if sense == "≤" else value >= bound
