"""The camera port: what capture devices, files, recordings and synthetic scenes have in common."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol, TypeAlias, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

Gray: TypeAlias = NDArray[np.uint8]
"""A picture of brightness: `uint8`, shape (height, width), any strides."""


class Encoding(StrEnum):
    """How a frame's pixels are written down."""

    MJPEG = "mjpeg"
    """`data` holds one JPEG picture, as `bytes` or a flat `uint8` array."""
    PICTURE = "picture"
    """`data` holds one whole picture file (JPEG, PNG, BMP, WebP, PNM)."""
    YUYV = "yuyv"
    """`data` holds 2 bytes a pixel (Y U Y V), flat or of shape (height, width, 2)."""
    GRAY = "gray"
    """`data` holds 1 byte a pixel, flat or of shape (height, width)."""
    BGR = "bgr"
    """`data` holds 3 bytes a pixel, flat or of shape (height, width, 3)."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One frame as its source wrote it down, not decoded and not trusted.

    `width_px` and `height_px` are what the source claims (0 where only the picture's own header
    knows). `captured_ns` is the monotonic stamp of the capture: latencies count from it.
    `sequence` counts the frames of one opening from 0; a gap means frames the source itself lost.
    `label` names the frame where it has a name (a file's path), and is empty elsewhere. Nobody
    writes into `data` after the frame is handed on.
    """

    data: bytes | NDArray[Any]
    encoding: Encoding
    width_px: int
    height_px: int
    captured_ns: int
    sequence: int
    label: str = ""


class Camera(Protocol):
    """A source of frames, used by one thread at a time."""

    def open(self) -> None:
        """Make ready for `read`. Opening an open camera starts it anew, from sequence 0.

        :raises CameraError: it cannot be opened as configured; the message says why, `hint` what
            to do.
        """
        ...

    def read(self) -> Frame:
        """Return the next frame, waiting for it a bounded time (2 s unless configured otherwise).

        :raises CameraExhaustedError: a finite source has no further frame; raised again on every
            further call until it is opened anew.
        :raises CameraLostError: no frame within the bound, the device is gone, or the camera is
            not open.
        """
        ...

    def close(self) -> None:
        """Give the device back. Closing a closed camera does nothing. Never raises."""
        ...


@runtime_checkable
class Renewable(Protocol):
    """A camera that can be opened a second time while a first opening hangs in its driver."""

    def renewed(self) -> Camera:
        """Return another camera of the same configuration, which shares no state with this one."""
        ...
