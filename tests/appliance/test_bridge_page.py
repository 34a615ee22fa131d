"""What docs/bridges.md shows can be copied: every table in it is understood and can be opened."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from admission.site import Direction
from appliance.bridge_checks import WiredLane, faults_in
from appliance.bridge_opening import open_member, open_several
from appliance.bridge_tables import BridgeTable, SeveralBridgeTable
from appliance.gate_table import GateTable

PAGE = Path(__file__).resolve().parents[2] / "docs" / "bridges.md"
TABLES = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)


def bridge_in(text: str) -> BridgeTable:
    return msgspec.convert(tomllib.loads(text)["lane"]["bridge"], BridgeTable)


@pytest.mark.parametrize("text", TABLES, ids=[str(number) for number in range(len(TABLES))])
def test_an_example_opens_a_bridge(text: str) -> None:
    table = bridge_in(text)
    lane = WiredLane("lane-1", Direction.IN, GateTable(), table)
    assert list(faults_in([lane])) == []
    times: dict[str, Any] = {"monotonic_ns": lambda: 0, "nonce": lambda bits: 1}
    if isinstance(table, SeveralBridgeTable):
        assert not open_several(table, GateTable(), **times).alive
    else:
        assert not open_member(table, GateTable(), **times).alive  # type: ignore[arg-type]


def test_every_kind_of_cable_has_an_example() -> None:
    kinds = {tomllib.loads(text)["lane"]["bridge"]["kind"] for text in TABLES}
    assert kinds == {"modbus", "stack_light", "osdp", "several"}
