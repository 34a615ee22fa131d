"""What a hub sends as a certificate is this device's, or an error of ours: never a crash."""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.certificates import certificates_in, load_certificate, require_ours
from appliance.errors import ConfigError, HubUnavailable
from hub.authority import Authority, create_authority, load_authority
from tests.hub.enrolments import KEY, NAMES
from tests.worlds import ManualClock

NOW = ManualClock().now()
RAW = KEY.public_key().public_bytes_raw()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("keys")
    create_authority(folder, NOW)
    return load_authority(folder)


@pytest.fixture(scope="module")
def made(authority: Authority) -> x509.Certificate:
    issued = authority.issue(NAMES.device, NAMES.site, NAMES.serial, RAW, NOW)
    return x509.load_der_x509_certificate(issued.der)


# The library warns of what it will refuse one day; today it is read, and judged.
pytestmark = pytest.mark.filterwarnings("ignore")

places, masks = st.integers(0, 9_999), st.integers(1, 255)


def altered(data: bytes, place: int, mask: int) -> bytes:
    """Change a byte; signatures differ in length from run to run, places do not."""
    changed = bytearray(data)
    changed[place * len(data) // 10_000] ^= mask
    return bytes(changed)


@settings(max_examples=200)
@given(place=places, mask=masks)
def test_an_altered_answer_is_refused(
    authority: Authority, made: x509.Certificate, place: int, mask: int
) -> None:
    der = altered(serialize_certificates([made], Encoding.DER), place, mask)
    try:
        found = certificates_in(base64.encodebytes(der))
        require_ours(found[0], NAMES, KEY.public_key(), [authority.certificate])
    except HubUnavailable:
        return
    assert found[0] == made, "what was altered was the wrapping alone"


@given(st.binary(max_size=300))
def test_noise_is_no_certificate(noise: bytes) -> None:
    for body in (noise, base64.encodebytes(noise)):
        with pytest.raises(HubUnavailable):
            certificates_in(body)


@settings(max_examples=100)
@given(place=places, mask=masks)
def test_an_altered_file_is_read_or_refused_by_its_name(
    tmp_path_factory: pytest.TempPathFactory, made: x509.Certificate, place: int, mask: int
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "altered.crt"
    body = base64.encodebytes(altered(made.public_bytes(Encoding.DER), place, mask)).decode()
    path.write_text(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
    with contextlib.suppress(ConfigError):
        assert load_certificate(path) is not None
