"""A recording is read as its live camera would have been, and the same in every run."""

from __future__ import annotations

import itertools
import json
import random
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from appliance.cli.scan import scan
from appliance.cli.scan_replay import replay
from scanner.camera.port import Encoding, Frame
from scanner.errors import CameraExhaustedError
from scanner.recording import Recorder
from scanner.scenes.camera import SceneCamera
from scanner.scenes.presentation import DIFFICULTIES, Carrier, Presentation
from scanner.stamps import STAMPS_FILE
from tests.scanner.camera.pictures import canvas, encoded, scene


def run(*arguments: object) -> Result:
    return CliRunner().invoke(scan, [str(each) for each in arguments])


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A code held up for 3 s at 10 frames a second, gone, and held up again; one frame damaged."""
    shown = [canvas(), *[scene("held")] * 30, *[canvas()] * 30, *[scene("held")] * 5]
    with Recorder(tmp_path / "recording") as recorder:
        for number, picture in enumerate(shown):
            data = b"\xff\xd8 torn" if number == 3 else encoded(picture)
            recorder.add(Frame(data, Encoding.MJPEG, 640, 480, 7 + number * 10**8, number))
    return tmp_path / "recording"


def test_a_recording_is_replayed_by_its_own_stamps(recording: Path) -> None:
    result = run(recording, "--json")
    assert result.exit_code == 0
    first, torn, again = lines(result)
    assert [each["readings"][0]["text"] for each in (first, again)] == ["held", "held"]
    assert (first["frame"], again["frame"]) == (1, 61)
    assert (torn["frame"], str(torn["error"])[:10]) == (3, "000003.jpg")
    assert [dict(each, ms=0) for each in lines(run(recording, "--json"))] == [
        dict(each, ms=0) for each in (first, torn, again)
    ]


def test_a_recording_is_summed_up_in_frames_and_codes(recording: Path) -> None:
    assert "\n66 frames, 2 codes read, 1 error\n" in run(recording).stdout


def test_a_recording_that_lost_a_frame_ends_there_and_an_empty_one_is_said(recording: Path) -> None:
    (recording / "000002.jpg").unlink()
    first, broken = lines(run(recording, "--json"))
    assert first["frame"] == 1
    assert "000002.jpg" in str(broken["error"])
    (recording / STAMPS_FILE).write_text("")
    result = run(recording)
    assert result.exit_code == 1
    assert "holds no recording" in result.stderr


def test_what_was_still_is_skipped_by_the_recorded_time(tmp_path: Path) -> None:
    """However fast it is replayed: the torn frame comes while nothing has moved for 1.5 s."""
    still = encoded(canvas())
    with Recorder(tmp_path / "recording") as recorder:
        for number in range(100):
            data = bytes(len(still)) if number == 90 else still
            recorder.add(Frame(data, Encoding.MJPEG, 640, 480, number * 20_000_000, number))
    (nothing,) = replay(tmp_path / "recording", lambda: 0)
    assert (nothing.error, nothing.found) == ("", ())


def test_two_replays_agree_to_the_rung_however_fast_the_machine_is(tmp_path: Path) -> None:
    """People with difficult codes, so that dearer rungs take their turns."""
    people = [
        Presentation(f"HARD {n}", Carrier.CARD, difficulty, lasts_s=1.0)
        for n, difficulty in enumerate((DIFFICULTIES["shadow"], DIFFICULTIES["blurred"]))
    ]
    camera = SceneCamera(
        iter(people),
        rng=random.Random(2),
        monotonic_ns=lambda: 0,
        sleep=lambda _: None,
        fps=3.0,
        size=(960, 540),
        pause_s=0.0,
    )
    camera.open()
    with Recorder(tmp_path / "recording") as recorder, suppress(CameraExhaustedError):
        for number in itertools.count():
            frame = camera.read()
            recorder.add(Frame(frame.data, frame.encoding, 960, 540, number * 333_000_000, number))
    fast, slow = itertools.count(), itertools.count(step=10**10)
    runs = [
        [
            msgspec.structs.replace(finding, ms=0)
            for finding in replay(tmp_path / "recording", clock)
        ]
        for clock in (lambda: next(fast), lambda: next(slow))
    ]
    assert runs[0] == runs[1]
    assert {found.text for each in runs[0] for found in each.found} >= {"HARD 0", "HARD 1"}
    assert all(found.rung for each in runs[0] for found in each.found)
