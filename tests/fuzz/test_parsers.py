"""Protects the gate from whoever makes codes and documents to stop it.

Nearly genuine inputs of every kind, spoilt on every layer: no error but the one that is documented,
bounded time, and no growth. The long campaign is `make fuzz`; CHOT_FUZZ_S says how long (CPU
seconds, 60 by default), CHOT_FUZZ_SEED where it begins.
"""

from __future__ import annotations

import os

import pytest

from admission.credential import CredentialKind
from tests.fuzz.campaign import Report, run
from tests.fuzz.codes import GENERATORS
from tests.fuzz.documents import readers

MAX_GROWTH_BYTES = 24 << 20
"""What an hour of hostile inputs may leave behind: caches are bounded and warm by then."""


def _described(report: Report) -> str:
    return "\n\n".join(f"{f.target}: {f.what}\n{f.value}" for f in report.findings)


def test_a_short_campaign_finds_nothing() -> None:
    report = run(20_210_911, rounds=40, timed=False)
    assert not report.findings, _described(report)
    assert set(report.inputs) == {*GENERATORS, *readers()}


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_a_long_campaign_finds_nothing_in_bounded_time_and_memory() -> None:
    seed = int(os.environ.get("CHOT_FUZZ_SEED", "1"))
    report = run(seed, cpu_s=float(os.environ.get("CHOT_FUZZ_S", "60")))
    assert not report.findings, _described(report)
    assert report.growth_bytes < MAX_GROWTH_BYTES, report
    genuine = set(CredentialKind) - {CredentialKind.PLUGGED_IN}
    assert genuine <= set(report.kinds), "some seeds never read as their own kind"
