"""Brightness of a frame, and nothing else: codes have no colour.

Sizes are judged before anything is decoded or allocated, so a hostile frame costs microseconds
and ends as a counted bad frame.
"""

from __future__ import annotations

from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.headers import header_of
from scanner.camera.port import Encoding, Frame, Gray
from scanner.errors import PictureDamagedError, PictureError, PictureTooLargeError


class PictureLimits(msgspec.Struct, frozen=True, gc=False):
    """The largest picture that is worth decoding here."""

    max_pixels: int = 4096 * 4096
    max_side_px: int = 16384
    max_bytes: int = 64 * 1024 * 1024


DEFAULT_LIMITS = PictureLimits()

_BYTES_PER_PIXEL = {Encoding.GRAY: 1, Encoding.YUYV: 2, Encoding.BGR: 3}


def gray_of(frame: Frame, limits: PictureLimits = DEFAULT_LIMITS) -> Gray:
    """Return the frame's brightness. GRAY and YUYV come back as views of the frame's own bytes.

    :raises PictureTooLargeError: more pixels or bytes than `limits` allow; nothing was decoded.
    :raises PictureDamagedError: malformed, truncated, or not of the size that the frame claims.
    """
    size = len(frame.data) if isinstance(frame.data, bytes) else frame.data.nbytes
    if size > limits.max_bytes:
        msg = f"{size} bytes in one frame, {limits.max_bytes} allowed"
        raise PictureTooLargeError(msg)
    if frame.encoding in _BYTES_PER_PIXEL:
        return _uncompressed(frame, size, limits)
    return _compressed(frame, limits)


def _judge_size(width_px: int, height_px: int, limits: PictureLimits, encoding: Encoding) -> None:
    if width_px * height_px > limits.max_pixels:
        most = f"{limits.max_pixels / 1e6:.1f} megapixels"
    elif max(width_px, height_px) > limits.max_side_px:
        most = f"{limits.max_side_px} on a side"
    else:
        return
    from_file = encoding is Encoding.PICTURE
    msg = f"{width_px} x {height_px} pixels, at most {most} allowed"
    raise PictureTooLargeError(
        msg,
        hint="scale the picture down" if from_file else "choose a smaller mode of the camera",
    )


def _uncompressed(frame: Frame, size: int, limits: PictureLimits) -> Gray:
    width, height, depth = frame.width_px, frame.height_px, _BYTES_PER_PIXEL[frame.encoding]
    if width < 1 or height < 1 or size != width * height * depth:
        msg = f"{size} bytes for {width} x {height} {frame.encoding} pixels"
        raise PictureDamagedError(msg)
    _judge_size(width, height, limits, frame.encoding)
    pixels = _octets(frame.data).reshape(height, width, depth)
    if frame.encoding is Encoding.BGR:
        return _as_gray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))
    return pixels[:, :, 0]


def _compressed(frame: Frame, limits: PictureLimits) -> Gray:
    octets = _octets(frame.data).reshape(-1)
    header = header_of(
        octets.tobytes() if not isinstance(frame.data, bytes) else frame.data,
        baseline=frame.encoding is Encoding.MJPEG,
    )
    _judge_size(header.width_px, header.height_px, limits, frame.encoding)
    claimed = (frame.width_px, frame.height_px)
    if claimed not in ((0, 0), (header.width_px, header.height_px)):
        msg = (
            f"the picture states {header.width_px} x {header.height_px} pixels,"
            f" its camera {claimed[0]} x {claimed[1]}"
        )
        raise PictureDamagedError(msg)
    try:
        gray = cv2.imdecode(octets, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        msg = f"the {header.kind} cannot be decoded"
        raise PictureDamagedError(msg) from error
    if gray is None:
        msg = f"the {header.kind} cannot be decoded"
        raise PictureDamagedError(msg)
    if gray.shape != (header.height_px, header.width_px):
        msg = f"the {header.kind} is not of the size that it states"
        raise PictureDamagedError(msg)
    return _as_gray(gray)


def _octets(data: bytes | NDArray[Any]) -> Gray:
    if isinstance(data, bytes):
        return np.frombuffer(data, np.uint8)
    if data.dtype != np.uint8:
        msg = f"pixels of type {data.dtype}, uint8 wanted"
        raise PictureError(msg)
    return np.ascontiguousarray(data)


def _as_gray(array: NDArray[Any]) -> Gray:
    return array.view(np.uint8)
