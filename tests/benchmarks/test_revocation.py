"""Protects the withdrawals' benchmark: a real hub, a real gate, every number refused in time."""

from __future__ import annotations

import json

from click.testing import CliRunner

from benchmarks.revocation_cli import revocation


def test_numbers_that_a_hub_withdraws_are_refused_by_a_gate_that_polls_it() -> None:
    arguments = ["--people", "100", "--withdrawals", "3", "--per-second", "50", "--json"]
    result = CliRunner().invoke(revocation, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert (figures["people"], figures["withdrawals"]) == (100, 3)
    assert 0 < figures["refused_s"]["p50"] <= figures["refused_s"]["p99"] < 60
    assert figures["refused_max_s"] * 1e3 > figures["commit_ms"]["p50"] > 0
    assert figures["poll_interval_s"] == 2
    assert figures["rounds"]["activated"] >= 1


def test_more_withdrawals_than_there_are_people_to_spare_are_refused() -> None:
    result = CliRunner().invoke(revocation, ["--people", "100", "--withdrawals", "50"])
    assert result.exit_code == 2
    assert "a third" in result.output
