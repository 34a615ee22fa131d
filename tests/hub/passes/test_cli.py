"""Protects `chot pass`: what it makes, how it ends, and that secrets and names stay private."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from admission.credential import PassKind
from admission.credentials.chot_pass import read_unverified
from admission.credentials.pass_issuers import PassIssuer, pack_issuers
from admission.identity import Identifier, IdentifierKind, person_keyer
from hub.errors import KeyFileError, PassError
from hub.passes.cli import passes
from hub.passes.key_files import load_issuers
from tests.hub.passes.office import HASH_KEY, Office


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("command", ["key", "issuers", "issue", "verify", "card", "poster"])
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(passes, [command, "--help"])
    assert result.exit_code == 0
    assert "--" in result.output


# ---- keys


def test_a_key_is_private_and_never_overwritten_untold(office: Office) -> None:
    before = office.key.read_bytes()
    assert (_mode(office.key), _mode(office.issuers)) == (0o600, 0o644)
    error = office.refuse("key", "--out", office.key, "--name", "X")
    assert isinstance(error, KeyFileError)
    assert "--replace" in error.hint
    assert office.key.read_bytes() == before
    assert len(load_issuers(office.issuers).issuers) == 1


def test_a_replaced_key_leaves_the_old_one_on_the_list(office: Office) -> None:
    old = office.issue()
    office.succeed("key", "--out", office.key, "--name", "X", "--replace", "--kind", "visitor")
    issuers = load_issuers(office.issuers).issuers
    assert [issuer.kinds for issuer in issuers.values()] == [
        frozenset(PassKind),
        frozenset({PassKind.VISITOR}),
    ]
    assert office.verify(old).exit_code == 0


def test_an_office_without_a_name_gets_no_key(office: Office) -> None:
    path = office.folder / "other.key"
    office.refuse("key", "--out", path, "--name", "")
    assert not path.exists()


def test_the_lists_of_two_offices_become_one(office: Office) -> None:
    other, out = office.folder / "other.key", office.folder / "all issuers"
    said = office.succeed("key", "--out", other, "--name", "Y", "--kind", "permit").stderr
    listed = office.folder / "other.key.issuers"
    assert f"chot hub document put --data DIR trust/passes {listed}" in said
    result = office.succeed("issuers", office.issuers, listed, "--out", out)
    assert "already" not in result.stderr
    assert f"trust/passes '{out}'" in result.stderr
    both = load_issuers(office.issuers).issuers | load_issuers(listed).issuers
    assert load_issuers(out).issuers.keys() == both.keys()
    assert len(both) == 2
    again = office.succeed("issuers", out, listed, "--out", out)
    assert f"{listed}: Y, key " in again.stderr
    assert load_issuers(out).issuers.keys() == both.keys()


def test_lists_that_contradict_each_other_are_not_joined(office: Office) -> None:
    known = next(iter(load_issuers(office.issuers).issuers.values()))
    other = office.folder / "other.issuers"
    other.write_bytes(pack_issuers([PassIssuer(known.key, "Another", known.kinds)]))
    out = office.folder / "out"
    error = office.refuse("issuers", office.issuers, other, "--out", out)
    assert "different things" in str(error)
    assert not out.exists()


@pytest.mark.parametrize("content", [b"", b"no key", None])
def test_a_file_that_is_no_key_signs_nothing(office: Office, content: bytes | None) -> None:
    path = office.folder / "bad.key"
    if content is not None:
        path.touch(mode=0o600)
        path.write_bytes(content)
    error = office.refuse("issue", "--key", path, "--kind", "visitor")
    assert "chot pass key" in error.hint


def test_a_key_that_others_can_read_signs_nothing(office: Office) -> None:
    office.key.chmod(0o644)
    assert "chmod 600" in office.refuse("issue", "--key", office.key, "--kind", "visitor").hint


def test_another_file_that_all_may_read_is_called_no_key(office: Office) -> None:
    path = office.folder / "notes.txt"
    path.write_text("no key")
    path.chmod(0o644)
    error = office.refuse("issue", "--key", path, "--kind", "visitor")
    assert "does not hold a private key" in str(error)
    assert "chmod" not in error.hint


def test_a_key_signs_only_the_kinds_that_it_may(office: Office) -> None:
    key = office.folder / "visits.key"
    office.succeed("key", "--out", key, "--name", "X", "--kind", "visitor")
    error = office.refuse("issue", "--key", key, "--kind", "officer")
    assert isinstance(error, PassError)
    assert "visitor" in error.hint
    assert office.succeed("issue", "--key", key, "--kind", "visitor").stderr.count("warning") == 0


def test_a_key_without_a_list_beside_it_signs_with_a_warning(office: Office) -> None:
    office.issuers.unlink()
    result = office.succeed("issue", "--key", office.key, "--kind", "visitor")
    assert "warning: " in result.stderr
    assert read_unverified(result.stdout.strip()).granted.kind is PassKind.VISITOR


# ---- issue and verify


def test_what_is_issued_is_verified_and_said_in_both_languages(office: Office) -> None:
    text = office.issue(
        *("--name", "Nguyễn Thị Ánh", "--born", "1987-01-18", "--place", "hospital"),
        *("--district", "760", "--site", "kho-2", "--hours", "05:00-21:00", "--days", "mon-fri"),
    )
    result = office.verify(text)
    assert result.exit_code == 0
    for said in (
        "HỢP LỆ / VALID",
        "Giấy đi đường / Movement permit",
        "Nguyễn Thị Ánh (18/01/1987)",
        "Sở Y tế",
        "bệnh viện / hospital",
        "760",
        "kho-2",
        "05:00-21:00 T2 T3 T4 T5 T6 / 05:00-21:00 Mon Tue Wed Thu Fri",
    ):
        assert said in result.output


def test_json_says_the_same_on_both_sides(office: Office) -> None:
    issued = json.loads(office.issue("--json", "--person-key", "8877665544332211"))
    arguments = ("verify", issued["text"], "--issuers", office.issuers, "--json")
    verified = json.loads(office.succeed(*arguments).output)
    assert (verified["valid"], verified["reason"], verified["issuer"]) == (True, None, "Sở Y tế")
    assert verified["person_key"] == "8877665544332211"
    assert {key: issued[key] for key in ("number", "kind", "from", "until")} == {
        key: verified[key] for key in ("number", "kind", "from", "until")
    }
    assert 7 <= issued["qr_version"] <= 10


def test_a_document_from_standard_input_becomes_the_subject(office: Office) -> None:
    result = office.succeed(
        *("issue", "--key", office.key, "--kind", "card", "--hash-key", office.hash_key),
        *("--document", "-"),
        stdin="001093029317\n",
    )
    key = person_keyer(HASH_KEY)(Identifier(IdentifierKind.DOCUMENT, "001093029317"))
    assert read_unverified(result.stdout.strip()).granted.subject == key
    assert "001093029317" not in result.output


def test_numbers_differ_from_pass_to_pass(office: Office) -> None:
    numbers = {read_unverified(office.issue()).granted.number for _ in range(3)}
    assert len(numbers) == 3


def test_a_pass_of_tomorrow_ends_with_1(office: Office) -> None:
    result = office.verify(office.issue("--from", "2100-01-01 00:00"))
    assert result.exit_code == 1
    assert "NOT VALID NOW" in result.output
    assert "chưa có hiệu lực" in result.output


def test_no_pass_counts_from_before_it_was_issued(office: Office) -> None:
    arguments = ("issue", "--key", office.key, "--kind", "permit", "--from", "2001-01-01 00:00")
    assert "order" in str(office.refuse(*arguments))


def test_an_expired_pass_ends_with_1(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    text = office.issue("--valid-for", "1m")
    later = read_unverified(text).expires_s * 10**9

    class Later:
        def now(self) -> Later:
            return self

        wall_ns = later

    monkeypatch.setattr("hub.passes.cli.HubClock", Later)
    result = office.verify(text)
    assert result.exit_code == 1
    assert "has expired" in result.output


def test_forged_foreign_and_other_texts_end_with_2(office: Office) -> None:
    text = office.issue()
    elsewhere = Office(office.folder / "elsewhere")
    elsewhere.found()
    for forged, said in (
        (text[:-3] + ("000" if not text.endswith("000") else "111"), "signature"),
        (elsewhere.issue(), "who issued"),
        ("https://example.org", "not recognised"),
        ("", "not recognised"),
    ):
        result = office.verify(forged)
        assert result.exit_code == 2
        assert said in result.output


def test_a_pass_too_long_is_refused_with_what_to_shorten(office: Office) -> None:
    sites = [word for n in range(8) for word in ("--site", f"nha-may-so-{n}")]
    error = office.refuse("issue", "--key", office.key, "--kind", "permit", *sites, "--name", "A")
    assert "too long" in str(error)
    assert "fewer sites" in error.hint


# ---- print
