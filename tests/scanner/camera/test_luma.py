"""Luma stands between hostile bytes and the decoders: what is too large is never allocated."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.luma import PictureLimits, gray_of
from scanner.camera.port import Encoding, Frame
from scanner.errors import PictureDamagedError, PictureError, PictureTooLargeError
from tests.scanner.camera.pictures import (
    canvas,
    encoded,
    mjpeg_frame,
    png_of_zeros,
    scene,
    with_jpeg_size,
)


def picture_frame(data: bytes, width_px: int = 0, height_px: int = 0) -> Frame:
    return Frame(data, Encoding.PICTURE, width_px, height_px, 0, 0)


@pytest.fixture
def no_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        pytest.fail("the decoder was asked")

    monkeypatch.setattr(cv2, "imdecode", refuse)


@pytest.mark.usefixtures("no_decoder")
@pytest.mark.parametrize(
    "data",
    [
        png_of_zeros(10_000, 10_000),
        with_jpeg_size(encoded(canvas()), 65_535, 65_535),
        b"BM" + bytes(12) + struct.pack("<Iii", 40, 40_000, -40_000) + bytes(40),
        b"P5 99999 99999 255 ",
        b"P5 999999 1 255 ",
    ],
    ids=["png", "jpeg", "bmp", "pnm", "one long row"],
)
def test_a_huge_picture_is_refused_before_anything_decodes_it(data: bytes) -> None:
    limit = r"at most (16\.8 megapixels|16384 on a side) allowed"
    with pytest.raises(PictureTooLargeError, match=limit) as refusal:
        gray_of(picture_frame(data))
    assert "camera" not in refusal.value.hint, "nobody chooses a mode of a file"


@pytest.mark.usefixtures("no_decoder")
def test_a_huge_file_is_refused_by_its_length() -> None:
    with pytest.raises(PictureTooLargeError, match="bytes"):
        gray_of(picture_frame(encoded(canvas())), PictureLimits(max_bytes=100))


@pytest.mark.usefixtures("no_decoder")
def test_a_camera_frame_of_another_size_than_negotiated_is_damaged() -> None:
    frame = Frame(encoded(canvas(320, 240)), Encoding.MJPEG, 640, 480, 0, 0)
    with pytest.raises(PictureDamagedError, match="320 x 240"):
        gray_of(frame)


def test_a_jpeg_whose_header_lies_about_its_data_is_damaged_or_of_the_stated_size() -> None:
    lying = with_jpeg_size(encoded(canvas(64, 64)), 256, 256)
    with suppress(PictureDamagedError):
        assert gray_of(picture_frame(lying)).shape == (256, 256)


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=64), st.integers(0, 30_000))
def test_a_jpeg_overwritten_anywhere_ends_as_a_picture_or_as_damaged(noise: bytes, at: int) -> None:
    jpeg = encoded(scene("a code"))
    at %= len(jpeg)
    broken = jpeg[:at] + noise + jpeg[at + len(noise) :]
    try:
        gray = gray_of(picture_frame(broken))
    except PictureError:
        return
    assert gray.dtype == np.uint8
    assert gray.ndim == 2


def test_mjpeg_comes_back_as_the_picture() -> None:
    picture = scene("a code")
    assert np.abs(gray_of(mjpeg_frame(picture)).astype(int) - picture).max() < 80


def test_mjpeg_may_come_as_a_flat_array_as_opencv_gives_it() -> None:
    data = np.frombuffer(encoded(canvas()), np.uint8).reshape(1, -1)
    assert gray_of(Frame(data, Encoding.MJPEG, 640, 480, 0, 0)).shape == (480, 640)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".webp", ".pgm"])
@pytest.mark.parametrize("shape", [(1, 500), (500, 1), (480, 640)])
def test_other_kinds_and_one_pixel_rows(suffix: str, shape: tuple[int, int]) -> None:
    picture = np.zeros(shape, np.uint8)
    assert gray_of(picture_frame(encoded(picture, suffix))).shape == shape


@pytest.mark.parametrize("shape", [(480, 640, 2), (480 * 640 * 2,), (1, 480 * 640 * 2)])
def test_yuyv_is_a_view_of_its_brightness_flat_or_shaped(shape: tuple[int, ...]) -> None:
    pixels = np.zeros((480, 640, 2), np.uint8)
    pixels[..., 0] = scene("a code")
    pixels[..., 1] = 128
    data = pixels.reshape(shape)
    gray = gray_of(Frame(data, Encoding.YUYV, 640, 480, 0, 0))
    assert np.shares_memory(gray, data)
    assert np.array_equal(gray, scene("a code"))


def test_gray_bytes_and_colour() -> None:
    picture = scene("a code")
    gray = gray_of(Frame(picture.tobytes(), Encoding.GRAY, 640, 480, 0, 0))
    assert np.array_equal(gray, picture)
    colour = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    assert np.array_equal(gray_of(Frame(colour, Encoding.BGR, 640, 480, 0, 0)), picture)


@settings(deadline=None)
@given(
    st.sampled_from([Encoding.GRAY, Encoding.YUYV, Encoding.BGR]),
    st.integers(-5, 50),
    st.integers(-5, 50),
    st.integers(0, 3000),
)
def test_raw_pixels_fit_their_claim_or_are_damaged(
    encoding: Encoding, width: int, height: int, size: int
) -> None:
    depth = {Encoding.GRAY: 1, Encoding.YUYV: 2, Encoding.BGR: 3}[encoding]
    frame = Frame(bytes(size), encoding, width, height, 0, 0)
    if width > 0 and height > 0 and size == width * height * depth:
        assert gray_of(frame).shape == (height, width)
    else:
        with pytest.raises(PictureDamagedError):
            gray_of(frame)


def test_pixels_of_another_type_are_refused() -> None:
    with pytest.raises(PictureError, match="uint16"):
        gray_of(Frame(np.zeros((2, 2), np.uint16), Encoding.GRAY, 4, 2, 0, 0))


def test_a_cameras_progressive_frame_is_never_decoded() -> None:
    """It costs a decoder a hundred times what a baseline frame of its size does."""
    data = cv2.imencode(".jpg", scene("a code"), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert gray_of(picture_frame(data)).shape == (480, 640)
    with pytest.raises(PictureDamagedError, match="baseline"):
        gray_of(Frame(data, Encoding.MJPEG, 640, 480, 0, 0))
