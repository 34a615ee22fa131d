"""Protects the records: what was written comes back, in the clear stands nobody, all else fails."""

from __future__ import annotations

import contextlib
import os
import tracemalloc

import msgpack
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from admission.errors import SealError, WireError
from admission.journal_record import (
    Followup,
    FollowupKind,
    PassageRecord,
    opened,
    pack_followup,
    pack_passage_record,
    pack_public,
    pack_sealed,
    pack_session,
    skim_record,
    unpack_record,
)
from admission.logged_passage import LoggedPassage, SkimmedPassage, for_zone, logged
from admission.passage import Passage
from admission.sealing import Opener, Sealer, SealSession
from admission.wire import pack_passage
from tests.admission.test_wire import passages

HUB = X25519PrivateKey.from_private_bytes(b"\x07" * 32)
JOURNAL = bytes(16)
PERSON, OFFICER, DIGEST = 0x1122334455667788, 0x99AABBCCDDEE, bytes(range(0xE0, 0xF0))
followups = st.builds(
    Followup,
    st.sampled_from(FollowupKind),
    st.integers(1, (1 << 63) - 1),
    st.integers(0, (1 << 63) - 1),
)
sessions = st.builds(
    SealSession, st.binary(min_size=8, max_size=8), st.binary(min_size=32, max_size=32)
)


def sealed(entry: Passage, sealer: Sealer) -> bytes:
    public = pack_public(entry)
    return pack_passage_record(public, sealer.seal(pack_sealed(entry), public))


def a_sealer() -> Sealer:
    return Sealer(HUB.public_key(), os.urandom(32), JOURNAL)


def to_the_millisecond(entry: Passage) -> Passage:
    floor = 1_000_000
    return msgspec.structs.replace(
        entry,
        wall_ns=entry.wall_ns // floor * floor,
        monotonic_ns=entry.monotonic_ns // floor * floor,
    )


@given(passages, st.none() | st.integers(0, (1 << 64) - 1))
def test_a_passage_comes_back_whole_for_the_hub(entry: Passage, token: int | None) -> None:
    entry = msgspec.structs.replace(entry, token=token, officer=token)
    sealer = a_sealer()
    record = unpack_record(sealed(entry, sealer))
    assert isinstance(record, PassageRecord)
    assert record.passage == logged(entry)
    session = Opener(HUB).begin(sealer.session, JOURNAL)
    assert opened(record, session) == to_the_millisecond(entry)
    with pytest.raises(SealError):
        opened(record, None)
    altered = msgspec.structs.replace(record, public=record.public + b"\x00")
    with pytest.raises(SealError):
        opened(altered, session)


@given(passages)
def test_where_no_key_was_known_the_personal_part_is_left_out(entry: Passage) -> None:
    record = unpack_record(pack_passage_record(pack_public(entry), b""))
    assert isinstance(record, PassageRecord)
    nobody = msgspec.structs.replace(entry, person=None, code_digest=b"", officer=None)
    assert opened(record, None) == to_the_millisecond(nobody)


@given(passages)
def test_every_passage_of_the_first_version_is_read(entry: Passage) -> None:
    record = unpack_record(pack_passage(entry))
    assert isinstance(record, PassageRecord)
    assert record.passage == logged(entry)
    assert opened(record, None) == to_the_millisecond(entry)


# The bytes of one passage as the first version wrote it: msgpack of its 25 fields.
FIRST_VERSION = bytes.fromhex(
    "dc0019a6676174652d31a66c616e652d31a863616d6572612d31a771725f636f6465ab706572736f6e616c5f"
    "7172c410e0e1e2e3e4e5e6e7e8e9eaebecedeeefcf1122334455667788a561646d6974a5677265656e91aa63"
    "6172645f6f70656e730fab68636d632d323032312f3107cf16a39b711aeacd15ce05e69ec0a6626f6f742d31"
    "ac73796e6368726f6e69736564a2696ea86f766572726964650ccf000099aabbccddeea9656d657267656e63"
    "799090c3"
)


@pytest.mark.parametrize("fields", range(17, 26))
def test_passages_of_every_age_of_the_first_version_are_read(fields: int) -> None:
    # The last fields came one after another; of the first seventeen none is missing.
    record = unpack_record(msgpack.packb(msgpack.unpackb(FIRST_VERSION)[:fields]))
    assert isinstance(record, PassageRecord)
    assert record.plain is not None
    assert (record.plain.person, record.plain.code_digest) == (PERSON, DIGEST)
    assert record.plain.officer == (OFFICER if fields > 20 else None)
    assert (record.passage.site, record.passage.wall_ms) == ("gate-1", 1_631_318_400_123)


@given(followups)
def test_what_followed_comes_back(followup: Followup) -> None:
    assert unpack_record(pack_followup(followup)) == followup


@given(sessions)
def test_sessions_come_back(session: SealSession) -> None:
    assert unpack_record(pack_session(session)) == session


def test_the_form_of_records_is_what_it_was() -> None:
    # By hand, from the module's table and msgpack's specification.
    assert pack_followup(Followup(FollowupKind.WITHHELD, 300, 7)).hex() == "940205cd012c07"
    session = SealSession(b"\x01" * 8, b"\x02" * 32)
    assert pack_session(session).hex() == "9303c408" + "01" * 8 + "c420" + "02" * 32
    assert pack_passage_record(b"\x90", b"\x05").hex() == "930190c40105"


def test_nobody_stands_in_the_clear() -> None:
    entry = msgspec.convert(msgpack.unpackb(FIRST_VERSION), Passage)
    record = sealed(entry, a_sealer())
    for number in (PERSON, OFFICER):
        for form in (number.to_bytes(8, "little"), number.to_bytes(8, "big"), b"%d" % number):
            assert form.strip(b"\x00") not in record
    assert DIGEST not in record
    assert DIGEST in pack_passage(entry)


def read_or_refused(data: bytes) -> None:
    with contextlib.suppress(WireError):
        skim_record(data)
    with contextlib.suppress(WireError):
        record = unpack_record(data)
        assert isinstance(record, PassageRecord | Followup | SealSession)
        if not isinstance(record, SealSession):  # what is read whole, the zone reads alike
            seen = for_zone(record.passage) if isinstance(record, PassageRecord) else record
            assert skim_record(data) == seen


@given(st.binary(max_size=300))
def test_hostile_bytes_raise_nothing_but_a_wire_error(data: bytes) -> None:
    read_or_refused(data)
    read_or_refused(b"\x93\x01" + data)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats()
    | st.text(max_size=5) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)  # fmt: skip


@given(st.sampled_from((1, 2, 3, True, 2.0, "s")), st.lists(values, max_size=5), st.data())
def test_hostile_values_raise_nothing_but_a_wire_error(
    kind: object, fields: list[object], data: st.DataObject
) -> None:
    read_or_refused(msgpack.packb([kind, *fields]))
    plain = msgpack.unpackb(FIRST_VERSION)
    plain[data.draw(st.integers(0, len(plain) - 1))] = data.draw(values)
    read_or_refused(msgpack.packb(plain))
    public = msgspec.to_builtins(logged(msgspec.convert(msgpack.unpackb(FIRST_VERSION), Passage)))
    public[data.draw(st.integers(0, len(public) - 1))] = data.draw(values)
    read_or_refused(msgpack.packb([1, public, b""]))


@pytest.mark.parametrize("record", [
    [2, True, 5, 0], [2, 1, True, 0], [2, 1, 5], [2, 0, 5, 0], [2, 8, 5, 0], [2, 1, 0, 0],
    [2, 1, 1 << 63, 0], [2, 1, 5, -1], [2, 1, 5, 1 << 63], [2.0, 1, 5, 0], [2, 1.0, 5, 0],
    [3, b"1234567", bytes(32)], [3, bytes(8), bytes(31)], [3, bytes(8)], [3, "12345678", bytes(32)],
    [4], [0, [], b""], [True, [], b""], [], {}, None, b"", {1: 2},
])  # fmt: skip
def test_almost_records_are_none(record: object) -> None:
    with pytest.raises(WireError):
        unpack_record(msgpack.packb(record, use_bin_type=True))


@pytest.mark.parametrize(("field", "value"), [
    ("wall_ms", 1 << 63), ("monotonic_ms", 1 << 62), ("directive", 1 << 63), ("release", 1 << 63),
    ("about", 1 << 63), ("token", -1), ("wall_ms", -(1 << 62)),
])  # fmt: skip
def test_numbers_that_no_table_of_the_hub_holds_are_refused(field: str, value: int) -> None:
    seen = logged(msgspec.convert(msgpack.unpackb(FIRST_VERSION), Passage))
    public = msgspec.msgpack.encode(msgspec.structs.replace(seen, **{field: value}))
    with pytest.raises(WireError, match="out of range"):
        unpack_record(pack_passage_record(public, b""))


@pytest.mark.parametrize("hostile", [
    b"\x91" * 4_000 + b"\x90",
    b"\xdd\xff\xff\xff\xff" * 800,
    b"\xdc\x0f\xff" * 1_000,
    b"\xdf\xff\xff\xff\xff\xa1a" * 500,
    b"\xc6\xff\xff\xff\xff",
    b"\xdb\xff\xff\xff\xff",
    b"\xc9\xff\xff\xff\xff\x01",
])  # fmt: skip
@pytest.mark.parametrize("start", [b"", b"\x93\x01", b"\x94\x02", b"\x93\xa1s"])
def test_lengths_and_nesting_that_are_only_claimed_cost_no_memory(
    start: bytes, hostile: bytes
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            unpack_record(start + hostile)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def test_seals_and_records_that_are_too_long_are_refused() -> None:
    public = pack_public(msgspec.convert(msgpack.unpackb(FIRST_VERSION), Passage))
    with pytest.raises(WireError, match="too long"):
        unpack_record(pack_passage_record(public, bytes(161)))
    with pytest.raises(WireError, match="over the limit"):
        unpack_record(pack_passage_record(public, bytes(5_000)))


def test_a_later_version_may_add_fields_at_the_end() -> None:
    seen = logged(msgspec.convert(msgpack.unpackb(FIRST_VERSION), Passage))
    later = [*msgspec.to_builtins(seen), "of later"]
    record = unpack_record(msgpack.packb([1, later, b""]))
    assert isinstance(record, PassageRecord)
    assert record.passage == seen
    assert LoggedPassage.__struct_fields__[-1] == "token"


def test_skimming_steps_over_the_same_fields_in_the_same_order() -> None:
    assert SkimmedPassage.__struct_fields__ == LoggedPassage.__struct_fields__


@given(passages)
def test_skimming_a_record_tells_what_reading_it_does(entry: Passage) -> None:
    for packed in (pack_passage_record(pack_public(entry), b""), pack_passage(entry)):
        record = unpack_record(packed)
        assert isinstance(record, PassageRecord)
        skimmed = skim_record(packed)
        for field in type(skimmed).__struct_fields__:
            assert getattr(skimmed, field) == getattr(record.passage, field)


@given(followups, sessions)
def test_skimming_tells_what_followed_and_nothing_of_sessions(
    followup: Followup, session: SealSession
) -> None:
    assert skim_record(pack_followup(followup)) == followup
    assert skim_record(pack_session(session)) is None


@given(passages, st.data())
def test_skimming_altered_bytes_is_an_error_or_harmless(
    entry: Passage, data: st.DataObject
) -> None:
    packed = bytearray(pack_passage_record(pack_public(entry), b""))
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WireError):
        skim_record(bytes(packed))
    with contextlib.suppress(WireError):
        skim_record(bytes(packed[:place]))
