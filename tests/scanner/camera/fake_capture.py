"""OpenCV's V4L2 capture without a device, and a clock that the test turns on."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from tests.scanner.camera.pictures import encoded, scene


class FakeCapture:
    """What OpenCV's V4L2 backend does, as read in its source: MJPEG raw is 1 x bytes."""

    def __init__(self, fourcc: str = "MJPG", size: tuple[int, int] = (640, 480)) -> None:
        self.calls: list[tuple[int, float]] = []
        self.answers: dict[int, float] = {
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*fourcc),
            cv2.CAP_PROP_FRAME_WIDTH: size[0],
            cv2.CAP_PROP_FRAME_HEIGHT: size[1],
            cv2.CAP_PROP_POS_MSEC: 0.0,
        }
        self.frame: Any = np.frombuffer(encoded(scene("a code")), np.uint8).reshape(1, -1)
        self.frames: list[Any] = []
        self.takes_ns = 0
        self.clock: Clock | None = None
        self.opened = True
        self.released = 0
        self.failing: set[str] = set()

    def isOpened(self) -> bool:  # noqa: N802
        return self.opened

    def set(self, propId: int, value: float) -> bool:  # noqa: N803
        self._answer("set")
        self.calls.append((propId, value))
        return True

    def get(self, propId: int) -> float:  # noqa: N803
        self._answer("get")
        return self.answers.get(propId, 0.0)

    def read(self) -> tuple[bool, Any]:
        if self.clock is not None:
            self.clock.now_ns += self.takes_ns
        if self.frames:
            return True, self.frames.pop(0)
        if isinstance(self.frame, BaseException):
            raise self.frame
        return self.frame is not None, self.frame

    def release(self) -> None:
        self.released += 1
        self._answer("release")

    def _answer(self, call: str) -> None:
        if call in self.failing:
            raise cv2.error("VIDIOC: " + call)


class Clock:
    def __init__(self) -> None:
        self.now_ns = 50_000_000_000

    def __call__(self) -> int:
        return self.now_ns
