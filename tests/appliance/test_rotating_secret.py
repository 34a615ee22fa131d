"""Protects the secret of rotating codes: made once, 0600, never shown by an error."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from admission.credential import Signature
from admission.credentials.one_time_password import hotp
from admission.credentials.rotating_code import parse
from admission.errors import IssueError
from appliance.cli.rotating import secret, wallet
from appliance.errors import ConfigError
from appliance.rotating_secret import create_schemes, load_schemes

OBJECT = "3388.resident-17"


def test_a_secret_is_made_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "rotating.json"
    made = CliRunner().invoke(secret, ["--out", str(path)], catch_exceptions=False)
    assert made.exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert json.loads(before)["schemes"][0]["secret"] not in made.output
    with pytest.raises(ConfigError, match="already"):
        create_schemes(path, "wallet", bytes)
    assert path.read_bytes() == before


def test_the_wallets_codes_are_those_that_the_gate_takes(tmp_path: Path) -> None:
    path = tmp_path / "rotating.json"
    (scheme,) = create_schemes(path, "site", lambda n: bytes(range(n)))
    printed = CliRunner().invoke(
        wallet, [OBJECT, "--secret", str(path), "--scheme", "site"], catch_exceptions=False
    )
    assert scheme.table.secret not in printed.output
    rotating = json.loads(printed.output)["rotatingBarcode"]
    key = bytes.fromhex(rotating["totpDetails"]["parameters"][0]["key"])
    shown = rotating["valuePattern"].replace("{totp_timestamp_seconds}", "1632099600")
    shown = shown.replace("{totp_value_0}", hotp(key, 1632099600 // 30, 8))
    credential = parse(shown, load_schemes(path), None)
    assert credential.proof is not None
    assert credential.proof.signature is Signature.VALID


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rotating.json"
    create_schemes(path, "wallet", bytes)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="readable by others"):
        load_schemes(path)


def test_what_holds_no_schemes_is_refused_without_telling_it(tmp_path: Path) -> None:
    path = tmp_path / "rotating.json"
    path.write_bytes(b'{"schemes": [{"name": "a", "secret": "hush"}]}')
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=r"rotating\.json") as caught:
        load_schemes(path)
    assert "rotating secret" in caught.value.hint
    assert "hush" not in str(caught.value)


def test_missing_files_folders_schemes_and_ids_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gone"):
        load_schemes(tmp_path / "gone")
    with pytest.raises(ConfigError, match="cannot be created"):
        create_schemes(tmp_path / "gone" / "rotating.json", "wallet", bytes)
    path = tmp_path / "rotating.json"
    create_schemes(path, "wallet", bytes)
    for wrong, error in (
        ([OBJECT, "--scheme", "other"], ConfigError),
        (["no id"], IssueError),
    ):
        result = CliRunner().invoke(wallet, [*wrong, "--secret", str(path)])
        assert isinstance(result.exception, error)
