"""What a configuration composes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from appliance.compose import mirrored
from appliance.config import load_config
from tests.worlds import ROOT

SHIPPED = sorted((ROOT / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_nobody_is_shown_unless_the_site_wants_it(path: Path) -> None:
    assert mirrored(load_config(path)) == []


def test_lanes_with_a_camera_are_mirrored_where_the_site_wants_it() -> None:
    config = load_config(ROOT / "configs" / "kiosk.toml")
    wanted = msgspec.structs.replace(
        config, kiosk=msgspec.structs.replace(config.kiosk, preview=True)
    )
    assert mirrored(wanted) == ["door"]
    lane = wanted.lane[0]
    without = msgspec.structs.replace(lane, name="scanner", sources=())
    assert mirrored(msgspec.structs.replace(wanted, lane=(without, lane))) == ["door"]
