"""What happens at a gate without anybody's code: forced, tampered with, fire alarm, stop. Pure.

Each is an entry of its own (`Event`), of no person and no code. It answers nobody, so its outcome
is REFER, as everywhere where nobody is admitted, without a card and without reasons.

The zone is told nothing of them. That somebody went through unadmitted is no count: a sensor tells
neither who it was nor whether it was one person, a trolley, or staff with a key. Whoever counts by
it would bar people who may enter, or let too many in by a sensor that chatters. The officer who is
alerted looks, and corrects the count (`Event.COUNT`).
"""

from __future__ import annotations

import msgspec

from admission.instant import Instant
from admission.passage import Event, Passage, entry_without_code
from admission.site import Direction, Site
from admission.verdict import Alert

SOURCE = "board"
"""The source of such an entry."""
INCIDENTS = frozenset({Event.FORCED, Event.TAMPER, Event.FIRE, Event.STOP, Event.UNLISTED})
BEHIND = "behind"
"""Note of a FORCED entry: behind somebody whose entry is not known in this journal."""
LOST = "lost"
"""Of an UNLISTED entry: what found the board's memory full. The others are events' values."""
MAX_COUNT = 999_999

_ENDED, _BEGUN = 0, 1
_NOTES = {
    Event.TAMPER: ("closed", "opened"),
    Event.FIRE: ("ended", "began"),
    Event.STOP: ("released", "pressed"),
}
_ALERTS = {
    Event.FORCED: Alert.FORCED,
    Event.TAMPER: Alert.TAMPER,
    Event.FIRE: Alert.FIRE,
    Event.STOP: Alert.STOP,
}


def change_note(event: Event, *, active: bool) -> str:
    """Return the note of an entry that tells of an input that has changed.

    >>> change_note(Event.TAMPER, active=True)
    'opened'
    """
    return _NOTES[event][_BEGUN if active else _ENDED]


def unlisted_note(what: str, count: int) -> str:
    """Return the note of an UNLISTED entry: of what, and how often.

    >>> unlisted(unlisted_note("forced", 17))
    ('forced', 17)
    """
    return f"{what} {min(count, MAX_COUNT)}"


def unlisted(note: str) -> tuple[str, int] | None:
    """Return what an `unlisted_note` says, None for any other text."""
    what, _, count = note.partition(" ")
    known = what.isascii() and what.replace("_", "").isalpha() and len(what) <= 20
    if not known or not (count.isascii() and count.isdecimal() and len(count) <= 6):
        return None
    return what, int(count)


def alert_of(event: Event, note: str) -> Alert | None:
    """Return what an officer and the hub are told of it, None for what has ended or is a count."""
    begun = event not in _NOTES or note == _NOTES[event][_BEGUN]
    return _ALERTS.get(event) if begun else None


def incident(
    site: Site, lane: str, event: Event, note: str, *, direction: Direction, now: Instant
) -> Passage:
    """Return the entry of one incident.

    :param event: one of `INCIDENTS`.
    :param note: BEHIND or empty for FORCED, an `unlisted_note` for UNLISTED, else `change_note`.
    :param direction: the way that the side of the gate leads, or the lane's.
    :raises ValueError: if the event is no incident.
    """
    if event not in INCIDENTS:
        msg = f"{event} is no incident"
        raise ValueError(msg)
    alert = alert_of(event, note)
    return msgspec.structs.replace(
        entry_without_code(site, lane, source=SOURCE, event=event, note=note, now=now),
        direction=direction,
        alerts=() if alert is None else (alert,),
    )
