"""Protects COSE_Sign1: the RFC's structure, three algorithms, and no exception for any message."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials import cose
from admission.errors import MalformedError

ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
P256 = ec.derive_private_key(0x5EED, ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)

# RFC 9052's own example, cose-wg/Examples sign1-tests/sign-pass-02 without external data:
# key "11" of its appendix C.7, payload "This is the content.".
RFC_KEY = ec.EllipticCurvePublicNumbers(
    0xBAC5B11CAD8F99F9C72B05CF4B9E26D244DC189F745228255A219A86D6A09EFF,
    0x20138BF82DC1B6D562BE0FA54AB7804A3A64B6D72CCFED6B6FB6ED28BBFC117E,
    ec.SECP256R1(),
).public_key()
RFC_MESSAGE = (
    "d28443a10126a10442313154546869732069732074686520636f6e74656e742e5840"
    "8eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e"
    "2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36"
)


def signed(algorithm: int, payload: bytes = b"content", *, header: Any = None) -> cose.Sign1:
    protected = cbor2.dumps({1: algorithm} if header is None else header)
    data = cose.signed_bytes(protected, payload)
    if algorithm == cose.ES256:
        r, s = decode_dss_signature(P256.sign(data, ec.ECDSA(SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    elif algorithm == cose.PS256:
        pss = padding.PSS(padding.MGF1(SHA256()), 32)
        signature = RSA.sign(data, pss, SHA256())
    else:
        signature = ED25519.sign(data)
    return cose.decode(cbor2.dumps([protected, {}, payload, signature]))


KEYS: dict[int, cose.PublicKey] = {
    cose.ES256: P256.public_key(),
    cose.PS256: RSA.public_key(),
    cose.EDDSA: ED25519.public_key(),
}


def test_the_rfcs_example_verifies() -> None:
    message = cose.decode(bytes.fromhex(RFC_MESSAGE))
    assert (message.algorithm, message.key_id) == (cose.ES256, b"11")
    assert message.payload == b"This is the content."
    assert cose.verify(message, RFC_KEY)


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_signature_holds_under_its_own_key_and_algorithm_only(algorithm: int) -> None:
    message = signed(algorithm)
    assert [cose.verify(message, key) for key in KEYS.values()] == [of == algorithm for of in KEYS]
    others = [a for a in (*KEYS, -35, 0, 5) if a != algorithm]
    for other in others:
        assert not cose.verify(signed(algorithm, header={1: other}), KEYS[algorithm])


@pytest.mark.parametrize("algorithm", KEYS)
def test_any_change_breaks_it(algorithm: int) -> None:
    message, key = signed(algorithm), KEYS[algorithm]
    parts = (message.protected, message.algorithm, message.key_id)
    for payload, signature in (
        (message.payload + b"x", message.signature),
        (message.payload, message.signature[:-1] + bytes((message.signature[-1] ^ 1,))),
        (message.payload, message.signature[:-1]),
        (message.payload, message.signature + b"\x00"),
        (message.payload, message.signature[:32] + b"\x00" + message.signature[32:]),
        (message.payload, bytes(len(message.signature))),
        (message.payload, b""),
    ):
        assert not cose.verify(cose.Sign1(*parts, payload, signature), key)


def test_the_three_taggings_are_read_and_no_other() -> None:
    plain = bytes.fromhex(RFC_MESSAGE)[1:]
    first = cose.decode(plain)
    for tags in ("d2", "d83dd2", "d812"):
        assert cose.decode(bytes.fromhex(tags) + plain) == first
    for tags in ("d1", "d83d", "d2d2", "d83dd83dd2", "d2d83d", "d862", "c0d0"):
        with pytest.raises(MalformedError):
            cose.decode(bytes.fromhex(tags) + plain)


def test_algorithm_and_key_id_come_from_the_protected_header_first() -> None:
    def read(protected: Any, unprotected: Any) -> tuple[int, bytes]:
        header = b"" if protected is None else cbor2.dumps(protected)
        message = cose.decode(cbor2.dumps([header, unprotected, b"", b""]))
        return message.algorithm, message.key_id

    assert read({1: -7, 4: b"a"}, {1: -37, 4: b"b"}) == (-7, b"a")
    assert read({1: -7}, {4: b"b"}) == (-7, b"b")
    assert read(None, {1: -37, 4: b"b"}) == (-37, b"b")
    assert read({1: "ES256", 4: "text"}, {}) == (0, b"")
    assert read({1: True}, {}) == (0, b"")


@pytest.mark.parametrize(
    "message",
    [
        [b"", {}, b""],
        [b"", {}, b"", b"", b""],
        {1: 2},
        "text",
        [{}, {}, b"", b""],
        [b"", b"", b"", b""],
        [b"", {}, None, b""],
        [b"", {}, b"", None],
        [b"\x80", {}, b"", b""],
        [b"\xa0\xa0", {}, b"", b""],
        [b"\xff", {}, b"", b""],
    ],
)
def test_other_shapes_are_refused(message: Any) -> None:
    with pytest.raises(MalformedError):
        cose.decode(cbor2.dumps(message))


@given(st.binary(max_size=600), st.binary(max_size=16))
def test_what_is_signed_here_verifies_here(payload: bytes, key_id: bytes) -> None:
    data = cose.sign(payload, ED25519, key_id=key_id)
    message = cose.decode(data)
    assert (message.payload, message.key_id) == (payload, key_id)
    assert cose.verify(message, ED25519.public_key())
    assert cose.sign(payload, ED25519, key_id=key_id) == data


@given(st.integers(0, 110), st.binary(min_size=1, max_size=4))
def test_a_damaged_message_is_refused_or_does_not_verify(at: int, damage: bytes) -> None:
    data = bytes.fromhex(RFC_MESSAGE)
    damaged = data[:at] + damage + data[at + len(damage) :]
    try:
        message = cose.decode(damaged)
    except MalformedError:
        return
    original = cose.decode(data)
    same = (message.protected, message.payload, message.signature) == (
        original.protected,
        original.payload,
        original.signature,
    )
    assert cose.verify(message, RFC_KEY) == (same and message.algorithm == cose.ES256)
