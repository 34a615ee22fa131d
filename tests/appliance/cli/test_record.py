"""`chot record` keeps what a fault report needs, and nobody's face unless it was asked for."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli import record_run
from appliance.cli.main import main
from appliance.cli.record_run import Bounds, RecordSummary, run
from scanner.camera.port import Frame
from scanner.errors import CameraLostError, RecordingError
from scanner.replay import RecordedCamera
from scanner.stamps import read_stamps
from tests.scanner.camera.pictures import canvas, mjpeg_frame, scene
from tests.scanner.camera.scripted import Step, StreamedCamera

CONFIG = Path(__file__).parents[3] / "configs" / "kiosk.toml"
BOUNDS = Bounds(seconds=1e9, max_frames=100, max_bytes=10**9)


def record(*arguments: object, answer: str = "") -> Result:
    return CliRunner().invoke(main, ["record", *map(str, arguments)], input=answer)


def frames(*shown: object, error: Exception | None = None) -> Iterator[Step]:
    for number, text in enumerate(shown):
        picture = scene(str(text)) if text else canvas()
        yield mjpeg_frame(picture, number, number * 40_000_000)
    if error is not None:
        yield error


def ticking() -> Callable[[], int]:
    ticks = itertools.count(0, 1_000_000)
    return lambda: next(ticks)


def test_a_recording_is_blurred_but_for_its_codes(tmp_path: Path) -> None:
    camera = StreamedCamera(frames("", "CODE", "CODE", ""))
    summary = run(camera, tmp_path / "r", BOUNDS, ticking(), raw=False)
    assert (summary.frames, summary.with_code, summary.dropped) == (4, 2, 0)
    assert (summary.full, summary.failure) == ("", "")
    stamps = read_stamps(tmp_path / "r")
    assert [(stamp.blurred, bool(stamp.clear)) for stamp in stamps] == [
        (True, False), (True, True), (True, True), (True, False),
    ]  # fmt: skip
    assert camera.closed


def test_raw_keeps_every_byte(tmp_path: Path) -> None:
    run(StreamedCamera(frames("A", "")), tmp_path / "r", BOUNDS, ticking(), raw=True)
    player = RecordedCamera(tmp_path / "r", lambda: 0)
    player.open()
    assert [player.read().data for _ in range(2)] == [
        each.data for each in frames("A", "") if isinstance(each, Frame)
    ]
    assert not any(stamp.blurred for stamp in read_stamps(tmp_path / "r"))


def test_a_lost_camera_leaves_what_was_recorded(tmp_path: Path) -> None:
    camera = StreamedCamera(frames("A", error=CameraLostError("the cable is out")))
    summary = run(camera, tmp_path / "r", BOUNDS, ticking(), raw=False)
    assert (summary.frames, summary.failure) == (1, "the cable is out")
    assert len(read_stamps(tmp_path / "r")) == 1


def test_a_full_recording_says_what_it_was_full_of(tmp_path: Path) -> None:
    bounds = Bounds(seconds=1e9, max_frames=2, max_bytes=10**9)
    summary = run(StreamedCamera(frames(*"ABCD")), tmp_path / "r", bounds, ticking(), raw=True)
    assert (summary.frames, summary.full) == (2, "2 frames")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_recording_that_plays(tmp_path: Path, number: signal.Signals) -> None:
    def endless() -> Iterator[Step]:
        for sequence in itertools.count():
            if sequence == 3:
                os.kill(os.getpid(), number)
            yield mjpeg_frame(canvas(64, 64), sequence, sequence * 40_000_000)

    before = signal.getsignal(number)
    summary = run(
        StreamedCamera(endless()), tmp_path / "r", Bounds(1e9, 10**6, 10**9), ticking(), raw=True
    )
    assert summary.frames >= 3
    assert len(read_stamps(tmp_path / "r")) == summary.frames
    assert signal.getsignal(number) is before


def test_it_ends_at_its_time(tmp_path: Path) -> None:
    def endless() -> Iterator[Step]:
        for sequence in itertools.count():
            yield mjpeg_frame(canvas(64, 64), sequence, sequence)

    seconds = itertools.count(0, 10**9)
    bounds = Bounds(seconds=5, max_frames=10**6, max_bytes=10**9)
    run(StreamedCamera(endless()), tmp_path / "r", bounds, lambda: next(seconds), raw=True)
    assert read_stamps(tmp_path / "r")


def test_a_folder_that_exists_is_not_touched_and_the_camera_given_back(tmp_path: Path) -> None:
    camera = StreamedCamera(frames("A"))
    with pytest.raises(RecordingError):
        run(camera, tmp_path, BOUNDS, ticking(), raw=False)
    assert camera.closed
    assert list(tmp_path.iterdir()) == []


def test_a_fault_of_ours_is_not_swallowed(tmp_path: Path) -> None:
    camera = StreamedCamera(frames("A", error=ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        run(camera, tmp_path / "r", BOUNDS, ticking(), raw=False)


def test_the_command_records_a_camera_and_names_what_comes_next(tmp_path: Path) -> None:
    result = record("--camera", "demo", "--for", "0.3", tmp_path / "r")
    assert result.exit_code == 0, result.output
    assert f"Replay it: chot scan {tmp_path / 'r'}" in result.stdout
    assert (tmp_path / "r").stat().st_mode & 0o777 == 0o700


def test_raw_warns_and_asks(tmp_path: Path) -> None:
    refused = record("--camera", "demo", "--raw", tmp_path / "r", answer="n\n")
    assert refused.exit_code == 1
    assert "people can be recognised" in refused.stderr
    assert not (tmp_path / "r").exists()
    agreed = record("--camera", "demo", "--raw", "--yes", "--for", "0.3", tmp_path / "r")
    assert agreed.exit_code == 0, agreed.output
    assert "Faces can be recognised in it." in agreed.stdout


def test_a_missing_camera_is_said_and_no_folder_made(tmp_path: Path) -> None:
    result = record("--camera", "/dev/absent", tmp_path / "r")
    assert result.exit_code == 1
    assert "/dev/absent" in result.stderr
    assert "→" in result.stderr
    assert not (tmp_path / "r").exists()


def test_a_configuration_names_the_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = record("--config", CONFIG, "--source", "attic", tmp_path / "r")
    assert unknown.exit_code == 1
    assert "its cameras: door-camera" in unknown.stderr
    opened = []
    monkeypatch.setattr("appliance.cameras.camera_of", lambda table, _: opened.append(table.name))
    monkeypatch.setattr(record_run, "run", lambda *_, raw: RecordSummary(0, 0, 0, 0))
    assert record("--config", CONFIG, "--source", "door-camera", tmp_path / "r").exit_code == 1
    assert opened == ["door-camera"]


@pytest.mark.parametrize(
    "arguments", [[], ["--camera", "demo", "--source", "x"], ["--config", str(CONFIG)]]
)
def test_one_camera_has_to_be_named(tmp_path: Path, arguments: list[str]) -> None:
    result = record(*arguments, tmp_path / "r")
    assert result.exit_code == 2
    assert "Name a camera" in result.stderr
