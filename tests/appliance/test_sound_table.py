"""[lane.sound] says in words when the buzzer is quiet, and what is wrong with what says nothing."""

from __future__ import annotations

import pytest

from admission.hours import Hours
from admission.quiet import Quiet, QuietHours
from appliance.sound_table import SoundTable, fault_in, quiet_from


def test_a_lane_sounds_at_all_hours_unless_it_is_told_to_be_quiet() -> None:
    assert quiet_from(SoundTable()) is None


def test_hours_are_written_as_everywhere() -> None:
    table = SoundTable(("22:00-06:00",), Quiet.SILENT)
    assert fault_in(table) is None
    assert quiet_from(table) == QuietHours((Hours(22 * 60, 6 * 60),), Quiet.SILENT)


@pytest.mark.parametrize("text", ["", "22-6", "22:00", "25:00-06:00", "22:00-06:00 sunday"])
def test_hours_that_mean_nothing_are_named(text: str) -> None:
    fault = fault_in(SoundTable((text,)))
    assert fault is not None
    assert fault.key == "quiet_hours"
    assert "22:00-06:00" in fault.hint
