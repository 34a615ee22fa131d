"""Protects withdrawals: the hub names a credential as the gate that reads it looks for it."""

from __future__ import annotations

import json

import pytest

from admission.credentials.vds_nc import parse
from hub.errors import CellError
from hub.withdrawals import KINDS, withdrawal
from tests.admission.credentials import seals


def test_a_seal_is_withdrawn_under_the_name_that_gates_look_for() -> None:
    made = seals.seal(seals.vaccination(uvci="U-3 28.70a"), seals.ministry(), seals.ec_key())
    read = parse(json.dumps(made), seals.authorities())
    assert read.proof is not None
    row = withdrawal(KINDS["seal"], "UTO/U-3 28.70a")
    assert tuple(row.identifiers) == read.proof.withdrawn_as


@pytest.mark.parametrize(
    "number", ["", "U32870", "UTOP/U1", "uto/U1", "UTO/", "UTO/Ế", "UTO/" + "1" * 65]
)
def test_what_names_no_seal_is_refused(number: str) -> None:
    with pytest.raises(CellError, match="STATE/NUMBER"):
        withdrawal(KINDS["seal"], number)
