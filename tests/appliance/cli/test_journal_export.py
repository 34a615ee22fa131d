"""Exports: people are in them for who holds the hub's key; the file is its owner's alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from admission.journal_record import pack_session
from admission.sealing import Opener, SealSession
from admission.wire import pack_passage
from appliance.cli.main import main
from cache.journal.catalogue import file_at
from cache.journal.frame import Frame
from cache.journal.scan import scan
from tests.cache.journal.anchored import SEAL, Gate, a_gate
from tests.cache.journal.entries import an_entry, file_bytes
from tests.cache.journal.folders import put

PERSONAL = {"person", "code_digest", "officer"}


@pytest.fixture(scope="module")
def gate() -> Gate:
    return a_gate()


@pytest.fixture
def folder(gate: Gate, tmp_path: Path) -> Path:
    return put(gate, tmp_path / "journal")


def key_file(path: Path, key: X25519PrivateKey | Ed25519PrivateKey) -> str:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    return str(path)


def exported(folder: Path, output: Path, *options: str) -> Result:
    arguments = ["journal", "export", str(folder), "-o", str(output), *options]
    return CliRunner().invoke(main, arguments)


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text().splitlines()]


def test_without_the_hub_s_key_nobody_is_in_it(folder: Path, gate: Gate, tmp_path: Path) -> None:
    result = exported(folder, tmp_path / "out")
    assert result.exit_code == 0, result.output
    rows = rows_of(tmp_path / "out")
    assert not any(PERSONAL & row.keys() for row in rows)
    assert {row["sequence"] for row in rows} == gate.scans | gate.acts | gate.followups.keys()


def test_the_hub_s_key_opens_the_seals(folder: Path, gate: Gate, tmp_path: Path) -> None:
    key = key_file(tmp_path / "seal.key", SEAL)
    exported(folder, tmp_path / "out", "--seal-key", key)
    people = {r["sequence"]: r["person"] for r in rows_of(tmp_path / "out") if "person" in r}
    assert people == {sequence: f"{sequence:016x}" for sequence in gate.scans | gate.acts}


def test_another_key_opens_nothing_and_says_so(folder: Path, tmp_path: Path) -> None:
    key = key_file(tmp_path / "seal.key", X25519PrivateKey.generate())
    result = exported(folder, tmp_path / "out", "--seal-key", key)
    assert "sealed for another key" in result.output
    assert not any(PERSONAL & row.keys() for row in rows_of(tmp_path / "out"))


def test_a_session_that_is_none_keeps_its_seals_shut(folder: Path, tmp_path: Path) -> None:
    path = min(folder.glob("*.journal"))
    session = SealSession(Opener(SEAL).key_id, bytes(32))  # no point that a key is agreed on with
    path.write_bytes(file_bytes([pack_session(session), *packed_of(path)[1:]])[0])
    result = exported(folder, tmp_path / "out", "--seal-key", key_file(tmp_path / "k", SEAL))
    assert result.exit_code == 0, result.output
    assert "sealed" in rows_of(tmp_path / "out")[0]


def packed_of(path: Path) -> list[bytes]:
    return [f.packed for f in scan(path.read_bytes(), 1) if isinstance(f, Frame)]


def test_entries_that_were_never_sealed_show_nobody_without_a_key(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    file_at(folder, 1).path.write_bytes(file_bytes([pack_passage(an_entry(1))])[0])
    exported(folder, tmp_path / "out")
    assert not PERSONAL & rows_of(tmp_path / "out")[0].keys()
    exported(folder, tmp_path / "out", "--seal-key", key_file(tmp_path / "seal.key", SEAL))
    assert rows_of(tmp_path / "out")[0]["person"] == f"{1:016x}"


def test_the_file_is_its_owner_s_alone(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    exported(folder, output)
    assert output.stat().st_mode & 0o777 == 0o600
    output.chmod(0o644)
    output.write_text("before")
    result = exported(folder, output)
    assert result.exit_code == 1
    assert "others may read it" in result.output
    assert output.read_text() == "before"
    assert not list(tmp_path.glob("*.part"))


def test_a_key_that_others_may_read_or_that_is_none_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    key = key_file(tmp_path / "seal.key", SEAL)
    Path(key).chmod(0o644)
    assert "readable by others" in exported(folder, tmp_path / "out", "--seal-key", key).output
    other = key_file(tmp_path / "other.key", Ed25519PrivateKey.generate())
    result = exported(folder, tmp_path / "out", "--seal-key", other)
    assert "no X25519 private key" in result.output
    assert not (tmp_path / "out").exists()


def test_a_table_has_one_column_for_each_value(folder: Path, gate: Gate, tmp_path: Path) -> None:
    exported(folder, tmp_path / "out", "--format", "csv")
    with (tmp_path / "out").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(gate.scans | gate.acts | gate.followups.keys())
    assert {row["followup"] for row in rows} == {"", "actuated"}
    assert not PERSONAL & rows[0].keys()


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    packed = [pack_passage(an_entry(1, lane="=cmd()"))]
    file_at(folder, 1).path.write_bytes(file_bytes(packed)[0])
    exported(folder, tmp_path / "out", "--format", "csv")
    assert ",'=cmd()," in (tmp_path / "out").read_text()


def test_a_span_of_time_is_cut_out_with_what_followed(folder: Path, tmp_path: Path) -> None:
    options = ("--since", "2021-09-13T00:00:00+0000", "--until", "2021-09-14T00:00:00+0000")
    exported(folder, tmp_path / "out", *options)
    rows = rows_of(tmp_path / "out")
    scans = [row for row in rows if row["event"] != "followup"]
    assert {row["time"][:10] for row in scans} == {"2021-09-13"}
    assert {r["about"] for r in rows if r["event"] == "followup"} <= {r["sequence"] for r in scans}
