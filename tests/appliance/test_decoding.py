"""From a camera's table to how its frames are read, and the worker that reads the hard ones."""

from __future__ import annotations

import random
import time
from pathlib import Path

import msgspec
import pytest

from admission.reading import Symbology
from appliance.camera_inspection import camera_problems
from appliance.camera_table import CameraSourceTable
from appliance.decoding import slow_lane_of, wanted_of
from appliance.errors import ConfigError
from scanner.camera.slow_lane import ThreadLane
from scanner.camera.slow_reading import job_of
from tests.scanner.camera.pictures import scene
from tests.scanner.camera.test_slow_lane import taken

TABLE = CameraSourceTable("door", "/dev/video0")


def test_qr_codes_alone_unless_a_site_says_more() -> None:
    assert wanted_of(TABLE).symbologies == {Symbology.QR_CODE}
    more = msgspec.structs.replace(TABLE, symbologies=("qr_code", "pdf417"))
    assert wanted_of(more).symbologies == {Symbology.QR_CODE, Symbology.PDF417}


def test_a_table_may_go_without_a_slow_lane() -> None:
    table = msgspec.structs.replace(TABLE, slow_lane=False)
    assert slow_lane_of(table, time.monotonic_ns, random.random) is None


def test_the_worker_of_a_table_reads() -> None:
    lane = slow_lane_of(TABLE, time.monotonic_ns, random.random)
    assert isinstance(lane, ThreadLane)
    lane.start(lambda error: pytest.fail(str(error)))
    lane.offer(job_of(scene("beside"), 5))
    (found,) = taken(lane, 1)
    assert [sighting.text for sighting in found.sightings] == ["beside"]
    assert lane.stop(10)


def test_models_that_cannot_be_used_are_told_before_anything_starts(tmp_path: Path) -> None:
    table = msgspec.structs.replace(TABLE, device=str(tmp_path), wechat_models=str(tmp_path))
    with pytest.raises(ConfigError) as caught:
        slow_lane_of(table, time.monotonic_ns, random.random)
    assert caught.value.hint
    problems = list(camera_problems("lane[0]", table))
    assert "lane[0].wechat_models" in {problem.where for problem in problems}
