"""Protects what an entry is found by: the same columns as whoever reads it whole would name."""

from __future__ import annotations

import contextlib

import msgpack
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.errors import WireError
from admission.instant import ClockTrust
from admission.journal_record import (
    Followup,
    FollowupKind,
    opened,
    pack_followup,
    pack_passage_record,
    pack_public,
    pack_sealed,
    pack_session,
    unpack_record,
)
from admission.logged_passage import LoggedPassage, logged
from admission.passage import Event, Passage
from admission.sealing import Opener, Sealer
from admission.verdict import Alert, Outcome
from admission.wire import pack_passage
from hub.columns import Columns, _Seen, columns_of
from hub.seal_sessions import SealSessions
from hub.seals import Seals
from hub.store.entries import Decoded, JournalKey
from hub.store.marks import MarkKind
from tests.hub.gates import JOURNAL, a_passage
from tests.hub.memory_store import MemoryStore

PRIVATE = X25519PrivateKey.from_private_bytes(bytes([9]) * 32)
SEALER = Sealer(PRIVATE.public_key(), bytes([8]) * 32, JOURNAL)
OPENED = Opener(PRIVATE).begin(SEALER.session, JOURNAL)
MARKS = {Event.OVERRIDE: MarkKind.OVERRIDE, Event.CORRECTION: MarkKind.CORRECTION}


def sealed(entry: Passage) -> bytes:
    public = pack_public(entry)
    return pack_passage_record(public, SEALER.seal(pack_sealed(entry), public))


passages = st.builds(
    lambda **changes: msgspec.structs.replace(a_passage(1), **changes),
    site=st.text(max_size=9).filter(lambda text: "\x00" not in text),
    person=st.none() | st.integers(0, (1 << 64) - 1),
    officer=st.none() | st.integers(0, 99),
    outcome=st.sampled_from(Outcome),
    event=st.sampled_from(Event),
    alerts=st.lists(st.sampled_from(Alert), max_size=2).map(tuple),
    wall_ns=st.integers(0, 1 << 62),
    clock_trust=st.sampled_from(ClockTrust),
)


@settings(max_examples=60, deadline=None)
@given(passages)
def test_columns_are_what_the_whole_entry_says(entry: Passage) -> None:
    for packed in (sealed(entry), pack_passage(entry)):
        record = unpack_record(packed)
        whole = opened(record, OPENED)  # type: ignore[arg-type]
        marks = [MarkKind.ALERT] * bool(entry.alerts)
        marks += [MARKS[entry.event]] if entry.event in MARKS else []
        expected = Decoded(
            whole.site, logged(whole).wall_ns, whole.person, whole.outcome.value, tuple(marks)
        )
        assert columns_of(packed, OPENED) == Columns(expected, entry.clock_trust)


def test_what_is_no_passage_has_no_columns() -> None:
    assert columns_of(pack_followup(Followup(FollowupKind.PASSED, 1)), OPENED) == Columns()
    assert columns_of(pack_session(SEALER.session), None) == Columns(session=SEALER.session)


def test_a_seal_that_does_not_open_leaves_the_person_unknown_and_says_why() -> None:
    packed = sealed(a_passage(1))
    other = Opener(X25519PrivateKey.from_private_bytes(bytes([7]) * 32))
    foreign = Sealer(PRIVATE.public_key(), bytes([6]) * 32, JOURNAL).session
    for session in (None, Opener(PRIVATE).begin(foreign, JOURNAL)):
        read = columns_of(packed, session)
        assert read.decoded is not None
        assert (read.decoded.person, read.decoded.site) == (None, "site-1")
        assert read.unopened
    assert other.key_id != SEALER.session.recipient
    plain = columns_of(pack_passage_record(pack_public(a_passage(1)), b""), None)
    assert plain.decoded is not None
    assert not plain.unopened, "nothing was sealed: nobody's key was known to the gate"


GOOD = msgpack.unpackb(sealed(a_passage(1)))


@pytest.mark.parametrize(
    "packed",
    [
        b"\x93\x01",
        b"\x93\x01\xc0\xc4\x00",
        b"\x93\x01" + b"\xdd\xff\xff\xff\xff" + b"\xc4\x00",
        b"\x93\x01" + b"\x91" * 3_000,
        msgpack.packb([1, GOOD[1][:19], b""]),
        msgpack.packb([1, [7, *GOOD[1][1:]], b""]),
        msgpack.packb([1, ["a\x00b", *GOOD[1][1:]], b""]),
        msgpack.packb([1, [*GOOD[1][:11], 1 << 60, *GOOD[1][12:]], b""]),
        msgpack.packb([1, GOOD[1], bytes(161)]),
        msgpack.packb([1, [*GOOD[1], "x" * 5_000], b""]),
    ],
)
def test_what_no_column_holds_is_refused(packed: bytes) -> None:
    with pytest.raises(WireError):
        columns_of(packed, None)


@pytest.mark.parametrize("value", [0x00, 0x80, 0xC3, 0xFF])
def test_no_byte_of_an_entry_can_make_more_than_a_wire_error(value: int) -> None:
    # Whatever else it raised would be answered 500, again and again: the gate would be stuck there.
    for packed in (sealed(a_passage(1)), pack_passage(a_passage(1))):
        for place in range(len(packed)):
            altered = packed[:place] + bytes([value]) + packed[place + 1 :]
            with contextlib.suppress(WireError):
                columns_of(altered, OPENED)


async def test_the_session_at_a_place_is_remembered_or_asked_of_the_store() -> None:
    store, key = MemoryStore(), JournalKey("gate-1", JOURNAL)
    sessions = SealSessions(Seals([PRIVATE]))
    assert await sessions.before(store, key, 1) is None
    assert await sessions.before(store, key, 5) is None, "nothing is held yet"
    store._sessions[key][2] = pack_session(SEALER.session)
    assert await sessions.before(store, key, 2) is None
    found = await sessions.before(store, key, 3)
    assert found is not None
    sessions.remember(key, 9, None)
    assert await sessions.before(store, key, 10) is None, "remembered: the store is not asked"
    assert await sessions.before(store, key, 9) is found, "kept open"
    assert await SealSessions(Seals([])).before(store, key, 3) is None, "another hub's"


def test_columns_are_counted_off_as_the_record_has_them() -> None:
    fields = _Seen.__struct_fields__
    assert fields == LoggedPassage.__struct_fields__[: len(fields)]
