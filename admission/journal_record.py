"""What one entry of the journal holds: a passage, what followed on it, or the key of its seals.

A record is a msgpack array that begins with its type:

    [1, public, seal]            a passage: `LoggedPassage` in the clear, `Personal` sealed, or
                                 left out where no key was known to seal it for (empty)
    [2, kind, about, after_ms]   what followed on an earlier entry
    [3, recipient, ephemeral]    the session by which the seals from here on open

An array that begins with text is a passage of the first version, with everything in the clear.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from admission.errors import SealError, WireError
from admission.logged_passage import (
    NS_PER_MS,
    LoggedPassage,
    SkimmedPassage,
    ZonePassage,
    for_zone,
    logged,
)
from admission.passage import MAX_SEQUENCE, Passage
from admission.sealing import (
    KEY_ID_BYTES,
    PUBLIC_KEY_BYTES,
    OpenedSession,
    Personal,
    SealSession,
    pack_personal,
    unpack_personal,
)
from admission.wire import MAX_PASSAGE_BYTES, unpack_bounded, unpack_passage

MAX_SEAL_BYTES = 160
_FOLLOWUP, _SESSION = 2, 3
PASSAGE_START = b"\x93\x01"
"""How the record of a passage begins: an array of three whose first is 1."""
_FOLLOWUP_START = b"\x94\x02"


class FollowupKind(IntEnum):
    """What followed on an entry. Values are on the wire; add, never renumber."""

    ACTUATED = 1
    """The board acknowledged the signal."""
    NOT_ACTUATED = 2
    """No board acknowledged: of an ADMIT, the gate is not known to have opened."""
    PASSED = 3
    """The passage sensor saw somebody pass."""
    NOT_PASSED = 4
    """Nobody passed while the gate was open: an ADMIT is annulled."""
    WITHHELD = 5
    """The entry became durable after the lane had given it up: what was shown is REFER."""
    UNSECURED = 6
    """By the site's policy the lane did not wait: the gate moved before the entry was durable."""
    TAILGATED = 7
    """Somebody else went through behind whoever was admitted."""


class Followup(msgspec.Struct, frozen=True, gc=False):
    """What followed on the entry `about`, `after_ms` milliseconds later."""

    kind: FollowupKind
    about: int
    after_ms: int = 0


class PassageRecord(msgspec.Struct, frozen=True):
    """A passage as it was read back. `public` are the bytes that the seal is bound to.

    `seal` is empty where nothing was sealed. `plain` is what stood in the clear in a record of the
    first version, None in any other.
    """

    passage: LoggedPassage
    public: bytes = b""
    seal: bytes = b""
    plain: Personal | None = None


_KINDS = frozenset(FollowupKind)
_I64 = range(-(1 << 63), 1 << 63)
_U64 = range(1 << 64)
_MS = range(-((1 << 63) // NS_PER_MS), (1 << 63) // NS_PER_MS + 1)  # as ns, still 64 bits

Record = PassageRecord | Followup | SealSession

_pack = msgspec.msgpack.Encoder().encode
_skim_followup = msgspec.msgpack.Decoder(tuple[int, FollowupKind, int, int]).decode
_skim = msgspec.msgpack.Decoder(tuple[int, SkimmedPassage, msgspec.Raw]).decode
_parts = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw, bytes]).decode


def pack_public(entry: Passage) -> bytes:
    """Return the bytes of a passage that stand in the clear."""
    return _pack(logged(entry))


def pack_sealed(entry: Passage) -> bytes:
    """Return the bytes of a passage that are to be sealed."""
    return pack_personal(Personal(entry.person, entry.code_digest, entry.officer))


def pack_passage_record(public: bytes, seal: bytes) -> bytes:
    """Return the record of a passage.

    :param public: `pack_public` of it.
    :param seal: `Sealer.seal` over `pack_sealed` of it beside `public`; empty leaves it out.
    """
    return PASSAGE_START + public + _pack(seal)


def pack_followup(followup: Followup) -> bytes:
    """Return the record of what followed."""
    return _pack((_FOLLOWUP, followup.kind, followup.about, followup.after_ms))


def pack_session(session: SealSession) -> bytes:
    """Return the record of a session."""
    return _pack((_SESSION, session.recipient, session.ephemeral))


def unpack_record(data: bytes) -> Record:
    """Return what an entry holds.

    :raises WireError: if the bytes are no record of a known kind, or longer than one may be.
    """
    _bounded(data)
    if data.startswith(PASSAGE_START):
        return _passage_record(data)
    value = unpack_bounded(data, MAX_PASSAGE_BYTES)
    if not isinstance(value, list) or not value:
        raise WireError("no record")
    if isinstance(value[0], str):
        return _first_version(data)
    # By type, since True == 1 and 2.0 == 2: what is one record here is none elsewhere.
    if type(value[0]) is int:
        if value[0] == _FOLLOWUP:
            return _followup(value[1:4])
        if value[0] == _SESSION:
            return _session(value[1:3])
    raise WireError("a record of an unknown kind")


def skim_record(data: bytes) -> ZonePassage | Followup | None:
    """Return what a record says of who is inside, in half the time; None for a session.

    Of a passage it reads no more than that: a reason that this version does not know is none of the
    zone's business.

    :raises WireError: if the bytes are no record of a known kind, or longer than one may be.
    """
    if not data.startswith(PASSAGE_START):
        if data.startswith(_FOLLOWUP_START):  # every other entry of a journal
            return _skimmed_followup(data)
        record = unpack_record(data)
        if isinstance(record, PassageRecord):
            return for_zone(record.passage)
        return record if isinstance(record, Followup) else None
    _bounded(data)
    try:
        seen = _skim(data)[1]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError("not a well-formed passage record") from error
    if seen.wall_ms not in _MS or seen.monotonic_ms not in _MS:
        raise WireError("a time of a passage is out of range")
    return for_zone(seen)


def _skimmed_followup(data: bytes) -> Followup:
    try:
        _, kind, about, after_ms = _skim_followup(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError("not a followup") from error
    if not 0 < about <= MAX_SEQUENCE or not 0 <= after_ms <= MAX_SEQUENCE:
        raise WireError("not a followup")
    return Followup(kind, about, after_ms)


def opened(record: PassageRecord, session: OpenedSession | None) -> Passage:
    """Return a passage with what was sealed in it; nothing of it where nothing was.

    :raises SealError: if there is a seal and this session does not open it.
    """
    if record.plain is not None:
        personal = record.plain
    elif record.seal:
        if session is None:
            raise SealError("the session that sealed the entry is not known")
        personal = unpack_personal(session.open(record.seal, record.public))
    else:
        personal = Personal(None, b"")
    seen = record.passage
    return Passage(
        site=seen.site,
        lane=seen.lane,
        source=seen.source,
        symbology=seen.symbology,
        kind=seen.kind,
        code_digest=personal.code_digest,
        person=personal.person,
        outcome=seen.outcome,
        card=seen.card,
        reasons=seen.reasons,
        directive=seen.directive,
        rulebook=seen.rulebook,
        release=seen.release,
        wall_ns=seen.wall_ns,
        monotonic_ns=seen.monotonic_ns,
        boot_id=seen.boot_id,
        clock_trust=seen.clock_trust,
        direction=seen.direction,
        event=seen.event,
        about=seen.about,
        officer=personal.officer,
        note=seen.note,
        alerts=seen.alerts,
        doubts=seen.doubts,
        worker=seen.worker,
        token=seen.token,
    )


def split_passage(data: bytes) -> tuple[msgspec.Raw, bytes]:
    """Return the public part and the seal of a record that begins with `PASSAGE_START`, unread.

    :raises WireError: if the bytes are no record of a passage, or longer than one may be.
    """
    _bounded(data)
    try:
        _, public, seal = _parts(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise WireError("not a well-formed passage record") from error
    if len(seal) > MAX_SEAL_BYTES:
        raise WireError("a seal that is too long")
    return public, seal


def _bounded(data: bytes) -> None:
    if len(data) > MAX_PASSAGE_BYTES:
        msg = f"a record of {len(data)} bytes is over the limit of {MAX_PASSAGE_BYTES}"
        raise WireError(msg)


def _passage_record(data: bytes) -> PassageRecord:
    raw, seal = split_passage(data)
    public = bytes(raw)
    try:
        passage = msgspec.convert(unpack_bounded(public, MAX_PASSAGE_BYTES), LoggedPassage)
    except msgspec.ValidationError as error:
        msg = f"not a passage: {error}"
        raise WireError(msg) from error
    return PassageRecord(_checked(passage), public, seal)


def _first_version(data: bytes) -> PassageRecord:
    entry = unpack_passage(data)
    personal = Personal(entry.person, entry.code_digest, entry.officer)
    if not all(number is None or number in _U64 for number in (entry.person, entry.officer)):
        raise WireError("a number of a passage is out of range")
    return PassageRecord(_checked(logged(entry)), plain=personal)


def _followup(fields: list[object]) -> Followup:
    match fields:
        case [int(kind), int(about), int(after_ms)] if not any(type(f) is bool for f in fields):
            if kind in _KINDS and 0 < about <= MAX_SEQUENCE and 0 <= after_ms <= MAX_SEQUENCE:
                return Followup(FollowupKind(kind), about, after_ms)
    raise WireError("not a followup")


def _session(fields: list[object]) -> SealSession:
    match fields:
        case [bytes(recipient), bytes(ephemeral)]:
            if (len(recipient), len(ephemeral)) == (KEY_ID_BYTES, PUBLIC_KEY_BYTES):
                return SealSession(recipient, ephemeral)
    raise WireError("not a session of seals")


def _checked(passage: LoggedPassage) -> LoggedPassage:
    """Refuse numbers that no table of the hub could hold: they would stop what comes after them."""
    numbers = (passage.directive, passage.release, passage.about)
    if not all(number is None or number in _I64 for number in numbers):
        raise WireError("a number of a passage is out of range")
    if passage.wall_ms not in _MS or passage.monotonic_ms not in _MS:
        raise WireError("a time of a passage is out of range")
    if passage.token is not None and passage.token not in _U64:
        raise WireError("a passage's token is out of range")
    return passage
