"""Headers are judged before a decoder sees them: no lie goes unnoticed, no bytes crash it."""

from __future__ import annotations

import cv2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.headers import PictureKind, header_of
from scanner.errors import PictureDamagedError
from tests.scanner.camera.pictures import canvas, encoded, png_of_zeros, scene, with_jpeg_size

SUFFIXES = {
    ".jpg": PictureKind.JPEG,
    ".png": PictureKind.PNG,
    ".bmp": PictureKind.BMP,
    ".webp": PictureKind.WEBP,
    ".pgm": PictureKind.PNM,
}
MAGICS = [b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF", b"P5", b"P6", b"P2 "]
JPEG = encoded(scene("a code"))


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(deadline=None)
@given(width=st.integers(1, 300), height=st.integers(1, 300))
def test_states_the_size_that_the_encoder_wrote(suffix: str, width: int, height: int) -> None:
    header = header_of(encoded(canvas(width, height), suffix))
    assert (header.kind, header.width_px, header.height_px) == (SUFFIXES[suffix], width, height)


@settings(deadline=None)
@given(st.sampled_from([b"", *MAGICS]), st.binary(max_size=400))
def test_any_bytes_are_a_header_or_a_damaged_picture(magic: bytes, rest: bytes) -> None:
    try:
        header = header_of(magic + rest)
    except PictureDamagedError:
        return
    assert header.width_px >= 1
    assert header.height_px >= 1


@settings(deadline=None)
@given(st.integers(0, len(JPEG) - 1))
def test_a_truncated_jpeg_is_seen_wherever_it_was_cut(length: int) -> None:
    with pytest.raises(PictureDamagedError):
        header_of(JPEG[:length])


def test_a_jpeg_padded_by_its_camera_is_whole() -> None:
    assert header_of(JPEG + bytes(4096)).width_px == 640
    assert header_of(JPEG + b"\xff" * 4096).width_px == 640


def test_a_jpeg_that_states_its_size_twice_is_refused() -> None:
    """Else a judge that reads the first and a decoder that reads the second would differ."""
    at = JPEG.index(b"\xff\xc0")
    length = 2 + int.from_bytes(JPEG[at + 2 : at + 4], "big")
    doubled = JPEG[: at + length] + JPEG[at:]
    with pytest.raises(PictureDamagedError, match="twice"):
        header_of(doubled)


PROGRESSIVE = cv2.imencode(".jpg", scene("a code"), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()


def with_scans(jpeg: bytes, extra: int) -> bytes:
    """The same picture, its last scan said again and again: small as a file, dear to decode."""
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:-2] + jpeg[last:-2] * extra + jpeg[-2:]


def test_a_progressive_picture_is_read_as_a_file_but_is_no_cameras_frame() -> None:
    assert header_of(PROGRESSIVE).width_px == 640
    assert header_of(JPEG, baseline=True).width_px == 640
    with pytest.raises(PictureDamagedError, match="baseline"):
        header_of(PROGRESSIVE, baseline=True)


def test_more_scans_than_a_picture_needs_are_refused_before_they_are_decoded() -> None:
    scans = PROGRESSIVE.count(b"\xff\xda")
    assert scans > 1, "the control: this encoder writes several"
    assert header_of(with_scans(PROGRESSIVE, 32 - scans)).width_px == 640
    with pytest.raises(PictureDamagedError, match="32 scans"):
        header_of(with_scans(PROGRESSIVE, 33 - scans))


def test_huge_claims_are_reported_as_they_are() -> None:
    """Judging the size is luma's; here it must only be true."""
    assert header_of(with_jpeg_size(JPEG, 65_000, 65_000)).width_px == 65_000
    assert header_of(png_of_zeros(10_000, 10)).width_px == 10_000


def test_an_empty_picture_is_damaged() -> None:
    with pytest.raises(PictureDamagedError, match="0 x 0"):
        header_of(with_jpeg_size(JPEG, 0, 0))
