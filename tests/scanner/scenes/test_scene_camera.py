"""Synthetic scenes: sound pictures, the same from the same seed, each readable in its time."""

from __future__ import annotations

import random
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import zxingcpp

from scanner.camera.port import Camera, Encoding, Frame
from scanner.errors import CameraError, CameraExhaustedError, CameraLostError
from scanner.scenes.camera import SceneCamera
from scanner.scenes.presentation import DIFFICULTIES, Carrier, Presentation, varied

TEXT = "000093029317|NGUYEN THI MINH KHAI|1987-01-18|0|162979388586171100|<1<00<0901234567"


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.ns = 5_000_000_000

    def now_ns(self) -> int:
        return self.ns

    def sleep(self, seconds: float) -> None:
        self.ns += round(seconds * 1e9)


def a_camera(
    presentations: list[Presentation], *, seed: int = 1, time: Time | None = None, fps: float = 6.0
) -> SceneCamera:
    time = time or Time()
    return SceneCamera(
        iter(presentations),
        rng=random.Random(seed),
        monotonic_ns=time.now_ns,
        sleep=time.sleep,
        fps=fps,
    )


def frames_of(camera: Camera) -> Iterator[Frame]:
    while True:
        try:
            yield camera.read()
        except CameraExhaustedError:
            return


def gray(frame: Frame) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(frame.data, np.uint8), cv2.IMREAD_GRAYSCALE)


def texts_in(frame: Frame) -> list[str]:
    read = zxingcpp.read_barcodes(gray(frame), formats=zxingcpp.BarcodeFormat.QRCode)
    return [code.text for code in read]


def texts_of_all(camera: Camera) -> list[str]:
    """Return what was read up to the end, each text once."""
    return list(dict.fromkeys(text for frame in frames_of(camera) for text in texts_in(frame)))


@pytest.mark.parametrize("carrier", Carrier)
@pytest.mark.parametrize("name", DIFFICULTIES)
def test_every_presentation_is_read_in_its_time(name: str, carrier: Carrier) -> None:
    camera = a_camera([Presentation(TEXT, carrier, DIFFICULTIES[name])])
    camera.open()
    assert texts_of_all(camera) == [TEXT]
    assert camera.shown == 1


def test_varied_presentations_are_read_and_nothing_else_is() -> None:
    texts = [f"{TEXT}|{n}" for n in range(12)]
    camera = a_camera(list(varied(texts, random.Random(3))), seed=3)
    camera.open()
    assert texts_of_all(camera) == texts


def test_frames_are_jpeg_of_the_stated_size() -> None:
    camera = SceneCamera(
        iter([Presentation(TEXT)]),
        rng=random.Random(1),
        monotonic_ns=Time().now_ns,
        sleep=lambda _s: None,
        fps=4,
        size=(1920, 1080),
    )
    camera.open()
    for frame in frames_of(camera):
        assert frame.encoding is Encoding.MJPEG
        assert frame.data[:2] == b"\xff\xd8"
        assert gray(frame).shape == (frame.height_px, frame.width_px) == (1080, 1920)


def test_the_same_seed_gives_the_same_bytes() -> None:
    def pictures(seed: int) -> list[bytes]:
        camera = a_camera([Presentation(TEXT)], seed=seed, fps=4)
        camera.open()
        return [bytes(frame.data) for frame in frames_of(camera)]

    assert pictures(5) == pictures(5)
    assert pictures(5) != pictures(6)


def test_nobody_stands_in_the_pause() -> None:
    camera = a_camera([Presentation(TEXT)], fps=30)
    camera.open()
    first, second = gray(camera.read()), gray(camera.read())
    assert np.abs(first.astype(int) - second).mean() < 6


def test_frames_come_at_their_rate_and_late_readers_lose_some() -> None:
    time = Time()
    camera = a_camera([Presentation(TEXT)], time=time, fps=10)
    camera.open()
    stamps = [camera.read().captured_ns for _ in range(3)]
    assert np.allclose(np.diff(stamps), 1e8, atol=10)
    time.sleep(0.55)
    late = camera.read()
    assert late.sequence == 7
    assert camera.read().sequence == 8


def test_the_port_s_promises() -> None:
    camera = a_camera([Presentation(TEXT)])
    with pytest.raises(CameraLostError):
        camera.read()
    camera.open()
    assert [camera.read().sequence for _ in range(4)] == [0, 1, 2, 3]
    camera.open()
    assert camera.read().sequence == 0
    assert texts_of_all(camera) == [TEXT]
    for _ in range(2):
        with pytest.raises(CameraExhaustedError):
            camera.read()
    camera.close()
    camera.close()
    with pytest.raises(CameraLostError):
        camera.read()


def test_a_text_that_fits_no_code_costs_one_reopening() -> None:
    camera = a_camera([Presentation("x" * 4_000), Presentation("x" * 2_000), Presentation(TEXT)])
    for _ in range(2):
        camera.open()
        with pytest.raises(CameraLostError) as lost:
            camera.read()
        assert isinstance(lost.value.__cause__, Exception)
    camera.open()
    assert texts_of_all(camera) == [TEXT]


def test_a_size_out_of_range_is_refused() -> None:
    camera = SceneCamera(
        iter([]), rng=random.Random(1), monotonic_ns=int, sleep=lambda _s: None, size=(64, 48)
    )
    with pytest.raises(CameraError) as refusal:
        camera.open()
    assert refusal.value.hint
