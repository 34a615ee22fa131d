"""What every camera keeps, whatever is behind it: devices, networks, files, scripts, scenes."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.camera.capture import CaptureMode, V4L2Camera
from scanner.camera.files import FolderCamera, VideoFileCamera
from scanner.camera.luma import gray_of
from scanner.camera.network import NetworkCamera
from scanner.camera.port import Camera, Frame
from scanner.errors import CameraExhaustedError, CameraLostError
from scanner.recording import Recorder
from scanner.replay import RecordedCamera
from scanner.scenes.camera import SceneCamera
from scanner.scenes.presentation import Presentation
from tests.scanner.camera.pictures import encoded, mjpeg_frame, scene
from tests.scanner.camera.rtsp_server import RtspServer
from tests.scanner.camera.scripted import ScriptedCamera

FRAMES = 3
MORE_THAN_ANY_HAS = 60

Make = Callable[[Path, Callable[[], int]], Camera | AbstractContextManager[Camera]]


def recording(folder: Path, monotonic_ns: Callable[[], int]) -> Camera:
    with Recorder(folder / "recording") as recorder:
        for number in range(FRAMES):
            assert recorder.add(mjpeg_frame(scene(f"{number}"), 7 + number, number * 40_000_000))
    return RecordedCamera(folder / "recording", monotonic_ns)


def video(folder: Path, monotonic_ns: Callable[[], int]) -> Camera:
    path = folder / "video.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 480))
    for number in range(FRAMES):
        writer.write(cv2.cvtColor(scene(f"{number}"), cv2.COLOR_GRAY2BGR))
    writer.release()
    return VideoFileCamera(path, monotonic_ns)


class Delivering:
    """OpenCV's capture of a camera that never ends."""

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def set(self, propId: int, value: float) -> bool:  # noqa: N803
        return True

    def get(self, propId: int) -> float:  # noqa: N803
        return {
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
            cv2.CAP_PROP_FRAME_WIDTH: 640,
            cv2.CAP_PROP_FRAME_HEIGHT: 480,
        }.get(propId, 0)

    def read(self) -> tuple[bool, np.ndarray]:
        return True, np.frombuffer(encoded(scene("live")), np.uint8).reshape(1, -1)

    def release(self) -> None: ...


def folder(path: Path, monotonic_ns: Callable[[], int]) -> Camera:
    for number in range(FRAMES):
        (path / f"{number}.png").write_bytes(encoded(scene(f"{number}"), ".png"))
    return FolderCamera(path, monotonic_ns)


@contextmanager
def network(_: Path, monotonic_ns: Callable[[], int]) -> Iterator[Camera]:
    with RtspServer(scene("by the network")) as server:
        yield NetworkCamera(server.address, monotonic_ns)


def device(_: Path, monotonic_ns: Callable[[], int]) -> Camera:
    return V4L2Camera(Path("/dev/null"), monotonic_ns, CaptureMode(), lambda _: Delivering())


def script(_: Path, monotonic_ns: Callable[[], int]) -> Camera:
    def opening() -> Iterator[Frame]:
        for sequence in range(FRAMES):
            yield mjpeg_frame(scene("script"), sequence, monotonic_ns())

    return ScriptedCamera(opening(), opening())


def drawn(_: Path, monotonic_ns: Callable[[], int]) -> Camera:
    people = (Presentation("scene", lasts_s=1.0) for _ in range(4))
    return SceneCamera(
        people,
        rng=random.Random(1),
        monotonic_ns=monotonic_ns,
        sleep=lambda _: None,
        fps=5.0,
        size=(640, 480),
    )


@pytest.fixture(
    params=[recording, video, folder, device, network, script, drawn],
    ids=lambda make: make.__name__,
)
def camera(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Camera]:
    make: Make = request.param
    ticks = itertools.count(1_000_000_000, 1_000_000)
    made = make(tmp_path, lambda: next(ticks))
    with made if isinstance(made, AbstractContextManager) else nullcontext(made) as camera:
        yield camera
        camera.close()


def drain(camera: Camera) -> list[Frame]:
    frames = []
    while len(frames) < MORE_THAN_ANY_HAS:
        try:
            frames.append(camera.read())
        except CameraExhaustedError:
            break
    return frames


def test_frames_are_numbered_stamped_and_become_gray(camera: Camera) -> None:
    camera.open()
    frames = [camera.read() for _ in range(FRAMES)]
    numbers = [frame.sequence for frame in frames]
    assert numbers[0] == 0
    assert numbers == sorted(set(numbers))
    stamps = [frame.captured_ns for frame in frames]
    assert stamps == sorted(stamps)
    assert stamps[0] >= 1_000_000_000
    for frame in frames:
        gray = gray_of(frame)
        assert gray.dtype == np.uint8
        if frame.width_px:
            assert gray.shape == (frame.height_px, frame.width_px)


def test_a_frame_handed_on_is_never_written_again(camera: Camera) -> None:
    camera.open()
    first = camera.read()
    before = bytes(first.data)
    for _ in range(FRAMES - 1):
        camera.read()
    assert bytes(first.data) == before


def test_reading_before_opening_and_after_closing_is_a_lost_camera(camera: Camera) -> None:
    with pytest.raises(CameraLostError):
        camera.read()
    camera.open()
    camera.read()
    camera.close()
    with pytest.raises(CameraLostError):
        camera.read()


def test_closing_is_always_allowed(camera: Camera) -> None:
    camera.close()
    camera.open()
    camera.close()
    camera.close()


def test_opening_again_begins_anew(camera: Camera) -> None:
    camera.open()
    camera.read()
    camera.read()
    camera.open()
    assert camera.read().sequence == 0
    camera.close()
    camera.open()


def test_the_end_of_a_finite_source_stays_the_end(camera: Camera) -> None:
    camera.open()
    if len(drain(camera)) == MORE_THAN_ANY_HAS:
        return
    for _ in range(2):
        with pytest.raises(CameraExhaustedError):
            camera.read()
