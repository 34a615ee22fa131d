"""What the hub reads out of an entry's bytes when it comes in: the columns it is searched by.

Only they are decoded; everything else in a passage is stepped over. Who needs an entry whole reads
it with `admission.journal_record`, which is the stricter of the two.
"""

from __future__ import annotations

import msgspec

from admission.errors import SealError, WireError
from admission.instant import ClockTrust
from admission.journal_record import PASSAGE_START, PassageRecord, split_passage, unpack_record
from admission.logged_passage import NS_PER_MS
from admission.passage import Event
from admission.sealing import OpenedSession, SealSession, person_in
from admission.verdict import Outcome
from hub.store.entries import MAX_INTEGER, Decoded
from hub.store.marks import MarkKind

_NO_ALERTS = b"\x90"
_ALERT = (MarkKind.ALERT,)
_ACTS = {Event.OVERRIDE: MarkKind.OVERRIDE, Event.CORRECTION: MarkKind.CORRECTION}


class _Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`logged_passage.LoggedPassage` as far as columns are made of it, in its order."""

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
    monotonic_ms: msgspec.Raw
    boot_id: msgspec.Raw
    clock_trust: ClockTrust
    direction: msgspec.Raw
    event: Event
    about: msgspec.Raw
    note: msgspec.Raw
    alerts: msgspec.Raw


class Columns(msgspec.Struct, frozen=True, gc=False):
    """What was read out of one entry.

    :ivar decoded: None for what is no passage.
    :ivar trust: how far the gate's clock was to be believed, at `decoded.wall_ns`.
    :ivar session: the session that seals from here on open by, if the entry is one.
    :ivar unopened: why its seal could not be opened, empty if there was none or it was.
    """

    decoded: Decoded | None = None
    trust: ClockTrust = ClockTrust.UNKNOWN
    session: SealSession | None = None
    unopened: str = ""


_seen = msgspec.msgpack.Decoder(_Seen).decode
_OTHER = Columns()


def columns_of(packed: bytes, opened: OpenedSession | None) -> Columns:
    """Return the columns of one entry.

    :param opened: what opens the seals at this place of the journal.
    :raises WireError: if the bytes are no entry, or hold values that no engine's columns do.
    """
    if packed.startswith(PASSAGE_START):
        return _passage(packed, opened)
    record = unpack_record(packed)
    if isinstance(record, SealSession):
        return Columns(session=record)
    return _first_version(record) if isinstance(record, PassageRecord) else _OTHER


def _passage(packed: bytes, opened: OpenedSession | None) -> Columns:
    public, seal = split_passage(packed)
    try:
        seen = _seen(public)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = f"not a passage: {error}"
        raise WireError(msg) from error
    person, unopened = None, ""
    if seal and opened is None:
        unopened = "no key of the hub opens the session"
    elif seal and opened is not None:
        try:
            person = person_in(opened.open(seal, bytes(public)))
        except SealError as error:
            unopened = str(error)
    decoded = _decoded(
        seen.site,
        seen.wall_ms * NS_PER_MS,
        person,
        seen.outcome,
        _marks(alerted=bytes(seen.alerts) != _NO_ALERTS, event=seen.event),
    )
    return Columns(decoded, seen.clock_trust, None, unopened)


def _first_version(record: PassageRecord) -> Columns:
    seen, plain = record.passage, record.plain
    person = None if plain is None else plain.person
    marks = _marks(alerted=bool(seen.alerts), event=seen.event)
    decoded = _decoded(seen.site, seen.wall_ns, person, seen.outcome, marks)
    return Columns(decoded, seen.clock_trust)


def _decoded(
    site: str, wall_ns: int, person: int | None, outcome: Outcome, marks: tuple[MarkKind, ...]
) -> Decoded:
    """Return the searchable columns, refusing values that no engine's columns hold."""
    if "\x00" in site:
        raise WireError("a site's name holds a NUL character")
    if not -MAX_INTEGER <= wall_ns <= MAX_INTEGER:
        raise WireError("the wall time is out of range")
    if person is not None and not 0 <= person < 1 << 64:
        raise WireError("the person's key is out of range")
    return Decoded(site, wall_ns, person, str(outcome), marks)


def _marks(*, alerted: bool, event: Event) -> tuple[MarkKind, ...]:
    """Return what a person at the hub should see the entry as."""
    if event is Event.SCAN:
        return _ALERT if alerted else ()
    act = _ACTS.get(event)
    return (*(_ALERT if alerted else ()), *(() if act is None else (act,)))
