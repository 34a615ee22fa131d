"""Protects the trust list: every certificate of the field is read, one bad entry harms no other."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from typing import Any

import msgpack
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import Evidence
from admission.credentials import dcc_certificate, dcc_signers
from admission.credentials.dcc_signers import (
    Signer,
    Signers,
    Use,
    read_signers,
    signer_of,
    write_signers,
)
from admission.credentials.der import MAX_CERTIFICATE_BYTES
from admission.errors import MalformedError, TrustError
from tests.admission.credentials import dcc_codes as codes
from tests.worlds import chot_data

DER = codes.certificate(codes.P256, codes.VACCINATION, codes.CLIENT)
SIGNER = signer_of(DER)


def document(*entries: Any, version: Any = 1) -> bytes:
    form = f"chot-dcc-signers/{version}"
    packed: bytes = msgpack.packb({"format": form, "entries": list(entries)})
    return packed


def entry(**changes: Any) -> list[Any]:
    fields = {name: getattr(SIGNER, name) for name in SIGNER.__struct_fields__}
    return [*{**fields, **changes}.values()]


def test_an_entry_says_what_the_certificate_says() -> None:
    assert SIGNER.key_id == hashlib.sha256(DER).digest()[:8]
    assert SIGNER.country == "VN"
    assert SIGNER.not_before_s == int(codes.FROM.timestamp())
    assert SIGNER.not_after_s == int(codes.UNTIL.timestamp())
    assert SIGNER.uses == Use.VACCINATION
    assert SIGNER.may_certify(Evidence.VACCINATION)
    assert not SIGNER.may_certify(Evidence.TEST)


def test_a_list_comes_back_whole_and_always_in_the_same_bytes() -> None:
    other = signer_of(codes.certificate(codes.RSA))
    data = write_signers([SIGNER, other, SIGNER])
    assert data == write_signers([other, SIGNER])
    signers = read_signers(data)
    assert set(signers) == {SIGNER, other}
    assert (len(signers), signers.refused) == (2, ())
    assert signers.of(SIGNER.key_id) == (SIGNER,)
    assert signers.of(b"nobody's") == ()
    key = signers.key_of(SIGNER)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert signers.key_of(SIGNER) is key
    assert isinstance(signers.key_of(other), rsa.RSAPublicKey)


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        {"key_id": b"12345678"},
        entry(key_id=b"short"),
        entry(key_id="text 678"),
        entry(country="VNM"),
        entry(country="ÄÖ"),
        entry(public_key=b""),
        entry(public_key=bytes(dcc_signers.MAX_PUBLIC_KEY_BYTES + 1)),
        entry(not_before_s=SIGNER.not_after_s + 1),
        entry(not_after_s=1 << 41),
        entry(not_after_s=1.5),
        entry(uses=8),
        entry(uses=-1),
        [*entry(), "more"][:3],
    ],
)
def test_a_bad_entry_is_left_out_and_named(bad: Any) -> None:
    signers = read_signers(document(entry(), bad, entry(country="FR")))
    assert {signer.country for signer in signers} == {"VN", "FR"}
    (refused,) = signers.refused
    assert refused.startswith("signer 1: ")


def test_a_key_that_cannot_be_read_is_nobodys_key() -> None:
    signers = read_signers(document(entry(public_key=b"no key")))
    (signer,) = signers
    assert signers.key_of(signer) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 5_000 + b"\x90",
        msgpack.packb([1]),
        msgpack.packb({"format": "chot-dcc-signers/1"}),
        msgpack.packb({"format": "chot-dcc-signers/1", "entries": {}}),
        document(version=2),
        document(version="one"),
        document() + b"\x00",
        document(*[None] * (dcc_signers.MAX_SIGNERS + 1)),
        bytes(dcc_signers.FORM.max_bytes + 1),
    ],
)
def test_a_document_that_is_none_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(TrustError):
        read_signers(data)


@given(st.binary(max_size=60) | st.integers(0, 200).map(lambda n: write_signers([SIGNER])[:n]))
def test_no_document_raises_anything_else(data: bytes) -> None:
    try:
        read_signers(data)
    except TrustError:
        return


@given(st.integers(0, len(DER) - 1), st.binary(max_size=3))
def test_no_damaged_certificate_raises_anything_else(at: int, damage: bytes) -> None:
    damaged = DER[:at] + damage + DER[at + len(damage) :]
    with contextlib.suppress(TrustError):
        signer_of(damaged)
    for part in (damaged[:at], b"\x30\x80" + damaged, bytes(MAX_CERTIFICATE_BYTES + 1)):
        with pytest.raises(MalformedError):
            dcc_certificate.read(part)


def test_keys_that_sign_no_certificate_are_refused() -> None:
    weak = codes.certificate(rsa.generate_private_key(65537, 1024))
    odd = codes.certificate(ec.generate_private_key(ec.BrainpoolP256R1()))
    for der in (weak, odd):
        with pytest.raises(TrustError, match="can sign no EU certificate"):
            signer_of(der)


@pytest.mark.data
def test_every_production_certificate_is_read() -> None:
    files = sorted(chot_data("dcc", "dsc-production").glob("*.der"))
    signers = [signer_of(path.read_bytes()) for path in files]
    assert len(signers) == 796
    assert [s.key_id.hex() for s in signers] == [path.stem for path in files]
    assert all(len(s.country) == 2 for s in signers)
    data = write_signers(signers)
    read = read_signers(data)
    assert (len(read), read.refused) == (796, ())
    assert all(read.key_of(signer) is not None for signer in read)
    assert len(data) < 200_000


@pytest.mark.data
def test_certificates_that_a_strict_reader_refuses_are_read() -> None:
    for name, vector in codes.vectors():
        encoded = "".join((vector["TESTCTX"].get("CERTIFICATE") or "").split())
        if encoded:
            assert isinstance(signer_of(base64.b64decode(encoded)), Signer), name


def test_an_empty_list_trusts_nobody() -> None:
    assert len(Signers(())) == 0
    assert len(read_signers(write_signers([]))) == 0
