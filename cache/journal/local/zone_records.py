"""The zone's records since the last reset, compact: what who is inside can be told from at start.

They are kept as they are and not as counts by person: `admission.zone` makes one zone of them and
of what the journal holds besides, and no second place knows what a passage means. They only ever
grow at one end and go at the other, which is what a memory card takes best.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from admission.errors import WireError
from admission.instant import ClockTrust, Instant
from admission.journal_record import Followup, FollowupKind, pack_followup, skim_record
from admission.logged_passage import ZonePassage
from admission.passage import Event
from admission.reset import DailyReset
from admission.site import Direction
from admission.verdict import Outcome
from admission.zone import ANNULS
from cache.journal.local.reset_window import ResetWindow

MAX_ZONE_RECORDS = 500_000
"""More than two busy days. Of more, the oldest are forgotten."""
ZoneRecord = tuple[int, ZonePassage | Followup]
"""Its sequence, and what it says."""
# How records of followups begin that annul nothing: every other entry of a journal.
_NO_MATTER = tuple(
    pack_followup(Followup(kind, 1))[:3] for kind in FollowupKind if kind not in ANNULS
)


class _Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    sequence: int
    event: Event
    outcome: Outcome
    direction: Direction
    clock_trust: ClockTrust
    worker: bool
    token: int | None
    about: int | None
    wall_ms: int
    monotonic_ms: int
    boot: int
    note: str


class _Chunk(msgspec.Struct, frozen=True, array_like=True):
    site: str
    boots: list[str]
    passages: list[_Kept]
    followups: list[tuple[int, FollowupKind, int]]


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_Chunk).decode


def of_zone(packed: bytes, site: str) -> ZonePassage | Followup | None:
    """Return what of a record changes who is inside at this site, None if nothing does.

    :param packed: the record's bytes, empty where they cannot be read any more.
    """
    if not packed or packed.startswith(_NO_MATTER):
        return None
    try:
        told = skim_record(packed)
    except WireError:
        return None
    if told is None or isinstance(told, Followup):
        return told if told is not None and told.kind in ANNULS else None
    event = told.event
    if told.site != site:
        return None
    if event is Event.COUNT:
        return told
    if event is not Event.SCAN and event is not Event.OVERRIDE:
        return None
    if told.outcome is Outcome.ADMIT or (event is Event.OVERRIDE and told.about is not None):
        return told
    return None


def since_reset(records: Iterable[ZoneRecord], reset: DailyReset, now: Instant) -> list[ZoneRecord]:
    """Return those of the zone's records, ascending, that the last reset has left."""
    window = ResetWindow(reset)
    left: list[ZoneRecord] = []
    for sequence, record in records:
        if isinstance(record, ZonePassage) and (over := window.take(sequence, record)):
            left = [one for one in left if one[0] > over]
        left.append((sequence, record))
    over = window.over_by(now)
    return [one for one in left if one[0] > over] if over else left


def pack_chunk(site: str, records: Iterable[ZoneRecord]) -> bytes:
    """Return the bytes of some records of one site, ascending."""
    boots: dict[str, int] = {}
    chunk = _Chunk(site, [], [], [])
    for sequence, record in records:
        if isinstance(record, Followup):
            chunk.followups.append((sequence, record.kind, record.about))
            continue
        boot = boots.setdefault(record.boot_id, len(boots))
        chunk.passages.append(
            _Kept(
                sequence,
                record.event,
                record.outcome,
                record.direction,
                record.clock_trust,
                record.worker,
                record.token,
                record.about,
                record.wall_ms,
                record.monotonic_ms,
                boot,
                record.note if record.event is Event.COUNT else "",
            )
        )
    chunk.boots.extend(boots)
    return _pack(chunk)


def unpack_chunk(data: bytes) -> list[ZoneRecord]:
    """Return the records, ascending. What does not matter to the zone is not in them.

    :raises ValueError: if the bytes are no chunk.
    """
    try:
        chunk = _unpack(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError("not a chunk of the zone's records") from error
    if any(not 0 <= kept.boot < len(chunk.boots) for kept in chunk.passages):
        raise ValueError("a record of a boot that is not named")
    records: list[ZoneRecord] = [
        (
            kept.sequence,
            ZonePassage(
                chunk.site,
                kept.outcome,
                kept.wall_ms,
                kept.monotonic_ms,
                chunk.boots[kept.boot],
                kept.clock_trust,
                kept.direction,
                kept.event,
                kept.about,
                kept.note,
                kept.worker,
                kept.token,
            ),
        )
        for kept in chunk.passages
    ]
    if not chunk.followups:
        return records
    records += [(sequence, Followup(kind, about)) for sequence, kind, about in chunk.followups]
    return sorted(records, key=lambda one: one[0])
