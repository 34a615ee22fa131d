"""The authority signs what a certificate should say and no more, and its key stays private."""

from __future__ import annotations

import stat
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.authority import (
    CA_CERTIFICATE,
    CA_KEY,
    create_authority,
    load_authority,
)
from hub.errors import HubError, KeyFileError
from hub.server_certificate import (
    SERVER_CERTIFICATE,
    SERVER_KEY,
    ServerCertificate,
    TlsOptions,
)
from tests.hub.enrolments import KEY
from tests.worlds import ManualClock

DAY_S = 86_400.0
RAW = KEY.public_key().public_bytes_raw()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    create_authority(tmp_path, ManualClock().now())
    return tmp_path


def test_a_device_s_certificate_says_who_and_where_for_ninety_days(keys: Path) -> None:
    authority, now = load_authority(keys), ManualClock().now()
    issued = authority.issue("gate-1", "site-1", "serial-1", RAW, now)
    made = x509.load_der_x509_certificate(issued.der)
    made.verify_directly_issued_by(authority.certificate)
    (name,) = made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "gate-1"
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    assert uris == ["chot://site-1/serial-1"]
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert made.not_valid_after_utc == now.at(UTC) + timedelta(days=90)
    again = authority.issue("gate-1", "site-1", "serial-1", RAW, now)
    assert again.serial_number != issued.serial_number


def test_the_authority_s_own_lasts_ten_years_and_signs_no_other_authority(keys: Path) -> None:
    own = load_authority(keys).certificate
    assert own.not_valid_after_utc - own.not_valid_before_utc > timedelta(days=3_650)
    constraints = own.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)
    assert stat.S_IMODE((keys / CA_KEY).stat().st_mode) == 0o600


def test_damaged_or_foreign_files_are_refused(keys: Path) -> None:
    key = (keys / CA_KEY).read_bytes()
    (keys / CA_KEY).chmod(0o644)
    with pytest.raises(KeyFileError, match="readable by others"):
        load_authority(keys)
    (keys / CA_KEY).chmod(0o600)
    (keys / CA_KEY).write_bytes(b"noise")
    with pytest.raises(KeyFileError, match="ECDSA"):
        load_authority(keys)
    create_authority(keys, ManualClock().now())
    (keys / CA_KEY).write_bytes(key)
    with pytest.raises(KeyFileError, match="not of the key"):
        load_authority(keys)
    (keys / CA_CERTIFICATE).unlink()
    with pytest.raises(KeyFileError, match="cannot be read"):
        load_authority(keys)


def served(keys: Path, clock: ManualClock, *names: str) -> ServerCertificate:
    return ServerCertificate(keys, load_authority(keys), TlsOptions(names), clock)


def test_the_server_s_certificate_is_made_anew_at_half_life_with_the_same_key(keys: Path) -> None:
    clock = ManualClock()
    certificate = served(keys, clock, "hub.example.org", "10.1.2.3")
    first, key = (keys / SERVER_CERTIFICATE).read_bytes(), (keys / SERVER_KEY).read_bytes()
    assert stat.S_IMODE((keys / SERVER_KEY).stat().st_mode) == 0o600
    clock.advance(44 * DAY_S)
    assert not certificate.refresh()
    clock.advance(2 * DAY_S)
    assert certificate.refresh()
    assert (keys / SERVER_CERTIFICATE).read_bytes() != first
    assert (keys / SERVER_KEY).read_bytes() == key
    clock.advance(80 * DAY_S)
    assert certificate.problem
    certificate.refresh()
    assert not certificate.problem


def test_other_names_make_another_certificate_and_the_same_ones_do_not(keys: Path) -> None:
    clock = ManualClock()
    served(keys, clock, "hub.example.org", "10.1.2.3")
    first = (keys / SERVER_CERTIFICATE).read_bytes()
    served(keys, clock, "10.1.2.3", "hub.example.org")
    assert (keys / SERVER_CERTIFICATE).read_bytes() == first
    served(keys, clock, "hub.example.org")
    assert (keys / SERVER_CERTIFICATE).read_bytes() != first


def test_tls_without_a_name_is_refused(keys: Path) -> None:
    with pytest.raises(HubError) as caught:
        served(keys, ManualClock())
    assert "--name" in caught.value.hint


def test_a_certificate_from_elsewhere_is_served_as_it_is(keys: Path, tmp_path: Path) -> None:
    clock = ManualClock()
    served(keys, clock, "hub.example.org")
    theirs, key = tmp_path / "their.crt", tmp_path / "their.key"
    (keys / SERVER_CERTIFICATE).rename(theirs)
    (keys / SERVER_KEY).rename(key)
    options = TlsOptions((), theirs, key)
    certificate = ServerCertificate(keys, load_authority(keys), options, clock)
    assert len(certificate.chain) == 2, "gates may pin either"
    assert not (keys / SERVER_CERTIFICATE).exists()
    clock.advance(75 * DAY_S)
    assert not certificate.problem
    clock.advance(2 * DAY_S)
    assert "2021-12-19" in certificate.problem, "nobody but a person renews it"
    clock.advance(-77 * DAY_S)
    key.write_bytes(b"noise")
    theirs.write_bytes(b"noise")
    with pytest.raises(KeyFileError, match="cannot be used for TLS"):
        certificate.refresh()
