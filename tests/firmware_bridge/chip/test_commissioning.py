"""Protects the technician: `chot bridge` brings the firmware from a new chip to a site's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli.main import main
from benchmarks.chip.chip import Chip
from tests.firmware_bridge.chip.readings import dark
from tests.worlds import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SITE = (ROOT / "configs/kiosk.toml").read_text().partition("[lane.bridge]")[0]
BRIDGE = """
[lane.bridge]
kind = "mcu"
port = "{}"
[lane.bridge.wiring]
outputs = ["green", "amber", "red", "gate"]
inputs = ["stop", "fire"]
normally_closed = ["fire"]
"""


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["bridge", *map(str, arguments)])


def test_from_a_new_chip_to_a_lane_that_serves(chip: Chip, tmp_path: Path) -> None:
    site = tmp_path / "chot.toml"
    site.write_text(SITE + BRIDGE.format(chip.path))

    locked = call("configure", "--config", site, "--yes")
    assert locked.exit_code == 1
    assert "fit the configuration jumper" in locked.output

    chip.jumper(fitted=True)
    written = call("configure", "--config", site, "--yes")
    assert written.exit_code == 0, written.output
    chip.jumper(fitted=False)

    (found,) = json.loads(call("show", "--config", site, "--json").output)
    assert found["configured"]
    assert not found["jumper"]
    assert found["outputs"] == ["green", "amber", "red", "gate"]
    assert found["inputs"] == {"fire": True, "stop": False}  # its wire is not there: an alarm
    assert found["firmware"] == "2.0.0"

    tried = call("test", "--config", site, "--automatic", "--json")
    assert tried.exit_code == 0, tried.output
    assert call("off", "--config", site).exit_code == 0
    assert dark(chip)
