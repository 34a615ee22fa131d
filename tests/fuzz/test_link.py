"""Protects both sides of the link from any bytes: no error, bounded memory, no overdue show.

CHOT_FUZZ_S and CHOT_FUZZ_SEED as in `test_parsers`; the C core's fuzzers are in `test_firmware`.
"""

from __future__ import annotations

import os
import time

import pytest

from tests.fuzz.link_courses import TARGETS
from tests.fuzz.mutations import Mutator

SHARE = 0.1
"""Of CHOT_FUZZ_S, each."""


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_a_few_courses_break_no_promise(target: str) -> None:
    for seed in range(60):
        TARGETS[target](Mutator(seed))


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("target", sorted(TARGETS))
def test_many_courses_break_no_promise(target: str) -> None:
    seed = int(os.environ.get("CHOT_FUZZ_SEED", "1")) << 32
    end_s = time.process_time() + SHARE * float(os.environ.get("CHOT_FUZZ_S", "60"))
    while time.process_time() < end_s:
        try:
            TARGETS[target](Mutator(seed))
        except Exception as error:  # noqa: BLE001 - the seed makes it happen again
            pytest.fail(f"{target}, Mutator({seed}): {type(error).__name__}: {error}")
        seed += 1
