"""Protects the benchmark of decisions: every kind walks the whole way, to the answer it should."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from admission.credential import CredentialKind
from admission.verdict import Outcome, Reason
from benchmarks.decide import measure
from benchmarks.decide_cli import decide

SIGNED = {"dcc_es256", "dcc_ps256", "smart_health_card", "vds_nc", "chot_pass"}


def test_every_kind_is_judged_and_signed_ones_stand_beside_their_floor(tmp_path: Path) -> None:
    done: list[int] = []
    figures = measure(tmp_path, people=100, repetitions=3, progress=done.append)
    assert done == list(range(1, len(figures.kinds) + 1))
    for kind, found in figures.kinds.items():
        if kind == "unrecognised":
            assert (found.outcome, found.reason) == (Outcome.REFUSE, Reason.UNRECOGNISED)
        else:
            assert (found.outcome, found.reason) == (Outcome.ADMIT, Reason.CARD_OPENS), kind
        assert (found.signature_us is None) is (kind not in SIGNED)
    missing = {kind.value for kind in CredentialKind} - set(figures.kinds)
    assert missing == {"dcc", "plugged_in"}, "a kind that is not measured"


def test_the_keys_of_the_json_stay() -> None:
    result = CliRunner().invoke(decide, ["--people", "100", "--repetitions", "10", "--json"])
    assert result.exit_code == 0, result.output
    kinds = json.loads(result.stdout)["kinds"]
    assert {"p50_us", "p99_us", "signature_us"} <= set(kinds["dcc_es256"])
