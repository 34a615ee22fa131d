"""One entry of a journal, as words and as plain values: who it concerns is left out."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from admission.errors import WireError
from admission.incident import INCIDENTS
from admission.incident_texts import incident_text
from admission.instant import Instant
from admission.journal_record import Followup, PassageRecord, Record, unpack_record
from admission.logged_passage import LoggedPassage
from admission.passage import Event
from admission.sealing import SealSession
from appliance.printable import printable
from cache.journal.frame import Frame


def record_of(frame: Frame) -> Record | WireError:
    """Return what a frame holds, or why that cannot be read."""
    try:
        return unpack_record(frame.packed)
    except WireError as error:
        return error


def plain(sequence: int, record: Record | WireError) -> dict[str, Any]:
    """Return an entry's public values, by names that stay: scripts read them."""
    match record:
        case PassageRecord():
            return {"sequence": sequence} | _passage(record)
        case Followup():
            return {
                "sequence": sequence,
                "event": "followup",
                "about": record.about,
                "followup": record.kind.name.lower(),
                "after_ms": record.after_ms,
            }
        case SealSession():
            return {
                "sequence": sequence,
                "event": "seal_session",
                "recipient": record.recipient.hex(),
            }
    return {"sequence": sequence, "undecodable": str(record)}


def line(sequence: int, record: Record | WireError) -> str:
    """Return an entry as one line of a terminal."""
    match record:
        case PassageRecord():
            words = _words(record)
        case Followup():
            words = [f"→ entry {record.about}: {followed(record)}"]
        case SealSession():
            words = [f"sealed from here on for key {record.recipient.hex()}"]
        case _:
            words = [printable(str(record))]
    return f"{sequence:>8}  " + "  ".join(words)


def followed(followup: Followup) -> str:
    """Return what followed, such as "actuated after 12 ms"."""
    what = followup.kind.name.lower().replace("_", " ")
    return f"{what} after {followup.after_ms} ms" if followup.after_ms else what


def _words(record: PassageRecord) -> list[str]:
    seen = record.passage
    if seen.event in INCIDENTS:
        what = printable(incident_text(seen.event, seen.note).en)
        return [_time(seen), printable(seen.lane), f"gate, way {seen.direction.value}: {what}"]
    words = [_time(seen), printable(seen.lane), f"{seen.outcome.value:<6}"]
    return [*words, seen.kind.value, ", ".join(seen.reasons), *_act(record)]


def _act(record: PassageRecord) -> list[str]:
    """Return what an officer did or somebody asked, nothing for a scan."""
    seen = record.passage
    if seen.event is Event.SCAN:
        return []
    if seen.event is Event.ENQUIRY:
        return [f"looked up for: {printable(seen.note)}"]
    about = "" if seen.about is None else f" of {seen.about}"
    officer = record.plain.officer if record.plain else None
    by = "an officer" if officer is None else f"officer {officer}"
    return [f"{seen.event.value}{about} by {by}: {printable(seen.note)}"]


def _time(seen: LoggedPassage) -> str:
    moment = Instant(seen.wall_ns, seen.monotonic_ns, seen.boot_id, seen.clock_trust)
    try:
        return moment.at(UTC).isoformat(timespec="milliseconds")
    except OverflowError:
        return f"{seen.wall_ns} ns"


def _passage(record: PassageRecord) -> dict[str, Any]:
    entry = record.passage
    values: dict[str, Any] = {
        "time": _time(entry),
        "clock_trust": entry.clock_trust.value,
        "site": entry.site,
        "lane": entry.lane,
        "source": entry.source,
        "kind": entry.kind.value,
        "outcome": entry.outcome.value,
        "card": entry.card.value,
        "reasons": [reason.value for reason in entry.reasons],
        "directive": entry.directive,
        "rulebook": entry.rulebook,
        "release": entry.release,
        "direction": entry.direction.value,
        "event": entry.event.value,
        "about": entry.about,
        "note": entry.note,
        "alerts": [alert.value for alert in entry.alerts],
        "doubts": [doubt.value for doubt in entry.doubts],
        "worker": entry.worker,
    }
    return values | ({"officer": record.plain.officer} if record.plain else {})
