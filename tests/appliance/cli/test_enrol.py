"""`chot enrol`: says who the gate is, and uses up no token that is not for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from admission.enrolment import Token, pack_token
from appliance.cli.enrol import enrol
from appliance.errors import ConfigError, HubUnavailable
from appliance.identity import identity_of
from tests.worlds import ROOT

SITE = "supermarket-tan-dinh"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("appliance.cli.enrol.forbid_core_dumps", lambda: True)
    path = tmp_path / "gate.toml"
    text = (ROOT / "configs" / "supermarket.toml").read_text()
    path.write_text(text.replace("/var/lib/chot", str(tmp_path / "state")))
    return path


def run(config: Path, *arguments: str, said: str | None = None) -> Result:
    return CliRunner().invoke(enrol, ["--config", str(config), *arguments], input=said)


def a_token(site: str = SITE, serial: str = "serial-1") -> str:
    return pack_token(Token(b"s" * 16, b"p" * 32, "http://127.0.0.1:1", site, serial))


def test_it_says_what_the_hub_needs_to_know(config: Path, tmp_path: Path) -> None:
    result = run(config, "--serial", "serial-1", "--show")
    assert result.exit_code == 0
    assert f"device tan-dinh-gate-1, site {SITE}, serial serial-1" in result.stderr
    assert "fingerprint" in result.stderr
    asked = f"--device tan-dinh-gate-1 --site {SITE} --serial serial-1 --url https://"
    assert f"chot hub enrol token --data DIR {asked}" in result.stderr
    files = identity_of(tmp_path / "state")
    assert files.key.exists(), "the key is born"
    assert not files.certificate.exists()
    assert run(config, "--serial", "serial-1", "--show").stderr == result.stderr


@pytest.mark.parametrize(
    ("token", "what"),
    [
        (a_token(site="site-2"), "site-2"),
        (a_token(serial="serial-2"), "serial-2"),
    ],
)
def test_a_token_for_something_else_is_not_used_up(config: Path, token: str, what: str) -> None:
    result = run(config, "--serial", "serial-1", "--token-file", "-", said=token)
    assert isinstance(result.exception, ConfigError)
    assert what in str(result.exception)


def test_the_token_is_asked_for_and_not_shown(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.cli.enrol._at_a_terminal", lambda: True)
    token = a_token()
    result = run(config, "--serial", "serial-1", said=f"{token.lower()}\n")
    assert isinstance(result.exception, HubUnavailable), "nothing listens there"
    assert "Token" in result.stderr
    assert token[20:].lower() not in result.output.lower()


def test_without_a_terminal_the_token_is_read_as_it_comes(config: Path) -> None:
    result = run(config, "--serial", "serial-1", said=f"{a_token()}\n")
    assert isinstance(result.exception, HubUnavailable), "nothing listens there"
    assert "Token" not in result.stderr
    none = run(config, "--serial", "serial-1", said="")
    assert "CHOTENROL1:" in str(none.exception)


def test_a_serial_number_that_is_none_is_named(config: Path) -> None:
    result = run(config, "--serial", "x y", "--show")
    assert "'x y' is not a serial number" in str(result.exception)


def test_a_token_file_that_others_may_read_is_refused(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(a_token())
    path.chmod(0o644)
    result = run(config, "--serial", "serial-1", "--token-file", str(path))
    assert isinstance(result.exception, ConfigError)
    assert "chmod 600" in result.exception.hint


@pytest.mark.parametrize("serial", ["", "a b", "x" * 65, "\u1ed5"])
def test_a_serial_number_that_is_none_is_refused(config: Path, serial: str) -> None:
    result = run(config, "--serial", serial, "--show")
    assert isinstance(result.exception, ConfigError)
    assert "--serial" in result.exception.hint
