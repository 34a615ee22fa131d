"""Whatever comes instead of a certificate request, or of one that was altered, is refused."""

from __future__ import annotations

import contextlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.certificates import Names
from hub.certificate_request import CertificateRequest, read_request
from hub.errors import MalformedUploadError
from tests.hub.enrolments import KEY, NAMES, csr

DER = csr()


def test_a_request_says_who_asks() -> None:
    raw = KEY.public_key().public_bytes_raw()
    assert read_request(DER) == CertificateRequest(NAMES.device, NAMES.site, NAMES.serial, raw)


@settings(max_examples=200)
@given(st.data())
def test_one_altered_byte_is_noticed(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(DER) - 1))
    altered = bytearray(DER)
    altered[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(MalformedUploadError):
        read_request(bytes(altered))


@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(MalformedUploadError):
        read_request(noise)


def signed(subject: list[str], names: list[x509.GeneralName]) -> bytes:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in subject]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(KEY, None).public_bytes(Encoding.DER)


URI = x509.UniformResourceIdentifier("chot://site-1/serial-1")


@pytest.mark.parametrize(
    ("subject", "names"),
    [
        ([], [URI]),
        (["a", "b"], [URI]),
        (["gate-1"], []),
        (["gate-1"], [URI, URI]),
        (["gate-1"], [URI, x509.DNSName("hub.example.org")]),
        (["gate-1"], [x509.DNSName("hub.example.org")]),
        (["gate-1"], [x509.UniformResourceIdentifier("https://site-1/serial-1")]),
        (["gate-1"], [x509.UniformResourceIdentifier("chot://site-1/serial-1/more")]),
        (["gate-1"], [x509.UniformResourceIdentifier("chot://site-1/")]),
        (["gate-1"], [x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))]),
    ],
)
def test_a_request_names_one_device_in_one_place(
    subject: list[str], names: list[x509.GeneralName]
) -> None:
    with pytest.raises(MalformedUploadError):
        read_request(signed(subject, names))


@settings(max_examples=50)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_odd_names_are_refused_or_read_back(device: str, site: str, serial: str) -> None:
    with contextlib.suppress(ValueError, MalformedUploadError):
        names = Names(device, site, serial)
        asked = read_request(csr(names))
        assert (asked.device, asked.site, asked.serial) == (device, site, serial)
