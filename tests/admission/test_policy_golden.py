"""Protects the policy as its authors wrote it: a table by hand of people in situations.

Every row was written from the policy's text, with the clause that answers it; nothing was computed
from the rulebook or the code.
"""

from __future__ import annotations

import pytest

from admission.rulebook import Rulebook
from tests.admission.golden_blocks import BLOCKS
from tests.admission.golden_cards import ACCESS, CARDS
from tests.admission.golden_rows import Row, answered, said
from tests.admission.golden_zones import ENCOUNTERS

ROWS = [*CARDS, *ACCESS, *BLOCKS, *ENCOUNTERS]


@pytest.mark.parametrize("one", ROWS, ids=[one.who for one in ROWS])
def test_the_policy_answers(rulebook: Rulebook, one: Row) -> None:
    missing = set(one.answer.split()) - said(answered(rulebook, one))
    assert not missing, f"{one.who}: {one.clause}"


def test_every_row_is_another_person_or_situation() -> None:
    written = [repr((one.person, one.situation)) for one in ROWS]
    assert len(set(written)) == len(written) >= 290
