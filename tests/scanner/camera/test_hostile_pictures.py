"""No picture, however made, costs more than its bound, or more than one frame."""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Iterable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.ladder import read_texts
from scanner.camera.luma import DEFAULT_LIMITS, gray_of
from scanner.camera.port import Encoding, Frame
from scanner.errors import PictureError
from tests.scanner.camera.hostile import (
    AS_CAMERAS_SEND_THEM,
    BOUNDED,
    JPEG,
    PROGRESSIVE,
    REFUSED,
    mutated,
    with_scans,
)

ROOM_KB = 100 << 10
"""For one picture: its pixels in colour, and what a decoder keeps of a progressive one."""
PROCESSOR_S = 30


def frame(
    data: bytes, encoding: Encoding = Encoding.MJPEG, size: tuple[int, int] = (0, 0)
) -> Frame:
    return Frame(data, encoding, *size, 0, 0)


@pytest.mark.parametrize("name", AS_CAMERAS_SEND_THEM)
def test_what_cameras_really_send_is_read_as_the_sound_picture_is(name: str) -> None:
    gray = gray_of(frame(AS_CAMERAS_SEND_THEM[name], size=(640, 480)))
    assert np.array_equal(gray, gray_of(frame(JPEG)))
    assert read_texts(gray) == ["a code"]


@pytest.mark.parametrize("encoding", [Encoding.MJPEG, Encoding.PICTURE])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sound_picture_is_refused(name: str, encoding: Encoding) -> None:
    with pytest.raises(PictureError) as raised:
        gray_of(frame(REFUSED[name], encoding))
    assert raised.value.hint


def test_a_cameras_frame_has_no_more_scans_than_components() -> None:
    assert gray_of(frame(with_scans(JPEG, 4))).shape == (480, 640)
    with pytest.raises(PictureError, match="4 scans"):
        gray_of(frame(with_scans(JPEG, 5)))
    assert gray_of(frame(with_scans(JPEG, 5), Encoding.PICTURE)).shape == (480, 640)
    with pytest.raises(PictureError, match="baseline"):
        gray_of(frame(PROGRESSIVE))


def test_a_cameras_frame_is_a_jpeg_and_nothing_else() -> None:
    png = BOUNDED["PNG, which no camera sends"]
    assert gray_of(frame(png, Encoding.PICTURE)).shape == (64, 64)
    with pytest.raises(PictureError, match="not a jpeg"):
        gray_of(frame(png))


def decode_all(pictures: Iterable[bytes]) -> None:
    """Decode within limits, beyond which the process ends with another code than 0."""
    gray_of(frame(JPEG))  # whatever the library loads once
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S,) * 2)
    for data in pictures:
        for encoding in (Encoding.MJPEG, Encoding.PICTURE):
            with suppress(PictureError):
                assert gray_of(frame(data, encoding)).size <= DEFAULT_LIMITS.max_pixels
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert peak_kb - before_kb < ROOM_KB


def test_the_whole_set_stays_within_bounds_of_memory_and_time() -> None:
    everything = [*AS_CAMERAS_SEND_THEM.values(), *REFUSED.values(), *BOUNDED.values()]
    process = multiprocessing.get_context("spawn").Process(target=decode_all, args=(everything,))
    process.start()
    process.join(100)
    assert process.exitcode == 0


@settings(deadline=None, max_examples=300)
@given(mutated(), st.sampled_from([Encoding.MJPEG, Encoding.PICTURE]))
def test_a_changed_picture_ends_as_a_picture_or_as_an_error_of_ours(
    data: bytes, encoding: Encoding
) -> None:
    try:
        gray = gray_of(frame(data, encoding))
    except PictureError:
        return
    assert gray.dtype == np.uint8
    assert gray.ndim == 2
    assert 0 < gray.size <= DEFAULT_LIMITS.max_pixels
