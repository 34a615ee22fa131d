"""Protects `chot hub trust`: files that gates can read, what was left out, and why it stopped."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from admission.credentials.dcc_revocations import read_revocations
from admission.credentials.dcc_signers import read_signers
from admission.errors import ChotError
from hub.cli import hub
from hub.errors import HubError
from tests.hub.test_dcc_feed import ONE, TWO, batch, pem
from tests.hub.test_dcc_slices import folder_of

FAR = "2999-01-01T00:00:00Z"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(hub, ["trust", *map(str, arguments)])


def refused(*arguments: object) -> ChotError:
    result = run(*arguments)
    assert isinstance(result.exception, ChotError), result.output
    return result.exception


@pytest.mark.parametrize("command", ["dsc", "slices", "batches"])
def test_every_command_explains_itself(command: str) -> None:
    assert "--out" in run(command, "--help").output
    assert command in run("--help").output


def test_certificates_become_a_list_that_gates_read(tmp_path: Path) -> None:
    out = tmp_path / "signers.bin"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pem").write_bytes(pem(ONE) + pem(TWO))
    (tmp_path / "in" / "b.der").write_bytes(b"damaged")
    result = run("dsc", tmp_path / "in", "--out", out)
    assert result.exit_code == 0, result.output
    assert len(read_signers(out.read_bytes())) == 2
    assert stat.S_IMODE(out.stat().st_mode) == 0o644
    flat = result.output.replace("\n", "")
    assert "b.der: neither DER nor PEM nor JSON" in flat
    assert "Signers: 2, countries: 1" in flat


def test_nothing_is_written_where_anything_is_wrong_and_that_is_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "signers.bin"
    good, bad = tmp_path / "a.der", tmp_path / "b.der"
    good.write_bytes(ONE)
    bad.write_bytes(b"damaged")
    assert refused("dsc", good, bad, "--out", out, "--strict").hint
    assert refused("dsc", bad, "--out", out).hint
    assert not out.exists()
    assert run("dsc", good, "--out", out, "--strict").exit_code == 0


def test_every_file_that_was_left_out_is_named_and_they_are_counted(tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"{number}.der").write_bytes(b"damaged")
    (tmp_path / "good.der").write_bytes(ONE)
    output = run("dsc", tmp_path, "--out", tmp_path / "out").output
    assert output.count("left out: ") == 25
    assert "Left out: 25." in output


def test_slices_become_revocations_that_gates_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    out = tmp_path / "revocations.bin"
    result = run("slices", folder_of(tmp_path / "in"), "--out", out)
    assert result.exit_code == 0, result.output
    assert len(read_revocations(out.read_bytes())) == 1
    assert stat.S_IMODE(out.stat().st_mode) == 0o644
    assert "lists.json" in str(refused("slices", tmp_path, "--out", out))


def test_batches_become_rows(tmp_path: Path) -> None:
    source, out = tmp_path / "1.json", tmp_path / "withdrawals.csv"
    source.write_bytes(batch(expires=FAR))
    assert run("batches", source, source, "--out", out).exit_code == 0
    assert out.read_text() == f"kind,number\ndcc_signature,{bytes(range(16)).hex()}\n"
    source.write_bytes(batch(expires="2000-01-01T00:00:00Z"))
    assert "no batch" in str(refused("batches", source, "--out", out))


def test_a_file_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    source = tmp_path / "a.der"
    source.write_bytes(ONE)
    error = refused("dsc", source, "--out", tmp_path / "gone" / "signers.bin")
    assert isinstance(error, HubError)
    assert error.hint
