"""Protects the intake's benchmark: a real hub, and every entry that is counted is held."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from benchmarks.intake_cli import intake


@pytest.mark.slow
@pytest.mark.parametrize("as_json", [True, False])
def test_what_is_counted_was_acknowledged_by_a_hub(as_json: bool) -> None:
    arguments = ["--entries", "400", "--clients", "2", *(["--json"] if as_json else [])]
    result = CliRunner().invoke(intake, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    if not as_json:
        assert "100 at a time, 2 clients" in result.stdout
        return
    figures = json.loads(result.stdout)
    assert figures["hub_intake_entries_per_s"] > 0
    assert [rate["batch"] for rate in figures["rates"]] == [100, 1000, 1]
    assert [rate["entries"] for rate in figures["rates"]] == [400, 2000, 20]
    assert figures["resend"]["entries"] == 400
    assert figures["record_bytes"] < figures["bytes_per_row"]
