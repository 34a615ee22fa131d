"""What of a passage stands in the clear in the journal, and what of that the zone asks for.

One list of fields, in one order, that never changes but at its end: it is the array of the record.
"""

from __future__ import annotations

import msgspec

from admission.credential import CredentialKind, Doubt
from admission.instant import ClockTrust
from admission.passage import Event, Passage
from admission.reading import Symbology
from admission.site import Direction
from admission.verdict import Alert, Card, Outcome, Reason

NS_PER_MS = 1_000_000


class LoggedPassage(msgspec.Struct, frozen=True, array_like=True):
    """A passage as the journal shows it to everybody: without person, digest and officer.

    Fields mean what they mean in `Passage`. New fields go to the end and have a default.
    """

    site: str
    lane: str
    source: str
    symbology: Symbology
    kind: CredentialKind
    outcome: Outcome
    card: Card
    reasons: tuple[Reason, ...]
    directive: int
    rulebook: str
    release: int | None
    wall_ms: int
    monotonic_ms: int
    boot_id: str
    clock_trust: ClockTrust
    direction: Direction
    event: Event
    about: int | None
    note: str
    alerts: tuple[Alert, ...]
    doubts: tuple[Doubt, ...]
    worker: bool
    token: int | None

    @property
    def wall_ns(self) -> int:
        """Wall time, to the millisecond."""
        return self.wall_ms * NS_PER_MS

    @property
    def monotonic_ns(self) -> int:
        """Monotonic time, to the millisecond."""
        return self.monotonic_ms * NS_PER_MS


class ZonePassage(msgspec.Struct, frozen=True, gc=False):
    """What of a passage tells who is inside; fields as in `LoggedPassage`.

    Small, as start-up holds those of a day.
    """

    site: str
    outcome: Outcome
    wall_ms: int
    monotonic_ms: int
    boot_id: str
    clock_trust: ClockTrust
    direction: Direction
    event: Event
    about: int | None
    note: str
    worker: bool
    token: int | None

    @property
    def wall_ns(self) -> int:
        """Wall time, to the millisecond."""
        return self.wall_ms * NS_PER_MS

    @property
    def monotonic_ns(self) -> int:
        """Monotonic time, to the millisecond."""
        return self.monotonic_ms * NS_PER_MS


class SkimmedPassage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`LoggedPassage` with everything left as bytes that the zone does not ask for."""

    site: str
    lane: msgspec.Raw
    source: msgspec.Raw
    symbology: msgspec.Raw
    kind: msgspec.Raw
    outcome: Outcome
    card: msgspec.Raw
    reasons: msgspec.Raw
    directive: msgspec.Raw
    rulebook: msgspec.Raw
    release: msgspec.Raw
    wall_ms: int
    monotonic_ms: int
    boot_id: str
    clock_trust: ClockTrust
    direction: Direction
    event: Event
    about: int | None
    note: str
    alerts: msgspec.Raw
    doubts: msgspec.Raw
    worker: bool
    token: int | None


def logged(entry: Passage) -> LoggedPassage:
    """Return what everybody may read of a passage."""
    return LoggedPassage(
        entry.site,
        entry.lane,
        entry.source,
        entry.symbology,
        entry.kind,
        entry.outcome,
        entry.card,
        entry.reasons,
        entry.directive,
        entry.rulebook,
        entry.release,
        entry.wall_ns // NS_PER_MS,
        entry.monotonic_ns // NS_PER_MS,
        entry.boot_id,
        entry.clock_trust,
        entry.direction,
        entry.event,
        entry.about,
        entry.note,
        entry.alerts,
        entry.doubts,
        entry.worker,
        entry.token,
    )


def for_zone(seen: LoggedPassage | SkimmedPassage) -> ZonePassage:
    """Return what of a passage tells who is inside."""
    return ZonePassage(
        seen.site,
        seen.outcome,
        seen.wall_ms,
        seen.monotonic_ms,
        seen.boot_id,
        seen.clock_trust,
        seen.direction,
        seen.event,
        seen.about,
        seen.note,
        seen.worker,
        seen.token,
    )
