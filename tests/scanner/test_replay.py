"""Recordings: what was captured is played back byte for byte, at its pace, and stays in bounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scanner.camera.port import Encoding, Frame
from scanner.errors import CameraError, CameraExhaustedError, CameraLostError, RecordingError
from scanner.replay import STAMPS_FILE, RecordedCamera, Recorder

HEADER = "file,captured_ns,sequence,encoding,width_px,height_px\n"


class Time:
    def __init__(self) -> None:
        self.ns = 900

    def now_ns(self) -> int:
        return self.ns


def a_frame(number: int, data: bytes = b"\xff\xd8jpeg") -> Frame:
    return Frame(data + bytes([number]), Encoding.MJPEG, 4, 2, 10_000 + number * 40_000_000, number)


def a_recording(folder: Path, frames: list[Frame]) -> Path:
    with Recorder(folder) as recorder:
        for frame in frames:
            assert recorder.add(frame)
    return folder


def a_player(folder: Path, time: Time) -> RecordedCamera:
    return RecordedCamera(folder, time.now_ns)


def test_frames_come_back_unchanged_with_their_intervals(tmp_path: Path) -> None:
    frames = [a_frame(n) for n in (0, 1, 3)]
    time = Time()
    camera = a_player(a_recording(tmp_path / "r", frames), time)
    for _ in range(2):
        time.ns += 5_000
        camera.open()
        played = [camera.read() for _ in frames]
        assert [frame.data for frame in played] == [frame.data for frame in frames]
        assert [frame.sequence for frame in played] == [0, 1, 3]
        assert [f.captured_ns - time.ns for f in played] == [0, 40_000_000, 3 * 40_000_000]
        for _ in range(2):
            with pytest.raises(CameraExhaustedError):
                camera.read()


def test_raw_pixels_are_recorded_as_they_lie(tmp_path: Path) -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)[::2, ::2]
    folder = a_recording(tmp_path / "r", [Frame(pixels, Encoding.GRAY, 4, 4, 0, 0)])
    camera = a_player(folder, Time())
    camera.open()
    frame = camera.read()
    assert frame.encoding is Encoding.GRAY
    assert np.array_equal(np.frombuffer(frame.data, np.uint8).reshape(4, 4), pixels)


def test_a_recording_ends_at_its_bounds(tmp_path: Path) -> None:
    with Recorder(tmp_path / "few", max_frames=2) as recorder:
        assert [recorder.add(a_frame(n)) for n in range(3)] == [True, True, False]
    with Recorder(tmp_path / "small", max_bytes=15) as recorder:
        assert [recorder.add(a_frame(n)) for n in range(3)] == [True, True, False]
    assert len(list((tmp_path / "small").iterdir())) == 3


def test_a_recording_is_for_its_owner_and_overwrites_nothing(tmp_path: Path) -> None:
    folder = a_recording(tmp_path / "r", [a_frame(0)])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    with pytest.raises(RecordingError) as refusal, Recorder(folder):
        pass
    assert refusal.value.hint


@pytest.mark.parametrize(
    "stamps",
    [
        "",
        HEADER,
        "file,captured_ns\na.jpg,1\n",
        HEADER + "a.jpg,1,0,mjpeg,4\n",
        HEADER + "a.jpg,soon,0,mjpeg,4,2\n",
        HEADER + "a.jpg,1,0,gif,4,2\n",
        HEADER + "../a.jpg,1,0,mjpeg,4,2\n",
        HEADER + "..,1,0,mjpeg,4,2\n",
        HEADER + "a.jpg,2,0,mjpeg,4,2\nb.jpg,1,1,mjpeg,4,2\n",
        HEADER + "a.jpg,1,1,mjpeg,4,2\nb.jpg,2,1,mjpeg,4,2\n",
        HEADER + '"a.jpg,1,0,mjpeg,4,2\n' + "\0" * 200_000,
    ],
)
def test_malformed_stamps_are_refused(tmp_path: Path, stamps: str) -> None:
    (tmp_path / STAMPS_FILE).write_text(stamps)
    with pytest.raises(CameraError) as refusal:
        a_player(tmp_path, Time()).open()
    assert refusal.value.hint


def test_no_folder_and_a_missing_frame(tmp_path: Path) -> None:
    with pytest.raises(CameraError):
        a_player(tmp_path / "absent", Time()).open()
    folder = a_recording(tmp_path / "r", [a_frame(0)])
    camera = a_player(folder, Time())
    with pytest.raises(CameraLostError):
        camera.read()
    camera.open()
    (folder / "000000.jpg").unlink()
    with pytest.raises(CameraLostError):
        camera.read()
