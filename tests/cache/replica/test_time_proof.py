"""A time counts only as signed, and only for the nonce that asked: nobody can play an old one."""

from __future__ import annotations

import hashlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.errors import TimeProofError
from cache.replica.head import public_key_id
from cache.replica.time_proof import (
    MAX_TIME_PROOF_BYTES,
    NONCE_BYTES,
    sign_time,
    verify_time,
)
from tests.cache.replica.releases import ISSUED_NS, SIGNER, STRANGER, TRUSTED

NONCE = bytes(range(NONCE_BYTES))
KEY_ID = public_key_id(SIGNER.public_key())
NONCES = st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES)
WALLS = st.integers(1, (1 << 63) - 1)


@given(NONCES, WALLS)
def test_a_signed_time_comes_back_within_its_bound(nonce: bytes, wall_ns: int) -> None:
    proof = sign_time(nonce, wall_ns, SIGNER)
    assert len(proof) <= MAX_TIME_PROOF_BYTES
    assert verify_time(proof, nonce, [STRANGER.public_key(), *TRUSTED]) == wall_ns


@given(NONCES, WALLS, st.data())
def test_no_flipped_bit_verifies(nonce: bytes, wall_ns: int, data: st.DataObject) -> None:
    proof = bytearray(sign_time(nonce, wall_ns, SIGNER))
    bit = data.draw(st.integers(0, len(proof) * 8 - 1))
    proof[bit // 8] ^= 1 << bit % 8
    with pytest.raises(TimeProofError):
        verify_time(bytes(proof), nonce, TRUSTED)


@given(NONCES, st.binary(max_size=NONCE_BYTES * 2))
def test_no_other_nonce_verifies(nonce: bytes, other: bytes) -> None:
    if other != nonce:
        with pytest.raises(TimeProofError, match="another question"):
            verify_time(sign_time(nonce, ISSUED_NS, SIGNER), other, TRUSTED)


def test_every_flipped_bit_of_one_proof_is_refused() -> None:
    proof = sign_time(NONCE, ISSUED_NS, SIGNER)
    for bit in range(len(proof) * 8):
        flipped = bytearray(proof)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(TimeProofError):
            verify_time(bytes(flipped), NONCE, TRUSTED)


def test_every_truncation_and_a_trailing_byte_are_refused() -> None:
    proof = sign_time(NONCE, ISSUED_NS, SIGNER)
    for data in [*(proof[:size] for size in range(len(proof))), proof + b"\0"]:
        with pytest.raises(TimeProofError):
            verify_time(data, NONCE, TRUSTED)


def test_an_old_answer_under_a_new_nonce_is_refused() -> None:
    version, _, wall_ns, key_id, signature = msgpack.unpackb(sign_time(NONCE, ISSUED_NS, SIGNER))
    fresh = bytes(NONCE_BYTES)
    replayed = msgpack.packb([version, fresh, wall_ns, key_id, signature])
    with pytest.raises(TimeProofError, match="does not hold"):
        verify_time(replayed, fresh, TRUSTED)


def test_another_key_is_refused_even_under_our_keys_name() -> None:
    with pytest.raises(TimeProofError, match="not trusted"):
        verify_time(sign_time(NONCE, ISSUED_NS, STRANGER), NONCE, TRUSTED)
    version, nonce, wall_ns, _, signature = msgpack.unpackb(sign_time(NONCE, ISSUED_NS, STRANGER))
    renamed = msgpack.packb([version, nonce, wall_ns, KEY_ID, signature])
    with pytest.raises(TimeProofError, match="does not hold"):
        verify_time(renamed, NONCE, TRUSTED)


@pytest.mark.parametrize("domain", [b"", b"chot head\x00", b"chot time"], ids=repr)
def test_a_signature_for_another_purpose_does_not_count(domain: bytes) -> None:
    signature = SIGNER.sign(domain + b"\x01" + NONCE + ISSUED_NS.to_bytes(8, "big"))
    proof = msgpack.packb([1, NONCE, ISSUED_NS, KEY_ID, signature])
    with pytest.raises(TimeProofError, match="does not hold"):
        verify_time(proof, NONCE, TRUSTED)


def test_another_form_of_the_same_proof_is_refused() -> None:
    proof = sign_time(NONCE, ISSUED_NS, SIGNER)
    assert proof[-66:-64] == b"\xc4\x40"
    longer = proof[:-66] + b"\xc5\x00\x40" + proof[-64:]
    assert msgpack.unpackb(longer) == msgpack.unpackb(proof)
    with pytest.raises(TimeProofError, match="short form"):
        verify_time(longer, NONCE, TRUSTED)


@pytest.mark.parametrize("wall_ns", [0, -1, 1 << 63])
def test_a_time_out_of_range_is_never_signed(wall_ns: int) -> None:
    with pytest.raises(TimeProofError, match="range"):
        sign_time(NONCE, wall_ns, SIGNER)


@pytest.mark.parametrize("size", [0, NONCE_BYTES - 1, NONCE_BYTES + 1])
def test_a_nonce_of_another_length_is_neither_signed_nor_compared(size: int) -> None:
    with pytest.raises(TimeProofError):
        sign_time(bytes(size), ISSUED_NS, SIGNER)
    with pytest.raises(TimeProofError):
        verify_time(sign_time(bytes(NONCE_BYTES), ISSUED_NS, SIGNER), bytes(size), TRUSTED)


def test_an_oversized_proof_is_refused_unread() -> None:
    with pytest.raises(TimeProofError, match="limit"):
        verify_time(bytes(MAX_TIME_PROOF_BYTES + 1), NONCE, TRUSTED)


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(TimeProofError):
        verify_time(data, NONCE, TRUSTED)


def test_the_proof_has_not_moved() -> None:
    # A changed byte is a new version: gates in the field read this one.
    digest = hashlib.sha256(sign_time(NONCE, ISSUED_NS, SIGNER)).hexdigest()
    assert digest == "48c8ffb016cce70015a8eb6e263e8b8f677854f2adfd1f9a983b3f9258d5e1df"
