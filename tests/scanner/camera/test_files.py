"""Files as cameras: what is missing, odd or huge is said, not stumbled over."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import pytest

from scanner.camera.files import FolderCamera, VideoFileCamera, pictures_in, read_picture
from scanner.camera.ladder import read_texts
from scanner.camera.luma import PictureLimits, gray_of
from scanner.errors import CameraError, CameraExhaustedError, CameraLostError
from tests.scanner.camera.pictures import encoded, scene


def a_video(path: Path, frames: int = 3) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 480))
    for _ in range(frames):
        writer.write(cv2.cvtColor(scene("on video"), cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def test_a_folder_is_listed_recursively_by_suffix(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    for name in ("b.PNG", "a.jpg", "README.md", "LICENSE", "deep/deeper/c.jpeg"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    found = [str(path.relative_to(tmp_path)) for path in pictures_in(tmp_path)]
    assert found == ["a.jpg", "b.PNG", "deep/deeper/c.jpeg"]


def test_what_is_no_readable_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "large.png").write_bytes(bytes(2000))
    for path, said in [
        (tmp_path / "absent.png", "not there"),
        (tmp_path, "not a file"),
        (tmp_path / "pipe.png", "not a file"),
        (Path("/dev/zero"), "not a file"),
        (tmp_path / "large.png", "2000 bytes"),
        (Path("/proc/self/mem"), "cannot be read"),
    ]:
        with pytest.raises(CameraError, match=said) as raised:
            read_picture(path, PictureLimits(max_bytes=1000))
        assert raised.value.hint


def test_a_video_is_read_frame_by_frame(tmp_path: Path) -> None:
    camera = VideoFileCamera(a_video(tmp_path / "v.avi"), lambda: 7)
    camera.open()
    frames = [camera.read() for _ in range(3)]
    assert [frame.sequence for frame in frames] == [0, 1, 2]
    assert gray_of(frames[2]).shape == (480, 640)
    with pytest.raises(CameraExhaustedError):
        camera.read()


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a video")
    for path, said in [(tmp_path / "absent.mp4", "not there"), (tmp_path / "text.mp4", "no video")]:
        with pytest.raises(CameraError, match=said):
            VideoFileCamera(path, lambda: 0).open()


def test_a_video_of_huge_frames_is_refused(tmp_path: Path) -> None:
    video = a_video(tmp_path / "v.avi")
    with pytest.raises(CameraError, match="640 x 480"):
        VideoFileCamera(video, lambda: 0, PictureLimits(max_pixels=1000)).open()


def a_folder(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(encoded(scene(name), Path(name).suffix))
    return folder


def test_a_folder_is_a_camera_of_all_its_pictures_in_order(tmp_path: Path) -> None:
    camera = FolderCamera(a_folder(tmp_path, "b.png", "a.jpg", "c.webp"), lambda: 7)
    camera.open()
    frames = [camera.read() for _ in range(3)]
    assert [Path(frame.label).name for frame in frames] == ["a.jpg", "b.png", "c.webp"]
    assert [read_texts(gray_of(frame)) for frame in frames] == [["a.jpg"], ["b.png"], ["c.webp"]]
    with pytest.raises(CameraExhaustedError):
        camera.read()


def test_pictures_of_a_folder_are_shown_at_an_interval(tmp_path: Path) -> None:
    class Clock:
        now_ns = 0

        def __call__(self) -> int:
            return self.now_ns

        def sleep(self, seconds: float) -> None:
            self.now_ns += int(seconds * 1e9)

    clock = Clock()
    folder = a_folder(tmp_path, "a.png", "b.png", "c.png", "d.png")
    camera = FolderCamera(folder, clock, interval_s=0.5, sleep=clock.sleep)
    camera.open()
    stamps = [camera.read().captured_ns, camera.read().captured_ns]
    clock.now_ns += 10_000_000_000
    stamps += [camera.read().captured_ns, camera.read().captured_ns]
    assert stamps == [0, 500_000_000, 10_500_000_000, 11_000_000_000], "no burst after a pause"


def test_a_picture_that_vanished_is_lost_and_the_next_one_read(tmp_path: Path) -> None:
    camera = FolderCamera(a_folder(tmp_path, "a.png", "b.png"), lambda: 7)
    camera.open()
    (tmp_path / "a.png").unlink()
    with pytest.raises(CameraLostError, match=r"a\.png is not there"):
        camera.read()
    assert camera.read().sequence == 1


@pytest.mark.parametrize(("name", "said"), [("absent", "not a folder"), ("", "no pictures")])
def test_what_is_no_folder_of_pictures_is_named(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(CameraError, match=said) as raised:
        FolderCamera(tmp_path / name, lambda: 0).open()
    assert raised.value.hint
