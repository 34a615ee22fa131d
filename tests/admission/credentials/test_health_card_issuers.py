"""Protects whom the gate believes: one key, one issuer, and one bad entry spoils no other."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials.health_card_issuers import (
    FORM,
    MAX_JWKS_BYTES,
    issuers_from_jwks,
    read_issuers,
    thumbprint,
    write_issuers,
)
from admission.errors import TrustError
from tests.admission.credentials.health_cards import ISS, jwk, key_of
from tests.worlds import chot_data


def test_a_document_reads_back_the_same_in_any_order() -> None:
    keys = [key_of(1), key_of(2), msgspec.structs.replace(key_of(3), crl=4)]
    data = write_issuers(keys)
    assert data == write_issuers([*reversed(keys), keys[0]])
    read = read_issuers(data)
    assert (len(read), read.refused) == (3, [])
    found = read.public_key(ISS, keys[1].kid)
    assert found is not None
    assert found.public_numbers().x == int.from_bytes(keys[1].x, "big")
    assert read.public_key(ISS, keys[1].kid) is found
    assert read.public_key("https://other.example", keys[1].kid) is None


def test_a_bad_entry_is_named_and_spoils_no_other() -> None:
    good, off_curve = key_of(1), (bytes(32), bytes(31) + b"\x01")
    entries: list[Any] = [
        msgspec.to_builtins(good, builtin_types=(bytes,)),
        msgspec.to_builtins(msgspec.structs.replace(good, kid="x"), builtin_types=(bytes,)),
        msgspec.to_builtins(key_of(2, "http://insecure.example"), builtin_types=(bytes,)),
        {"iss": ISS, "kid": thumbprint(*off_curve), "x": off_curve[0], "y": off_curve[1]},
        {"iss": ISS},
        7,
    ]
    read = read_issuers(msgspec.msgpack.encode({"format": FORM.format, "entries": entries}))
    assert len(read) == 2
    assert read.public_key(ISS, good.kid) is not None
    assert read.public_key(ISS, thumbprint(*off_curve)) is None
    assert [line.split(":")[0] for line in read.refused[:4]] == [f"entry {i}" for i in (1, 2, 4, 5)]
    assert "not on the curve" in read.refused[4]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode([]),
        msgspec.msgpack.encode({"format": FORM.format}),
        msgspec.msgpack.encode({"format": "other/1", "entries": []}),
        bytes(FORM.max_bytes + 1),
    ],
)
def test_a_document_that_is_none_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(TrustError):
        read_issuers(data)


@given(st.binary(max_size=100))
def test_any_bytes_are_issuers_or_refused(data: bytes) -> None:
    with pytest.raises(TrustError):
        read_issuers(data)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"kty": "RSA"}, "kty"),
        ({"use": "enc"}, "use"),
        ({"alg": "ES384"}, "alg"),
        ({"crv": "P-384"}, "crv"),
        ({"kid": "other"}, "thumbprint"),
        ({"d": "AQ"}, "private key"),
        ({"x": "AQ"}, "32 bytes"),
        ({"x": "!"}, "base64url"),
    ],
)
def test_a_key_against_the_rules_is_refused_with_the_reason(
    changed: dict[str, Any], reason: str
) -> None:
    jwks = {"keys": [jwk(key_of(1), **changed), jwk(key_of(2), crlVersion=3)]}
    found = issuers_from_jwks(ISS, json.dumps(jwks).encode())
    assert found.keys == (msgspec.structs.replace(key_of(2), crl=3),)
    assert reason in found.refused[0]


@pytest.mark.parametrize(
    "jwks",
    [b"", b"[]", b"{}", b'{"keys": []}', b'{"keys": 1}', b"[" * 9_000, bytes(MAX_JWKS_BYTES + 1)],
)
def test_a_file_that_is_no_key_set_is_refused(jwks: bytes) -> None:
    with pytest.raises(TrustError):
        issuers_from_jwks(ISS, jwks)


@pytest.mark.parametrize(
    "iss", ["", "http://a.example", "https://a.example/", "https://a.example/b?c", "https://a b"]
)
def test_an_issuer_is_an_https_url_without_a_slash_at_its_end(iss: str) -> None:
    with pytest.raises(TrustError):
        issuers_from_jwks(iss, json.dumps({"keys": [jwk(key_of(1))]}).encode())


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("valid_keys", 3),
        ("wrong_kid_key", 0),
        ("wrong_alg_key", 0),
        ("wrong_curve_key", 0),
        ("wrong_kty_key", 0),
        ("wrong_use_key", 0),
        ("examples-issuer-jwks", 2),
    ],
)
def test_key_sets_of_the_dev_tools_are_judged_alike(name: str, good: int) -> None:
    file = chot_data("smart-health-cards", "dev-tools-testdata") / f"{name}.json"
    found = issuers_from_jwks(ISS, file.read_bytes())
    assert len(found.keys) == good
    assert bool(found.refused) is not bool(good)
