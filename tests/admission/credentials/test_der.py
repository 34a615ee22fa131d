"""Protects trust in certificates that libraries refuse, and the gate from hostile DER."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials.der import (
    MAX_CERTIFICATE_BYTES,
    certificate_parts,
    elements,
    object_identifier,
)
from admission.errors import MalformedError
from tests.worlds import chot_data

NAME = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "UT")])
FROM, UNTIL = datetime(2021, 4, 1, tzinfo=UTC), datetime(2055, 4, 1, 12, 30, 59, tzinfo=UTC)


@cache
def made() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    return (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(77)
        .not_valid_before(FROM)
        .not_valid_after(UNTIL)
        .add_extension(x509.SubjectKeyIdentifier(b"0123"), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )


@cache
def made_der() -> bytes:
    return made().public_bytes(serialization.Encoding.DER)


def ns(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)) * 1_000_000_000


def test_parts_are_those_that_a_library_reads() -> None:
    parts = certificate_parts(made_der())
    assert parts.tbs == made().tbs_certificate_bytes
    assert parts.signature == made().signature
    assert parts.signature_algorithm.oid == made().signature_algorithm_oid.dotted_string
    assert parts.issuer == parts.subject == NAME.public_bytes()
    assert (parts.not_before_ns, parts.not_after_ns) == (ns(FROM), ns(UNTIL))
    assert parts.spki == made().public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert {"2.5.29.14": b"\x04\x040123", "2.5.29.19": bytes.fromhex("30060101ff020100")} == dict(
        parts.extensions
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_parts_or_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        certificate_parts(data)


@given(st.data())
def test_a_damaged_certificate_is_parts_or_refused(draw: st.DataObject) -> None:
    data = bytearray(made_der())
    for _ in range(draw.draw(st.integers(1, 3))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        parts = certificate_parts(bytes(data))
    except MalformedError:
        return
    assert parts.tbs in bytes(data)
    assert parts.spki in parts.tbs


@pytest.mark.parametrize("cut", [0, 1, 5, 100])
def test_a_certificate_with_bytes_cut_off_or_added_is_refused(cut: int) -> None:
    with pytest.raises(MalformedError):
        certificate_parts(made_der()[:cut])
    with pytest.raises(MalformedError):
        certificate_parts(made_der() + bytes(cut or 2))


def test_an_oversized_one_is_refused_before_it_is_read() -> None:
    with pytest.raises(MalformedError, match="over the limit"):
        certificate_parts(bytes(MAX_CERTIFICATE_BYTES + 1))


@pytest.mark.parametrize(
    "hexadecimal",
    ["3080", "30", "3081", "308100", "3081ff", "30847fffffff", "30820001ff", "1f8101ff", "0402ff"],
)
def test_lengths_and_tags_that_der_forbids_are_refused(hexadecimal: str) -> None:
    with pytest.raises(MalformedError):
        elements(bytes.fromhex(hexadecimal))


@pytest.mark.parametrize(
    ("content", "dotted"),
    [("550403", "2.5.4.3"), ("883703", "2.999.3"), ("2a864886f70d01010a", "1.2.840.113549.1.1.10")],
)
def test_object_identifiers_of_x690(content: str, dotted: str) -> None:
    assert object_identifier(bytes.fromhex(content)) == dotted


@pytest.mark.data
@pytest.mark.parametrize("name", ["single-vaccine", "test", "jpn-triple-vaccine"])
def test_certificates_of_the_vds_nc_samples_are_read(name: str) -> None:
    content = json.loads(chot_data("icao-vds-nc", f"{name}.txt").read_text())
    seal = content[0] if isinstance(content, list) else content
    text = seal["sig"]["cer"]
    parts = certificate_parts(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    assert parts.not_before_ns < parts.not_after_ns
    serialization.load_der_public_key(parts.spki)


@pytest.mark.data
def test_every_production_signer_certificate_of_the_eu_is_read() -> None:
    files = [f for f in chot_data("dcc", "dsc-production").rglob("*") if f.is_file()]
    read = 0
    for file in files:
        data = file.read_bytes()
        if data[:1] == b"\x30":
            certificate_parts(data)
            read += 1
    assert read >= 790
