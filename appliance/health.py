"""How the appliance is: named checks, gathered into one state for probes, people and watchdog."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec


class Weight(StrEnum):
    """What a failing check means."""

    NOTE = "note"
    """The gate serves on: hub unreachable, one of two cameras lost."""
    SERVICE = "service"
    """The gate cannot serve as it should, and a restart would not mend it: board unplugged."""
    VITAL = "vital"
    """The daemon itself has failed and a restart mends it: a thread died, a task stalled."""


class State(StrEnum):
    """The whole appliance."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


class Finding(msgspec.Struct, frozen=True):
    """What one check found. `why` is one plain sentence for a technician, empty if all is well.

    `facts` are a few numbers and words beside it, never anything about a person.
    """

    ok: bool
    why: str = ""
    facts: dict[str, str | int | float | bool | None] = msgspec.field(default_factory=dict)


Check = Callable[[], Finding]
"""Looks at something in memory and returns at once."""


class Checked(msgspec.Struct, frozen=True):
    """One check's line in the report."""

    ok: bool
    weight: Weight
    why: str
    facts: dict[str, str | int | float | bool | None]


class Report(msgspec.Struct, frozen=True):
    """All checks at one moment, by name."""

    state: State
    checks: dict[str, Checked]

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the failing checks, in the order in which they were added."""
        return tuple(name for name, checked in self.checks.items() if not checked.ok)

    @property
    def alive(self) -> bool:
        """Whether no vital check fails: the condition for feeding the watchdog."""
        return all(c.ok for c in self.checks.values() if c.weight is Weight.VITAL)

    def to_json(self) -> bytes:
        """Return the report as one JSON object: `state`, and `checks` by name."""
        return msgspec.json.encode(self)


class Health:
    """The checks of one appliance."""

    def __init__(self) -> None:
        self._checks: dict[str, tuple[Check, Weight]] = {}

    def add(self, name: str, check: Check, weight: Weight = Weight.SERVICE) -> None:
        """Add a check. Names are 'kind.instance', such as 'lane.gate-1' or 'source.camera-1'.

        :raises ValueError: if there is one of this name already.
        """
        if name in self._checks:
            msg = f"there is a check named {name!r} already"
            raise ValueError(msg)
        self._checks[name] = (check, weight)

    def report(self) -> Report:
        """Return what all checks find now. Never raises: a check that does counts as failed."""
        checks = {name: _checked(check, weight) for name, (check, weight) in self._checks.items()}
        return Report(_overall(checks), checks)


def _checked(check: Check, weight: Weight) -> Checked:
    try:
        finding = check()
    except Exception as error:  # noqa: BLE001 - one broken check must not hide the others
        # The class only: a message may quote what somebody held up.
        finding = Finding(ok=False, why=f"the check itself failed: {type(error).__name__}")
    return Checked(finding.ok, weight, finding.why, finding.facts)


def _overall(checks: dict[str, Checked]) -> State:
    failing = {checked.weight for checked in checks.values() if not checked.ok}
    if not failing:
        return State.OK
    return State.DEGRADED if failing == {Weight.NOTE} else State.FAILED
