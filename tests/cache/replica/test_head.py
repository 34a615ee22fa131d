"""A head counts only as signed: not one bit off, not by another key, never backwards."""

from __future__ import annotations

import hashlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from admission.instant import ClockTrust
from admission.local_time import MAX_CLOCK_BEHIND_NS
from cache.errors import HeadError, HeadExpired, HeadRolledBack
from cache.replica.head import (
    MAX_DOCUMENT_BYTES,
    MAX_HEAD_BYTES,
    Blob,
    Dataset,
    DeltaFile,
    Document,
    Following,
    Head,
    SignedHead,
    public_key_id,
    sign_head,
    verify_head,
)
from cache.replica.names import PERSONS
from cache.replica.ratchet import Ratchet, judge
from tests.cache.replica.releases import (
    DAY_NS,
    HASH_KEY_ID,
    ISSUED_NS,
    SIGNER,
    STRANGER,
    TRUSTED,
)
from tests.worlds import ManualClock

DATASET = Dataset(bytes(range(32)), 20_480, 300, 1)
DOCUMENT = Document(bytes(range(32, 64)), 1_234)


def a_head(sequence: int = 7, **changes: object) -> Head:
    fields: dict[str, object] = {
        "issued_ns": ISSUED_NS,
        "expires_ns": ISSUED_NS + DAY_NS,
        "min_next_poll_s": 2,
        "hash_key_id": HASH_KEY_ID,
        "datasets": {PERSONS: DATASET},
        "documents": {"trust/dcc": DOCUMENT},
    }
    return Head(sequence=sequence, **{**fields, **changes})  # type: ignore[arg-type]


def test_a_signed_head_comes_back() -> None:
    signed = verify_head(sign_head(a_head(), SIGNER), [STRANGER.public_key(), *TRUSTED])
    assert signed.head == a_head()


def test_every_flipped_bit_is_refused() -> None:
    envelope = sign_head(a_head(), SIGNER)
    for at in range(len(envelope)):
        for bit in range(8):
            flipped = bytearray(envelope)
            flipped[at] ^= 1 << bit
            with pytest.raises(HeadError):
                verify_head(bytes(flipped), TRUSTED)


def test_every_truncation_and_a_trailing_byte_are_refused() -> None:
    envelope = sign_head(a_head(), SIGNER)
    for data in [*(envelope[:size] for size in range(len(envelope))), envelope + b"\0"]:
        with pytest.raises(HeadError):
            verify_head(data, TRUSTED)


def test_another_key_is_refused_even_under_our_keys_name() -> None:
    with pytest.raises(HeadError, match="not trusted"):
        verify_head(sign_head(a_head(), STRANGER), TRUSTED)
    version, _, payload, signature = msgpack.unpackb(sign_head(a_head(), STRANGER))
    renamed = msgpack.packb([version, public_key_id(SIGNER.public_key()), payload, signature])
    with pytest.raises(HeadError, match="does not hold"):
        verify_head(renamed, TRUSTED)


def test_a_signature_for_another_purpose_does_not_count() -> None:
    version, key_id, payload, _ = msgpack.unpackb(sign_head(a_head(), SIGNER))
    bare = msgpack.packb([version, key_id, payload, SIGNER.sign(payload)])
    with pytest.raises(HeadError, match="does not hold"):
        verify_head(bare, TRUSTED)


def test_another_form_of_the_same_envelope_is_refused() -> None:
    envelope = sign_head(a_head(), SIGNER)
    signature = envelope[-64:]
    assert envelope[-66:-64] == b"\xc4\x40"
    longer = envelope[:-66] + b"\xc5\x00\x40" + signature
    assert msgpack.unpackb(longer) == msgpack.unpackb(envelope)
    with pytest.raises(HeadError, match="shortest"):
        verify_head(longer, TRUSTED)


@pytest.mark.parametrize(
    "payload",
    [
        b"\xc1",
        msgpack.packb({}),
        msgpack.packb([1, 2, 3]),
        msgpack.packb({"sequence": "1"}),
        b"\x91" * 5_000 + b"\x01",
    ],
    ids=["reserved byte", "empty", "array", "wrong type", "deep"],
)
def test_a_signed_payload_of_another_shape_is_refused(payload: bytes) -> None:
    key_id = public_key_id(SIGNER.public_key())
    signature = SIGNER.sign(b"chot head\x00\x03" + payload)
    with pytest.raises(HeadError, match="signed, but"):
        verify_head(msgpack.packb([3, key_id, payload, signature]), TRUSTED)


def test_a_field_this_version_does_not_know_is_refused_not_ignored() -> None:
    _, key_id, payload, _ = msgpack.unpackb(sign_head(a_head(), SIGNER))
    newer = msgpack.packb({**msgpack.unpackb(payload), "deltas": [b"..."]})
    signature = SIGNER.sign(b"chot head\x00\x03" + newer)
    with pytest.raises(HeadError, match="deltas"):
        verify_head(msgpack.packb([3, key_id, newer, signature]), TRUSTED)


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 0},
        {"sequence": 1 << 63},
        {"issued_ns": 0},
        {"expires_ns": ISSUED_NS},
        {"min_next_poll_s": -1},
        {"min_next_poll_s": 10**6},
        {"hash_key_id": b"short"},
        {"datasets": {PERSONS: Dataset(b"short", 1, 1, 1)}},
        {"datasets": {PERSONS: Dataset(bytes(32), 0, 1, 1)}},
        {"datasets": {str(i): DATASET for i in range(65)}},
        {"datasets": {"": DATASET}},
        {"documents": {"orders": Document(bytes(31), 1)}},
        {"documents": {"orders": Document(bytes(32), 0)}},
        {"documents": {"orders": Document(bytes(32), MAX_DOCUMENT_BYTES + 1)}},
        {"documents": {"x" * 129: DOCUMENT}},
        {"documents": {str(i): DOCUMENT for i in range(129)}},
    ],
    ids=str,
)
def test_fields_out_of_range_are_never_signed(change: dict[str, object]) -> None:
    with pytest.raises(HeadError, match="range"):
        sign_head(a_head(**{"sequence": 7, **change}), SIGNER)  # type: ignore[arg-type]


FILE = Blob(bytes(32), 500)
FOLLOWING = Following(bytes(32), 20_480, 301, 7, FILE)
CHANGED = replace(
    DATASET,
    snapshot=FILE,
    deltas=(DeltaFile(FILE, 0, 5), DeltaFile(FILE, 5, 7)),
    changes=b"new",
    through=9,
    following=FOLLOWING,
)


def test_a_dataset_that_changes_comes_back_as_it_was_signed() -> None:
    head = a_head(datasets={PERSONS: CHANGED}, targets=12)
    assert verify_head(sign_head(head, SIGNER), TRUSTED).head == head


@pytest.mark.parametrize(
    "change",
    [
        {"deltas": (DeltaFile(FILE, 1, 7),)},
        {"deltas": (DeltaFile(FILE, 0, 5), DeltaFile(FILE, 6, 7))},
        {"deltas": (DeltaFile(FILE, 0, 5), DeltaFile(FILE, 4, 7))},
        {"deltas": (DeltaFile(FILE, 0, 5), DeltaFile(FILE, 5, 5))},
        {"deltas": (DeltaFile(FILE, 0, 10),)},
        {"deltas": tuple(DeltaFile(FILE, n, n + 1) for n in range(65)), "through": 66},
        {"deltas": (DeltaFile(Blob(bytes(31), 500), 0, 7),)},
        {"deltas": (DeltaFile(Blob(bytes(32), 0), 0, 7),)},
        {"changes": b""},
        {"changes": bytes(32_769)},
        {"through": 7},
        {"through": 1 << 63},
        {"snapshot": Blob(bytes(31), 500)},
        {"following": replace(FOLLOWING, through=0)},
        {"following": replace(FOLLOWING, through=10)},
        {"following": replace(FOLLOWING, root=bytes(31))},
        {"following": replace(FOLLOWING, recipe=Blob(bytes(32), 0))},
    ],
    ids=str,
)
def test_changes_with_a_gap_or_out_of_range_are_refused_though_signed(
    change: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    head = a_head(datasets={PERSONS: replace(CHANGED, **change)})
    with pytest.raises(HeadError, match="range"):
        sign_head(head, SIGNER)
    with monkeypatch.context() as patch:
        patch.setattr("cache.replica.head._check", lambda _: None)
        signed = sign_head(head, SIGNER)
    with pytest.raises(HeadError, match="range"):
        verify_head(signed, TRUSTED)


def test_an_oversized_envelope_is_refused_unread() -> None:
    with pytest.raises(HeadError, match="limit"):
        verify_head(bytes(MAX_HEAD_BYTES + 1), TRUSTED)


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(HeadError):
        verify_head(data, TRUSTED)


class TestJudge:
    now = ManualClock().now()

    def signed(self, sequence: int = 7, **changes: object) -> SignedHead:
        return verify_head(sign_head(a_head(sequence, **changes), SIGNER), TRUSTED)

    def ratchet(self, sequence: int) -> Ratchet:
        return Ratchet.of(self.signed(sequence))

    def test_first_newer_and_same_are_accepted(self) -> None:
        judge(self.signed(), None, self.now)
        judge(self.signed(), self.ratchet(6), self.now)
        judge(self.signed(), self.ratchet(7), self.now)

    def test_an_older_one_is_refused(self) -> None:
        with pytest.raises(HeadRolledBack, match="older"):
            judge(self.signed(), self.ratchet(8), self.now)

    def test_the_same_sequence_with_another_body_is_refused(self) -> None:
        other = self.signed(issued_ns=ISSUED_NS + 1)
        with pytest.raises(HeadRolledBack, match="another body"):
            judge(other, self.ratchet(7), self.now)

    def test_an_expired_one_is_refused_where_the_clock_is_trusted(self) -> None:
        clock = ManualClock()
        clock.advance(86_400)
        with pytest.raises(HeadExpired):
            judge(self.signed(), None, clock.now())
        clock.trust = ClockTrust.UNKNOWN
        judge(self.signed(), None, clock.now())

    def test_a_head_from_ahead_of_a_trusted_clock_is_refused_with_what_to_do(self) -> None:
        issued_ns = self.now.wall_ns + MAX_CLOCK_BEHIND_NS
        judge(self.signed(issued_ns=issued_ns), None, self.now)
        with pytest.raises(HeadError, match="from now") as caught:
            judge(self.signed(issued_ns=issued_ns + 1), None, self.now)
        assert "clock" in caught.value.hint

    def test_to_an_undated_clock_a_head_from_ahead_is_evidence_not_an_error(self) -> None:
        clock = ManualClock()
        clock.trust = ClockTrust.UNKNOWN
        ahead = self.signed(issued_ns=ISSUED_NS + DAY_NS, expires_ns=ISSUED_NS + 2 * DAY_NS)
        judge(ahead, None, clock.now())


def test_the_head_has_not_moved() -> None:
    # A changed byte is a new head version: gates in the field read this one.
    digest = hashlib.sha256(sign_head(a_head(), SIGNER)).hexdigest()
    assert digest == "2874270fb01af01ebb5540fa074a420c66b825c2ce2237fb4f701d9557263cee"
