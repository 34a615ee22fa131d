"""Protects against revoked health cards: each good line of an issuer's list counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from hub.cli import hub
from hub.errors import HubError
from hub.health_card_revocations import COLUMNS, Revoked, revoked_in, withdrawals_csv
from tests.worlds import chot_data

KID = "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s"


def a_list(tmp_path: Path, **changed: Any) -> Path:
    content = {"kid": KID, "method": "rid", "ctr": 1, "rids": ["abc", "def.1638311286"]} | changed
    file = tmp_path / "example.org" / ".well-known" / "crl" / f"{KID}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(hub, ["trust", "revoked-cards", *map(str, arguments)])


def test_a_list_becomes_the_withdrawals_of_its_cards(tmp_path: Path) -> None:
    a_list(tmp_path)
    out = tmp_path / "withdrawals.csv"
    result = run("--out", out, tmp_path)
    assert result.exit_code == 0, result.output
    assert out.read_text().splitlines() == [
        ",".join(COLUMNS),
        f"health_card_rid,{KID}/abc,",
        f"health_card_rid,{KID}/def,2021-11-30T23:00+00:00",
    ]
    assert "2 revoked cards" in result.output


@pytest.mark.parametrize(
    ("rids", "before_s"),
    [
        (["a.5", "a.7"], 7),
        (["a.7", "a.5"], 7),
        (["a.5", "a"], None),
        (["a", "a.5"], None),
        (["a.0"], 0),
    ],
)
def test_the_wider_of_two_revocations_counts(
    rids: list[str], before_s: int | None, tmp_path: Path
) -> None:
    assert revoked_in([a_list(tmp_path, rids=rids)]).cards == {f"{KID}/a": before_s}


@pytest.mark.parametrize("rid", ["", "a b", "a" * 25, "a.b", "a.1.2", "a.", "base64==", "a\n"])
def test_a_bad_rid_is_named_and_the_others_count(rid: str, tmp_path: Path) -> None:
    found = revoked_in([a_list(tmp_path, rids=[rid, "good"])])
    assert found.cards == {f"{KID}/good": None}
    assert len(found.refused) == 1


@pytest.mark.parametrize(
    "changed", [{"method": "other"}, {"kid": "a/b"}, {"rids": "abc"}, {"ctr": "1"}]
)
def test_a_list_that_is_none_is_named(changed: dict[str, Any], tmp_path: Path) -> None:
    found = revoked_in([a_list(tmp_path, **changed)])
    assert (dict(found.cards), len(found.refused)) == ({}, 1)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 50_000, b"[]"])
def test_a_file_that_is_no_list_is_named_and_nothing_is_written(
    content: bytes, tmp_path: Path
) -> None:
    file, out = tmp_path / "x.json", tmp_path / "out"
    file.write_bytes(content)
    result = run("--out", out, file)
    assert isinstance(result.exception, HubError)
    assert f"left out: {file}" in result.output
    assert not out.exists()


def test_a_folder_without_lists_is_said_so(tmp_path: Path) -> None:
    result = run("--out", tmp_path / "out", tmp_path)
    assert isinstance(result.exception, HubError)
    assert result.exception.hint


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{3}/[a-z]{3}", fullmatch=True),
        st.none() | st.integers(0, 99_999_999_999),
    )
)
def test_any_list_can_be_written(cards: dict[str, int | None]) -> None:
    lines = withdrawals_csv(Revoked(cards, ())).decode().splitlines()
    assert len(lines) == len(cards) + 1


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "cards", "refused"),
    [
        ("duplicate-rid", 2, 0),
        ("invalid-method", 0, 1),
        ("non-base64url-rid", 2, 2),
        ("too-long-rid", 3, 1),
    ],
)
def test_lists_of_the_dev_tools(name: str, cards: int, refused: int) -> None:
    folder = chot_data("smart-health-cards", "dev-tools-testdata", "badcrl", name)
    found = revoked_in(sorted(folder.rglob("crl/*.json")))
    assert (len(found.cards), len(found.refused)) == (cards, refused)
