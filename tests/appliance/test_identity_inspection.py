"""`chot check` says how the enrolment stands: whose certificate, until when, and what to do."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.instant import Instant
from appliance.certificates import pem
from appliance.config import Config, load_config
from appliance.identity import IdentityFiles, identity_of, signing_key
from appliance.identity_inspection import identity_line, identity_problems
from hub.authority import create_authority, load_authority
from tests.hub.enrolments import later
from tests.worlds import ROOT, ManualClock

NOW = ManualClock().now()
DEVICE = "tan-dinh-gate-1"


class Gate:
    def __init__(self, folder: Path) -> None:
        path = folder / "gate.toml"
        text = (ROOT / "configs" / "supermarket.toml").read_text()
        path.write_text(text.replace("/var/lib/chot", str(folder / "state")))
        self.config: Config = load_config(path)
        self.files: IdentityFiles = identity_of(folder / "state")
        self.key = signing_key(self.files)
        create_authority(folder, NOW)
        self.authority = load_authority(folder)

    def certify(self, device: str = DEVICE, key: Ed25519PrivateKey | None = None) -> None:
        raw = (key or self.key).public_key().public_bytes_raw()
        issued = self.authority.issue(device, "site-1", "serial-1", raw, NOW)
        self.files.certificate.write_bytes(pem(x509.load_der_x509_certificate(issued.der)))

    def problems(self) -> str:
        found = identity_problems(self.config)
        return "\n".join(f"{p.where}: {p.what} → {p.remedy}" for p in found)

    def line(self, now: Instant = NOW) -> tuple[bool, str]:
        return identity_line(self.config, now)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def test_a_gate_that_is_not_enrolled_is_told_how(gate: Gate) -> None:
    well, said = gate.line()
    assert not well
    assert "not enrolled" in said
    assert "`chot enrol`" in said
    assert "hub.hash_key_file" in gate.problems()
    assert "enrol this gate" in gate.problems()


@pytest.mark.parametrize("content", [None, "nothing of the kind"])
def test_an_authority_that_cannot_be_used_is_a_problem(gate: Gate, content: str | None) -> None:
    path = gate.files.folder / "authority.crt"
    if content is not None:
        path.write_text(content)
    hub = msgspec.structs.replace(gate.config.hub, ca_file=str(path))
    gate.config = msgspec.structs.replace(gate.config, hub=hub)
    assert "hub.ca_file" in gate.problems()
    path.write_bytes((gate.files.folder.parents[1] / "ca.crt").read_bytes())
    assert "hub.ca_file" not in gate.problems()


def test_an_enrolled_one_says_until_when(gate: Gate) -> None:
    gate.certify()
    well, said = gate.line()
    assert well
    assert DEVICE in said
    assert "2021-12-19" in said
    assert "2021-11-0" in said, "and when it is renewed"
    assert "device" not in gate.problems()


def test_one_whose_certificate_has_ended_says_whose_turn_it_is(gate: Gate) -> None:
    gate.certify()
    well, said = gate.line(later(NOW, 91))
    assert not well
    assert "chot hub enrol list" in said


def test_a_certificate_of_another_name_or_key_is_a_problem(gate: Gate) -> None:
    gate.certify("gate-9")
    assert f"appliance.device: the certificate is for gate-9, this gate calls itself {DEVICE}" in (
        gate.problems()
    )
    gate.certify(key=Ed25519PrivateKey.generate())
    assert "not of the key beside it" in gate.problems()
    gate.files.certificate.write_bytes(b"noise")
    assert "does not hold a device's certificate" in gate.problems()
    assert not gate.line()[0]


def test_a_key_that_others_may_read_is_a_problem(gate: Gate) -> None:
    gate.files.key.chmod(0o644)
    assert f"chmod 600 {gate.files.key}" in gate.problems()
