"""What travels to the desk's page: one answer with everything, as JSON.

Reasons are the sentences that the person was told, names are masked, and no number of a document
and no fact about a person's health is in it; of whom an alert says more, an officer has to know.
"""

from __future__ import annotations

import msgspec

from admission.officer import CorrectionTopic, reasons_for
from admission.officer_texts import alert_text, doubt_text, override_text, topic_text
from admission.site import Direction
from admission.texts import outcome_word, sentence
from admission.verdict import Outcome, Text
from appliance.desk.counting import Inside
from appliance.desk.desk import Desk
from appliance.desk.register import Decided, Listed
from appliance.desk.sessions import Session
from appliance.printable import printable

MAX_HOLDER_LENGTH = 80


class Choice(msgspec.Struct, frozen=True):
    """One button."""

    value: str
    text: Text


class Choices(msgspec.Struct, frozen=True):
    """What an officer may choose from."""

    admit: tuple[Choice, ...]
    refuse: tuple[Choice, ...]
    topics: tuple[Choice, ...]


class Seat(msgspec.Struct, frozen=True):
    """One lane, and whether another page waits for a badge there."""

    lane: str
    taken: bool


class AlertView(msgspec.Struct, frozen=True):
    """One silent alert."""

    alert: str
    text: Text


class DecidedView(msgspec.Struct, frozen=True):
    """What an officer has decided."""

    sequence: int
    outcome: Outcome
    reason: Text
    officer: int
    opened: bool


class VerdictView(msgspec.Struct, frozen=True):
    """One verdict. `left_ms` is how long `may` still holds."""

    number: int
    sequence: int | None
    at: str
    lane: str
    leaving: bool
    outcome: Outcome
    word: Text
    reason: Text
    holder: str
    alerts: tuple[AlertView, ...]
    doubts: tuple[Text, ...]
    may: tuple[Outcome, ...]
    left_ms: int
    correctable: bool
    corrections: tuple[Text, ...]
    decided: DecidedView | None


class DeskView(msgspec.Struct, frozen=True):
    """The whole page. Without a session it knows the lanes, and nobody who passed."""

    version: int
    build: str
    site: str
    lanes: tuple[Seat, ...]
    waiting: str = ""
    officer: int | None = None
    token: str = ""
    left_ms: int = 0
    """Until the wait for a badge or the idle time is over."""
    verdicts: tuple[VerdictView, ...] = ()
    inside: Inside | None = None


def choices() -> Choices:
    """Return all that an officer may choose."""
    return Choices(
        admit=tuple(Choice(r.value, override_text(r)) for r in reasons_for(Outcome.ADMIT)),
        refuse=tuple(Choice(r.value, override_text(r)) for r in reasons_for(Outcome.REFUSE)),
        topics=tuple(Choice(t.value, topic_text(t)) for t in CorrectionTopic),
    )


def desk_view(desk: Desk, session: Session | None, build: str) -> DeskView:
    """Return what the page with this session shows."""
    now_ns = desk.now().monotonic_ns
    mine = session.lane if session is not None and session.officer is None else ""
    sessions = desk.sessions
    bare = DeskView(
        version=desk.version,
        build=build,
        site=desk.site.name,
        lanes=tuple(
            Seat(lane, lane != mine and sessions.is_taken(lane, now_ns)) for lane in sessions.lanes
        ),
    )
    if session is None:
        return bare
    known = msgspec.structs.replace(
        bare,
        waiting=mine,
        token=session.token,
        left_ms=max(0, session.until_ns - now_ns) // 1_000_000,
    )
    if session.officer is None:
        return known
    return msgspec.structs.replace(
        known,
        officer=session.officer.number,
        verdicts=tuple(_verdict(desk, listed, now_ns) for listed in desk.register.newest()),
        inside=desk.counting.inside(),
    )


def _verdict(desk: Desk, listed: Listed, now_ns: int) -> VerdictView:
    shown, entry = listed.shown, listed.entry
    may = desk.may_decide(listed, now_ns)
    left_ns = listed.at_ns + desk.override_ns - now_ns if may else 0
    return VerdictView(
        number=listed.number,
        sequence=listed.sequence,
        at=_time_of_day(desk, listed),
        lane=listed.lane,
        leaving=entry is not None and entry.direction is Direction.OUT,
        outcome=shown.outcome,
        word=outcome_word(shown.outcome),
        reason=shown.words.sentence if shown.words else sentence(shown.reason),
        holder=printable(listed.holder[:MAX_HOLDER_LENGTH]),
        alerts=tuple(AlertView(alert.value, alert_text(alert)) for alert in listed.alerts),
        doubts=tuple(doubt_text(doubt) for doubt in listed.doubts),
        may=may,
        left_ms=max(0, left_ns) // 1_000_000,
        correctable=entry is not None and entry.person is not None,
        corrections=tuple(topic_text(topic) for topic in listed.corrections),
        decided=_decided(listed.decided) if listed.decided is not None else None,
    )


def _decided(decided: Decided) -> DecidedView:
    return DecidedView(
        sequence=decided.sequence,
        outcome=decided.outcome,
        reason=override_text(decided.reason),
        officer=decided.officer,
        opened=decided.opened,
    )


def _time_of_day(desk: Desk, listed: Listed) -> str:
    instant = msgspec.structs.replace(desk.now(), wall_ns=listed.wall_ns)
    try:
        return instant.at(desk.site.timezone).strftime("%H:%M:%S")
    except (OverflowError, ValueError):
        return "--:--:--"
