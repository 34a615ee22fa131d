"""Protects whom gates believe: what is listed is what the files say; what is not is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from admission.credentials.health_card_issuers import read_issuers
from admission.credentials.vds_nc_authorities import read_authorities
from hub.cli import hub
from hub.errors import HubError
from tests.admission.credentials import seals
from tests.admission.credentials.health_cards import ISS, issuer_key, jwk, key_of


def run(*arguments: object) -> Result:
    return CliRunner().invoke(hub, ["trust", *map(str, arguments)])


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    file = tmp_path / "mirror" / "example.org" / "issuer" / ".well-known" / "jwks.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"keys": [jwk(issuer_key()), jwk(key_of(2), use="enc")]}))
    return file


@pytest.mark.parametrize("command", ["health-cards", "csca"])
def test_each_command_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "--out" in result.output
    assert "SOURCES" in result.output


def test_a_key_set_counts_for_the_url_that_it_is_given_with(jwks: Path, tmp_path: Path) -> None:
    out = tmp_path / "issuers"
    result = run("health-cards", "--out", out, f"{ISS}={jwks}")
    assert result.exit_code == 0, result.output
    read = read_issuers(out.read_bytes())
    assert (ISS, issuer_key().kid) in read
    assert len(read) == 1
    assert "left out" in result.output
    assert "use" in result.output


def test_a_folder_is_a_mirror_of_urls(jwks: Path, tmp_path: Path) -> None:
    out = tmp_path / "issuers"
    result = run("health-cards", "--out", out, tmp_path / "mirror")
    assert result.exit_code == 0, result.output
    assert (ISS, issuer_key().kid) in read_issuers(out.read_bytes())
    assert jwks.exists()


def test_a_snapshot_of_the_directory_lists_many(tmp_path: Path) -> None:
    listed = [
        {"issuer": {"iss": f"https://{i}.example", "name": str(i)}, "keys": [jwk(key_of(i + 1))]}
        for i in range(5)
    ]
    listed.append({"issuer": {"iss": "http://bad.example"}, "keys": [jwk(key_of(9))]})
    snapshot, out = tmp_path / "vci.json", tmp_path / "issuers"
    snapshot.write_text(json.dumps({"issuerInfo": listed}))
    result = run("health-cards", "--out", out, snapshot)
    assert result.exit_code == 0, result.output
    assert len(read_issuers(out.read_bytes())) == 5
    assert "http://bad.example" in result.output


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"issuerInfo": [1]}', '{"keys": []}'])
def test_a_list_of_nobody_is_not_written(content: str, tmp_path: Path) -> None:
    file, out = tmp_path / "empty.json", tmp_path / "issuers"
    file.write_text(content)
    result = run("health-cards", "--out", out, file)
    assert isinstance(result.exception, HubError)
    assert str(file) in result.output
    assert not out.exists()


@pytest.mark.parametrize("command", ["health-cards", "csca"])
def test_a_path_that_is_not_there_is_said_so(command: str, tmp_path: Path) -> None:
    result = run(command, "--out", tmp_path / "out", tmp_path / "missing")
    assert isinstance(result.exception, HubError)
    assert "does not exist" in str(result.exception)
    (tmp_path / "nothing").mkdir()
    result = run(command, "--out", tmp_path / "out", tmp_path / "nothing")
    assert isinstance(result.exception, HubError)
    assert result.exception.hint


def test_authorities_are_listed_under_the_state_in_their_file_name(tmp_path: Path) -> None:
    folder, out = tmp_path / "certificates", tmp_path / "authorities"
    folder.mkdir()
    first = seals.authority(seals.ec_key(5, ec.SECP384R1))
    second = x509.load_der_x509_certificate(seals.authority(seals.ec_key(6), called="Second"))
    (folder / "UTO.cer").write_bytes(first)
    pem = second.public_bytes(serialization.Encoding.PEM)
    (folder / "JPN-2.pem").write_bytes(b"\n" + pem + pem)
    (folder / "KOR.cer").write_bytes(first[:-1])
    (folder / "utopia.cer").write_bytes(first)
    (folder / "NZL.cer").write_bytes(seals.signer(seals.ec_key(5), seals.ec_key()))
    result = run("csca", "--out", out, folder)
    assert result.exit_code == 0, result.output
    read = read_authorities(out.read_bytes())
    assert (len(read), read.refused) == (2, [])
    for name in ("KOR.cer", "utopia.cer", "NZL.cer"):
        assert f"left out: {folder / name}" in result.output


def test_signers_may_be_trusted_as_they_are(tmp_path: Path) -> None:
    file, out = tmp_path / "UTO.cer", tmp_path / "authorities"
    certificate = seals.signer(seals.ec_key(5), seals.ec_key())
    file.write_bytes(certificate)
    assert run("csca", "--signers", "--out", out, file).exit_code == 0
    assert not isinstance(read_authorities(out.read_bytes()).signer(certificate), str)


def test_an_output_that_cannot_be_written_is_said_so(tmp_path: Path, jwks: Path) -> None:
    result = run("health-cards", "--out", tmp_path / "no" / "folder", f"{ISS}={jwks}")
    assert isinstance(result.exception, HubError)
    assert "cannot write" in str(result.exception)
