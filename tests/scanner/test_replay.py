"""Recordings: what was captured is played back byte for byte, at its pace, and stays in bounds."""

from __future__ import annotations

from io import FileIO
from pathlib import Path

import numpy as np
import pytest

from scanner.camera.port import Encoding, Frame
from scanner.errors import CameraError, CameraExhaustedError, CameraLostError, RecordingError
from scanner.recording import Recorder
from scanner.replay import RecordedCamera
from scanner.stamps import STAMPS_FILE, read_stamps, written

HEADER = "file,captured_ns,sequence,encoding,width_px,height_px\n"
HEADER_NOW = "file,captured_ns,sequence,encoding,width_px,height_px,clear\n"


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
    with pytest.raises(RecordingError, match="is there already") as refusal, Recorder(folder):
        pass
    assert refusal.value.hint == "name a new folder"


def test_a_mistyped_path_makes_no_folders(tmp_path: Path) -> None:
    with (
        pytest.raises(RecordingError, match="mistyped is not there") as refusal,
        Recorder(tmp_path / "mistyped" / "r"),
    ):
        pass
    assert refusal.value.hint
    assert list(tmp_path.iterdir()) == []


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
        HEADER_NOW + "a.jpg,1,0,mjpeg,4,2\n",
        HEADER_NOW + "a.jpg,1,0,mjpeg,4,2,some\n",
        HEADER_NOW + f"a.jpg,1,0,mjpeg,4,2,{'1 ' * 5000}\n",
        HEADER + '"a.jpg,1,0,mjpeg,4,2\n' + "\0" * 200_000,
    ],
)
def test_malformed_stamps_are_refused(tmp_path: Path, stamps: str) -> None:
    (tmp_path / STAMPS_FILE).write_text(stamps)
    with pytest.raises(CameraError) as refusal:
        a_player(tmp_path, Time()).open()
    assert refusal.value.hint


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ("b.jpg,2,1,mjpeg", "4 values, 6 wanted"),
        ("b.jpg,2,1,mjpeg,wide,2", "`width_px`"),
        ("", "0 values, 6 wanted"),
        ("b" * 200_000, "field limit"),
    ],
)
def test_malformed_stamps_are_refused_by_their_line(tmp_path: Path, second: str, why: str) -> None:
    (tmp_path / STAMPS_FILE).write_text(f"{HEADER}a.jpg,1,0,mjpeg,4,2\n{second}\n")
    with pytest.raises(CameraError) as refusal:
        a_player(tmp_path, Time()).open()
    assert f"line 3 of {STAMPS_FILE}: " in str(refusal.value)
    assert why in str(refusal.value)


def test_no_folder_and_a_missing_frame(tmp_path: Path) -> None:
    with pytest.raises(CameraError):
        a_player(tmp_path / "absent", Time()).open()
    folder = a_recording(tmp_path / "r", [a_frame(0)])
    camera = a_player(folder, Time())
    with pytest.raises(CameraLostError):
        camera.read()
    camera.open()
    (folder / "000000.jpg").unlink()
    with pytest.raises(CameraLostError) as refusal:
        camera.read()
    assert str(folder / "000000.jpg") in str(refusal.value)
    assert refusal.value.hint


def test_recordings_tell_what_was_blurred_and_older_ones_were_not(tmp_path: Path) -> None:
    with Recorder(tmp_path / "r") as recorder:
        recorder.add(a_frame(0))
        recorder.add(a_frame(1), written([((0, 0), (9, 0), (9, 9))]))
        recorder.add(a_frame(2), written([]))
    stamps = read_stamps(tmp_path / "r")
    assert [(stamp.blurred, stamp.clear) for stamp in stamps] == [
        (False, "all"),
        (True, "0 0 9 0 9 9"),
        (True, ""),
    ]
    (tmp_path / STAMPS_FILE).write_text(HEADER + "a.jpg,1,0,mjpeg,4,2\n")
    assert not read_stamps(tmp_path)[0].blurred


def test_a_recording_leaves_room_on_its_medium_for_others(tmp_path: Path) -> None:
    free = iter([1_000_100, 1_000_000])
    with Recorder(
        tmp_path / "r", min_free_bytes=1_000_000, free_bytes=lambda _: next(free)
    ) as recorder:
        taken = [recorder.add(a_frame(n)) for n in range(20)]
    assert taken == [True] * 16 + [False] * 4
    assert "1 MB left" in recorder.full
    assert len(read_stamps(tmp_path / "r")) == 16


def test_a_medium_that_fills_up_in_a_row_leaves_a_recording_that_plays(
    tmp_path: Path,
) -> None:
    class Filling(FileIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            return super().write(data[:20])

    with Recorder(tmp_path / "r") as recorder:
        recorder.add(a_frame(0))
        end = (tmp_path / "r" / STAMPS_FILE).stat().st_size
        file = Filling(tmp_path / "r" / STAMPS_FILE, "r+")
        file.seek(0, 2)
        recorder._stamps.close()
        recorder._stamps = file
        with pytest.raises(RecordingError) as refusal:
            recorder.add(a_frame(1))
    assert "No space left" in str(refusal.value)
    assert (tmp_path / "r" / STAMPS_FILE).stat().st_size == end
    assert len(read_stamps(tmp_path / "r")) == 1
