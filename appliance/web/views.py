"""What travels to the kiosk page: one message per verdict, lane state and status, as JSON.

All of it is made here, by pure functions; the page shows it and knows no rules of its own.
"""

from __future__ import annotations

import msgspec

from admission.instant import ClockTrust
from admission.site import Direction
from admission.texts import lane_word, must_leave_first, next_step, outcome_word, sentence
from admission.verdict import LaneState, Outcome, Text, Verdict, Words
from appliance.printable import printable

MAX_HOLDER_LENGTH = 80
MAX_FAULTS = 4

SHOWN_MS = {Outcome.ADMIT: 3_000, Outcome.REFER: 6_000, Outcome.REFUSE: 6_000}
"""How long the page shows a verdict before it waits again, in milliseconds."""


class Hello(msgspec.Struct, frozen=True, tag_field="kind", tag="hello"):
    """First message of every connection, and again when a lane is added.

    `now_ms` is the appliance's monotonic clock: the page measures ages against it, so that a
    message held up in a queue is never shown as if it were new. `build` changes with the page's
    files: a page of an older build loads itself again. `mirrored` lanes have a picture of who
    stands before them, `leaving` ones let people out.
    """

    now_ms: int
    build: str
    site: str
    lanes: tuple[str, ...]
    mirrored: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()


class VerdictView(msgspec.Struct, frozen=True, tag_field="kind", tag="verdict"):
    """One verdict as people read it. Reason codes and the card's colour stay inside."""

    lane: str
    at_ms: int
    shown_ms: int
    outcome: Outcome
    word: Text
    holder: str
    reason: Text
    next_step: Text
    condition: Text | None


class LaneView(msgspec.Struct, frozen=True, tag_field="kind", tag="lane"):
    """Whether a lane serves."""

    lane: str
    state: LaneState
    word: Text


class Status(msgspec.Struct, frozen=True):
    """The appliance's line at the foot of the page.

    `synchronised_ago_s` counts from the newest signed head, None before the first one. `pending`
    entries are in the journal and not yet at the hub. `hub_reachable` tells of the last exchange.
    `inside` is how many people are in the zone, `capacity` how many may be; None where nobody says.
    """

    synchronised_ago_s: float | None
    pending: int
    clock: ClockTrust
    hub_reachable: bool
    inside: int | None = None
    capacity: int | None = None


class StatusView(msgspec.Struct, frozen=True, tag_field="kind", tag="status"):
    """A `Status`, the names of failing checks, and the time for the page's clock."""

    now_ms: int
    synchronised_ago_s: int | None
    pending: int
    clock: ClockTrust
    hub_reachable: bool
    faults: tuple[str, ...]
    inside: int | None = None
    capacity: int | None = None


View = Hello | VerdictView | LaneView | StatusView


def verdict_view(lane: str, verdict: Verdict, holder: str, at_ms: int) -> VerdictView:
    """Return what the page shows of a verdict; of its reasons, the first. Never raises.

    `holder` is cut and loses what could disturb the rest of the line (control characters,
    direction overrides, lone surrogates); it stays text, never markup.
    """
    reason, leave = verdict.reason, verdict.to_leave
    words = verdict.words or Words(sentence(reason), next_step(reason))
    return VerdictView(
        lane=lane,
        at_ms=at_ms,
        shown_ms=SHOWN_MS[verdict.outcome],
        outcome=verdict.outcome,
        word=outcome_word(verdict.outcome),
        holder=printable(holder[:MAX_HOLDER_LENGTH]),
        reason=words.sentence,
        next_step=must_leave_first(leave) if leave else words.next_step,
        condition=verdict.condition,
    )


def lane_view(lane: str, state: LaneState, direction: Direction = Direction.IN) -> LaneView:
    """Return what the page shows of a lane between two verdicts."""
    return LaneView(lane, state, lane_word(state, direction))


def status_view(status: Status, faults: tuple[str, ...], now_ms: int) -> StatusView:
    """Return the status line's message."""
    ago_s = status.synchronised_ago_s
    return StatusView(
        now_ms=now_ms,
        synchronised_ago_s=None if ago_s is None else max(0, int(ago_s)),
        pending=max(0, status.pending),
        clock=status.clock,
        hub_reachable=status.hub_reachable,
        faults=faults[:MAX_FAULTS],
        inside=status.inside,
        capacity=status.capacity,
    )


def event(view: View) -> bytes:
    """Return one server-sent event (WHATWG HTML §9.2): one line of JSON data.

    It has no id: a page that connects again is told the present, not what it missed.
    """
    return b"data: %b\n\n" % msgspec.json.encode(view)
