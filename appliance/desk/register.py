"""The last verdicts of all lanes as the desk holds them: few, in memory, without anybody's number.

Alerts are held apart, so that a queue of greens does not push one away.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import msgspec

from admission.credential import Doubt, masked_name
from admission.instant import Instant
from admission.officer import CorrectionTopic, OverrideReason
from admission.passage import Passage
from admission.verdict import Alert, Outcome, Reason, Verdict
from appliance.observation import Happening, Scan

MAX_RECENT = 40
MAX_ALERTED = 20


class Decided(msgspec.Struct, frozen=True):
    """What an officer decided of a verdict, and under which sequence that stands."""

    sequence: int
    outcome: Outcome
    reason: OverrideReason
    officer: int
    opened: bool
    """Whether the board did what was decided."""


class Listed(msgspec.Struct):
    """One verdict at the desk, or one alarm of a gate, on which nobody can act.

    `number` counts them since start; `at_ns` is monotonic. `sequence` is None for one that is not
    in the journal; on one without an `entry` nobody can act. `deciding` is set while an officer's
    decision is on its way.
    """

    number: int
    lane: str
    at_ns: int
    wall_ns: int
    sequence: int | None
    entry: Passage | None
    shown: Verdict
    alerts: tuple[Alert, ...]
    doubts: tuple[Doubt, ...]
    holder: str
    deciding: bool = False
    decided: Decided | None = None
    corrections: dict[CorrectionTopic, int] = {}


class Register:
    """Takes scans in, and gives the newest out."""

    def __init__(self) -> None:
        self._count = 0
        self._recent: deque[Listed] = deque(maxlen=MAX_RECENT)
        self._alerted: deque[Listed] = deque(maxlen=MAX_ALERTED)

    def take(self, scan: Scan, wall_ns: int) -> None:
        """Take a scan in, which has just ended."""
        self._count += 1
        holder = scan.credential.holder
        listed = Listed(
            number=self._count,
            lane=scan.lane,
            at_ns=scan.stamps_ns[-1],
            wall_ns=wall_ns,
            sequence=scan.sequence,
            entry=None if scan.sequence is None else scan.entry,
            shown=scan.shown,
            alerts=scan.judged.alerts,
            doubts=scan.credential.doubts,
            holder=masked_name(holder.name) if holder else "",
        )
        self._recent.append(listed)
        if listed.alerts:
            self._alerted.append(listed)

    def told(self, happening: Happening, now: Instant) -> None:
        """Take an alarm of a lane's gate in: beside the verdict on which it followed, or alone."""
        sequence = happening.sequence
        if happening.alert is None or sequence is None:
            return
        followed = None if happening.entry is not None else self.find(sequence)
        if followed is not None and not followed.alerts:
            followed.alerts = (happening.alert,)
            self._alerted.append(followed)
            return
        self._count += 1
        listed = Listed(
            number=self._count,
            lane=happening.lane,
            at_ns=now.monotonic_ns,
            wall_ns=now.wall_ns,
            sequence=sequence,
            entry=None,
            shown=Verdict(reasons=(Reason.GATE_ALARM,)),
            alerts=(happening.alert,),
            doubts=(),
            holder="",
        )
        self._recent.append(listed)
        self._alerted.append(listed)

    def find(self, sequence: int) -> Listed | None:
        """Return the verdict that stands in the journal under this sequence, if it is held."""
        return next((one for one in self.newest() if one.sequence == sequence), None)

    def newest(self) -> list[Listed]:
        """Return all that is held, the newest first."""
        held: Mapping[int, Listed] = {one.number: one for one in (*self._alerted, *self._recent)}
        return [held[number] for number in sorted(held, reverse=True)]
